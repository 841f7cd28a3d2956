//! What there is to say about letters, and what is counted.

use wire::{Event, frame::Outgoing};

use super::{
    decide::Verdict,
    letter::{Letters, count},
    record::Rows,
};

/// What each letter of the batch has to say. The first of a message's letters says its death.
pub(super) fn by_letter(letters: &Letters<'_>, rows: &Rows) -> Vec<(usize, Vec<Outgoing>)> {
    let mut says = Vec::new();
    for (key, of_message) in letters {
        let event = rows.get(key).and_then(|row| row.event());
        let mut say: Vec<Outgoing> = event.iter().map(Event::outgoing).collect();
        for (index, _) in of_message {
            says.push((*index, std::mem::take(&mut say)));
        }
    }
    says
}

/// Counts what each letter came to.
pub(super) fn count_all(verdicts: &[Verdict<'_>]) {
    for (stage, fate) in verdicts.iter().flat_map(|verdict| &verdict.counted) {
        count(stage.as_str(), fate.as_str());
    }
}
