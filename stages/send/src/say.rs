//! What a message's stored row has this stage say. A repeat says the same.

use std::time::Duration;

use carriers::Carrier;
use domain::message::state::MessageState;
use stage::{Cause, Outcome, machine};
use store::messages::row::StoredMessage;
use wire::{Admitted, Event, frame::Outgoing};

use crate::{end::End, opt_out::told_by, record::Accepted};

/// How soon a message is looked at again that moved on while this stage decided about it.
pub(crate) const MOVED_ON: Duration = Duration::from_millis(100);

/// Hands the message over again after this long.
pub(crate) fn wait(after: Duration) -> Outcome {
    Outcome::wait(machine::now(), after)
}

/// What is said about an end; `stored` is none where the message has moved on.
pub(crate) fn ended(end: &End<'_>, stored: Option<&StoredMessage>) -> Outcome {
    stored.map_or_else(
        || wait(MOVED_ON),
        |stored| outcome(end.message, stored, end.carrier, Cause(end.label)),
    )
}

/// What is said about a text that the carrier took; `stored` is none where the message has moved
/// on.
pub(crate) fn accepted(one: &Accepted<'_>, stored: Option<&StoredMessage>) -> Outcome {
    stored
        .map_or_else(|| wait(MOVED_ON), |stored| outcome(one.message, stored, None, Cause("sent")))
}

/// What the stored row of a message has this stage say: its event, and the opt-out that its
/// refusal tells of.
pub(crate) fn outcome(
    message: &Admitted,
    stored: &StoredMessage,
    carrier: Option<Carrier>,
    cause: Cause,
) -> Outcome {
    let mut say: Vec<Outgoing> = stored.event().iter().map(Event::outgoing).collect();

    match stored.state {
        MessageState::Deferred | MessageState::Held => {
            Outcome::Park { due: stored.due, cause, say }
        }
        MessageState::Failed => {
            let code = carrier.and_then(|carrier| opt_out_code(stored, carrier));
            let told = code.and_then(|code| told_by(message, carrier, code, stored.changed_at));
            say.extend(told.and_then(|told| told.event()).map(|event| event.outgoing()));
            Outcome::Emit(say)
        }
        MessageState::Accepted
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read => Outcome::Emit(say),
    }
}

/// The code of a failed message, where its carrier means by it that the person wants no more.
fn opt_out_code(stored: &StoredMessage, carrier: Carrier) -> Option<u32> {
    let code = stored.code.as_deref()?.parse().ok()?;
    carrier.wish(code).map(|_| code)
}
