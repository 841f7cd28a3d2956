//! What the throttle says: the message on its way to the carrier, or when it is due here again.

use stage::{Cx, Outcome};
use wire::{Relayed, Subject, frame::Outgoing, subject::shard_of};

use crate::decide::Served;

/// What becomes of a message that was served.
pub(crate) fn outcome(cx: &Cx, served: &Served<'_>) -> Outcome {
    match served.wait {
        None => Outcome::Emit(vec![released(served.message)]),
        Some(wait) => Outcome::wait(cx.machine, wait.try_into().unwrap_or_default()),
    }
}

fn released(message: &Relayed) -> Outgoing {
    let subject = Subject::Released(message.class().lane(), shard_of(message.account()));
    Outgoing::new(subject, message)
}
