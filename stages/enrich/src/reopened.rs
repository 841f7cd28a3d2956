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

use crate::item::{RowOutcome, Storable};

/// Whether a row waits for its first text, in the turn of this message.
pub(crate) fn has_no_text(message: &Submitted, row: &Existing) -> bool {
    let row = &row.message;
    row.turn == message.head.turn && row.state == MessageState::Accepted && row.segments == 0
}

/// Stores the texts, and reads the rows back: another process may have been faster, and then its
/// text stands.
pub(crate) async fn fill(
    tx: &mut Scoped,
    now: Timestamp,
    reopened: Vec<Storable<'_>>,
) -> Result<(), Fault> {
    let texts: Vec<NewMessage<'_>> = reopened.iter().map(Storable::new_row).collect();
    dead_letter::fill(tx, now, &texts).await?;

    let keys: Vec<_> = reopened.iter().map(Storable::key).collect();
    let rows = enrich::existing(tx, &keys).await?;

    for (one, row) in reopened.into_iter().zip(rows) {
        if let Some(row) = row {
            *one.row = RowOutcome::Known(row);
        }
    }
    Ok(())
}
