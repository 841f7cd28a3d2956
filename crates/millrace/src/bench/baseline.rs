//! The committed baseline: what a change may not make worse by more than a tenth without saying so.

use serde::Deserialize;

/// What was measured when the baseline was last moved.
const COMMITTED: &str = include_str!("baseline.json");

/// How much of a figure of the baseline may come on top.
const MARGIN: f64 = 0.1;

/// The figures that are compared. Less is better. Both are set against the raw hop of the same run:
/// the same machine takes half as long or twice, by what else its host does.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Figures {
    /// Raw hops that the machine makes in the time of one message.
    pub hops_per_message: f64,
    /// The CPU time of one message, without the sandbox, in that of raw hops.
    pub hops_of_cpu: f64,
}

/// Prints the medians of the runs beside the baseline. False where one is more than a tenth worse.
///
/// # Errors
/// The committed baseline cannot be read.
pub fn compare(runs: Vec<Figures>) -> anyhow::Result<bool> {
    let baseline: Figures = serde_json::from_str(COMMITTED)?;
    let median_of =
        |figure: fn(&Figures) -> f64| median(runs.iter().map(figure).collect::<Vec<_>>());
    let rows = [
        ("hops per message", median_of(|run| run.hops_per_message), baseline.hops_per_message),
        ("hops of CPU", median_of(|run| run.hops_of_cpu), baseline.hops_of_cpu),
    ];

    println!();
    let mut holds = true;
    for (what, found, baseline) in rows {
        let verdict = verdict(found, baseline);
        let said = verdict.as_str();
        println!("{what:<20} {found:.3}, median of {}; baseline {baseline:.3}: {said}", runs.len());
        holds &= verdict != Verdict::Worse;
    }
    Ok(holds)
}

/// How a figure stands to its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Holds,
    Worse,
    Better,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Worse => "FAILS, more than a tenth worse",
            Self::Better => "more than a tenth better: move the baseline",
        }
    }
}

fn verdict(found: f64, baseline: f64) -> Verdict {
    match found / baseline {
        more if more > 1.0 + MARGIN => Verdict::Worse,
        less if less < 1.0 - MARGIN => Verdict::Better,
        _ => Verdict::Holds,
    }
}

/// The middle one; of an even number the greater of the two.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_beyond_the_baseline_is_worse() {
        assert_eq!(verdict(11.1, 10.0), Verdict::Worse);
        assert_eq!(verdict(10.9, 10.0), Verdict::Holds);
        assert_eq!(verdict(9.1, 10.0), Verdict::Holds);
        assert_eq!(verdict(8.9, 10.0), Verdict::Better);
    }

    #[test]
    fn one_bad_run_of_three_is_not_the_median() {
        assert!((median(vec![90.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_committed_baseline_can_be_read() {
        assert!(serde_json::from_str::<Figures>(COMMITTED).is_ok());
    }
}
