//! What there is to say about doubts that have ended.

use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use store::messages::{in_doubt::DueDoubt, row::StoredMessage};
use wire::{Event, frame::Outgoing};

/// How a doubt ended: the message as it is now, and one word for metrics.
pub(super) type Ended = (StoredMessage, &'static str);

/// What there is to say, and the doubts that may be deleted once it has been said.
#[derive(Default)]
pub(super) struct Cleared {
    pub(super) say: Vec<Outgoing>,
    /// Each with the version that ended it.
    pub(super) ended: Vec<(TenantId, MessageId, Option<i64>)>,
}

impl Cleared {
    /// What is said about doubts that this look has ended.
    pub(super) fn of(ended: Vec<Ended>) -> Self {
        let mut cleared = Self::default();
        for (message, by) in ended {
            metrics::counter!("millrace_in_doubt_resolved_total", "by" => by).increment(1);
            cleared.say.extend(message.event().iter().map(Event::outgoing));
            cleared.ended.push((message.tenant, message.id, Some(message.version)));
        }
        cleared
    }

    pub(super) fn add(&mut self, more: Self) {
        self.say.extend(more.say);
        self.ended.extend(more.ended);
    }

    /// Ends a doubt whose message is not in doubt any more. Either a sweep ended it and died before
    /// it could publish that: then its event is said here. Or `send` recorded the answer after all,
    /// and has said so itself.
    pub(super) fn end_elsewhere(&mut self, due: DueDoubt) {
        let DueDoubt { message, settled_version, .. } = due;
        let unsaid = settled_version == Some(message.version) && was_ended(message.state);
        if unsaid {
            self.say.extend(message.event().iter().map(Event::outgoing));
        }
        self.ended.push((message.tenant, message.id, settled_version));
    }
}

/// The states in which the sweep leaves a message. The state counts beside the version, because a
/// release keeps the version of the park.
fn was_ended(state: MessageState) -> bool {
    match state {
        MessageState::Sent | MessageState::Deferred => true,
        MessageState::Unknown | MessageState::Failed => true,
        MessageState::Accepted
        | MessageState::Held
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Delivered
        | MessageState::Read => false,
    }
}
