//! One message of a batch on its way through the stage: each move adds what it has found out.

use domain::ids::{MessageId, TenantId};
use jiff::Timestamp;
use stage::Cause;
use store::messages::enrich::{BatchOf, Existing, NewMessage};
use wire::Submitted;

use crate::{decide::DraftedMessage, load::Found};

/// A message, its person, its draft, and what became of its row.
pub(crate) struct Item<'a> {
    pub(crate) found: Found<'a>,
    /// What is to be stored, or why no row can be made: then it is a dead letter.
    pub(crate) drafted: Result<DraftedMessage, Cause>,
    pub(crate) row: RowOutcome,
}

/// What became of one message's row.
pub(crate) enum RowOutcome {
    /// Nothing is stored: not yet, or not at all.
    Absent,
    /// This batch has stored it.
    New,
    /// It was there before, with the same body.
    Known(Existing),
    /// It was there before, with another body.
    Conflict {
        /// The first; none for an item of a batch whose key another batch has taken.
        first: Option<Existing>,
        /// When this second body was seen for the first time.
        seen_at: Timestamp,
    },
}

/// An item that a row can be made of.
pub(crate) struct Storable<'i> {
    pub(crate) message: &'i Submitted,
    pub(crate) drafted: &'i DraftedMessage,
    /// Where it is noted what became of the row.
    pub(crate) row: &'i mut RowOutcome,
}

impl<'a> Item<'a> {
    /// An item that is decided, and not recorded yet.
    pub(crate) fn new(found: Found<'a>, drafted: Result<DraftedMessage, Cause>) -> Self {
        Self { found, drafted, row: RowOutcome::Absent }
    }

    /// The item as something to store; none for a dead letter.
    pub(crate) fn storable(&mut self) -> Option<Storable<'_>> {
        let drafted = self.drafted.as_ref().ok()?;
        Some(Storable { message: self.found.message, drafted, row: &mut self.row })
    }
}

impl<'i> Storable<'i> {
    /// The batch that it came in, where that has a key. A hash that is none is nobody's.
    pub(crate) fn batch(&self) -> Option<BatchOf<'i>> {
        let batch = self.message.batch.as_ref()?;
        let body_hash = wire::unhex(&batch.body_hash).unwrap_or_default();
        Some((&self.message.head.tenant, batch.id, body_hash))
    }

    pub(crate) fn key(&self) -> (&'i TenantId, MessageId) {
        key(self.message)
    }

    pub(crate) fn new_row(&self) -> NewMessage<'i> {
        self.drafted.row(self.message)
    }
}

/// Names a message: its tenant and its id.
pub(crate) fn key(message: &Submitted) -> (&TenantId, MessageId) {
    (&message.head.tenant, message.head.id)
}
