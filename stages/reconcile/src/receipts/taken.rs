//! Receipts of texts that the carrier's list gave to a message. Equal texts in doubt are told apart
//! by nobody but the carrier, so the list may have given one message the text of another: from then
//! on the text is that message's, and what the carrier says about it is said about that message.

use std::collections::HashMap;

use stage::Fault;
use store::{
    Scoped,
    messages::{
        in_doubt::{self, TakenText},
        receipt::{self, Reported},
    },
};

use crate::receipts::report::{Key, Report, Reports};

/// The rows of messages that receipts are about.
pub(crate) type Rows = HashMap<Key, Reported>;

/// Moves receipts of texts that belong to another message than the one they name, and locks that
/// message too. Looks only where the row does not have the text already: a rare case. The caller
/// has locked `rows`, so a sweep that gives a text away has committed before, or waits.
pub(crate) async fn redirect(
    tx: &mut Scoped,
    reports: &mut Reports,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let strange: Vec<TakenText> = reports
        .iter()
        .filter_map(|(key, of_message)| Some((rows.get(key)?, of_message)))
        .flat_map(|(row, of_message)| of_message.iter().map(move |(_, report)| (row, report)))
        .filter(|(row, report)| row.sid.as_ref() != Some(&report.sid))
        .map(|(_, report)| text(report))
        .collect();
    if strange.is_empty() {
        return Ok(());
    }

    let takers = in_doubt::takers(tx, &strange).await?;
    if takers.is_empty() {
        return Ok(());
    }

    let before = std::mem::take(reports);
    for (key, of_message) in before {
        for (index, report) in of_message {
            let taker = takers.get(&text(&report)).copied().unwrap_or(key.1);
            reports.entry((key.0.clone(), taker)).or_default().push((index, report));
        }
    }

    let unlocked: Vec<Key> =
        reports.keys().filter(|key| !rows.contains_key(*key)).cloned().collect();
    if !unlocked.is_empty() {
        rows.extend(receipt::lock(tx, &unlocked).await?);
    }
    Ok(())
}

fn text(report: &Report) -> TakenText {
    (report.tenant.clone(), report.account.clone(), report.sid.clone())
}
