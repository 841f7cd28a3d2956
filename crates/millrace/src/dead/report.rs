//! What a redrive did, or would do, counted by stage and cause.

use std::collections::BTreeMap;

use wire::DeadLetter;

/// The counts of one run.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: BTreeMap<(String, String), Counts>,
    refusals: Vec<String>,
}

#[derive(Debug, Default)]
struct Counts {
    redriven: usize,
    refused: usize,
}

/// How many refusals are told one by one; the others are counted.
const TOLD: usize = 100;

impl Report {
    /// Counts a letter that was sent again, or would be.
    pub(super) fn redriven(&mut self, letter: &DeadLetter) {
        self.of(letter).redriven += 1;
    }

    /// Counts a letter that stays, and why.
    pub(super) fn refused(&mut self, letter: &DeadLetter, why: &str) {
        self.of(letter).refused += 1;
        if self.refusals.len() < TOLD {
            self.refusals.push(format!("refused {}: {why}", letter.id));
        }
    }

    /// How many letters were looked at.
    pub(super) fn letters(&self) -> usize {
        self.counts.values().map(|counts| counts.redriven + counts.refused).sum()
    }

    /// Whether any letter stays.
    pub(super) fn any_refused(&self) -> bool {
        self.counts.values().any(|counts| counts.refused > 0)
    }

    /// Prints the table; refusals go to standard error, one line each.
    pub(super) fn print(&self, dry_run: bool) {
        let redriven = if dry_run { "would be redriven" } else { "redriven" };
        println!("{:<10} {:<22} {redriven:>17} {:>8}", "stage", "cause", "refused");
        for ((stage, cause), Counts { redriven, refused }) in &self.counts {
            println!("{stage:<10} {cause:<22} {redriven:>17} {refused:>8}");
        }

        for line in &self.refusals {
            eprintln!("{line}");
        }

        let refused: usize = self.counts.values().map(|counts| counts.refused).sum();
        if refused > TOLD {
            eprintln!("and {} more", refused - TOLD);
        }
    }

    fn of(&mut self, letter: &DeadLetter) -> &mut Counts {
        self.counts.entry((letter.stage.clone(), letter.cause.clone())).or_default()
    }
}
