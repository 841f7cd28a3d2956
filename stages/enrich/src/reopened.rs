//! Messages that were redriven and have a row without a text: they died before enrich had stored
//! one. They are rendered now, for the first time.

use domain::message::state::MessageState;
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    messages::{
        dead_letter,
        enrich::{self, Existing, NewMessage},
    },
};
use wire::Submitted;

use crate::{decide::DraftedMessage, key};

/// Whether a row waits for its first text, in the turn of this message.
pub(crate) fn has_no_text(message: &Submitted, existing: &Existing) -> bool {
    let row = &existing.message;
    row.turn == message.head.turn && row.state == MessageState::Accepted && row.segments == 0
}

/// Stores the texts, and gives the rows as they are now, by place in the batch: another process may
/// have been faster.
pub(crate) async fn fill(
    tx: &mut Scoped,
    now: Timestamp,
    messages: &[Submitted],
    reopened: &[(usize, &DraftedMessage)],
) -> Result<Vec<(usize, Existing)>, Fault> {
    let entries: Vec<NewMessage<'_>> =
        reopened.iter().map(|(at, entry)| entry.row(&messages[*at])).collect();
    dead_letter::fill(tx, now, &entries).await?;
    let keys: Vec<_> = reopened.iter().map(|(at, _)| key(&messages[*at])).collect();
    let rows = enrich::existing(tx, &keys).await?.into_iter();
    Ok(reopened.iter().zip(rows).filter_map(|((at, _), row)| Some((*at, row?))).collect())
}
