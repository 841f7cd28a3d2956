//! What the gate stage says: the admitted message, or the event of what became of it. Made from the
//! row, so that a second delivery says the same.

use domain::{
    gates::SenderFacts,
    message::{passport::Passport, state::MessageState},
};
use jiff::Timestamp;
use stage::{Cause, Outcome};
use store::messages::{gate::Admission, row::StoredMessage};
use wire::{
    Admitted, Enriched, Event, Subject, frame::Outgoing, message::Route, subject::shard_of,
};

use crate::{New, Place, Restated, place};

/// What was decided now.
pub(crate) fn ruling(messages: &[Enriched], new: &New) -> Outcome {
    let admission = new.ruling.admission.zip(new.sender.as_ref());
    outcome(&messages[new.at], &new.row, &new.ruling.passport, admission)
}

/// What was decided before, in this turn.
pub(crate) fn stored(message: &Enriched, known: &Restated) -> Outcome {
    let Some(stored) = &known.stored else { return unknown() };
    match place(message, Some((stored.message.turn, stored.message.state))) {
        Place::Moved => Outcome::DONE,
        // Open again only by a rollback of what overtook us, which cannot have been seen.
        Place::Unknown | Place::Open => unknown(),
        Place::Decided => {
            let admission = stored.admission.zip(known.sender.as_ref());
            outcome(message, &stored.message, &stored.passport, admission)
        }
    }
}

/// A message without a row cannot be decided: its row is written before it is published.
pub(crate) fn unknown() -> Outcome {
    Outcome::Dead { cause: Cause("no_row") }
}

fn outcome(
    message: &Enriched,
    row: &StoredMessage,
    passport: &Passport,
    admission: Option<(Admission, &SenderFacts)>,
) -> Outcome {
    match row.state {
        MessageState::Queued => match admission {
            Some((admission, sender)) => admitted(message, passport, admission, sender),
            None => Outcome::Dead { cause: Cause("no_sender") },
        },
        MessageState::Deferred => park(row, row.due),
        MessageState::Held => park(row, None),
        MessageState::Blocked | MessageState::Expired => Outcome::Emit(event(row)),
        // Somebody after the gates has had it, so what the gates said has been heard; and who
        // cancels says so.
        MessageState::InDoubt
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Unknown
        | MessageState::Delivered
        | MessageState::Read
        | MessageState::Cancelled => Outcome::DONE,
        MessageState::Accepted => unknown(),
    }
}

fn park(row: &StoredMessage, due: Option<Timestamp>) -> Outcome {
    let cause = Cause(row.gate.map_or("gate", |gate| gate.as_str()));
    Outcome::Park { due, cause, say: event(row) }
}

fn event(row: &StoredMessage) -> Vec<Outgoing> {
    row.event().iter().map(Event::outgoing).collect()
}

fn admitted(
    message: &Enriched,
    passport: &Passport,
    admission: Admission,
    sender: &SenderFacts,
) -> Outcome {
    let message = Enriched { passport: passport.clone(), ..message.clone() };
    let subject = Subject::Admitted(message.head.class.lane(), shard_of(&sender.account));
    let route = Route {
        sender: sender.id,
        number: sender.number.clone(),
        account: sender.account.clone(),
        pace: sender.pace,
        sendable_until: admission.sendable_until,
        policy_version: admission.policy_version,
        weight: sender.weight,
    };
    Outcome::Emit(vec![Outgoing::new(subject, &Admitted { message, route })])
}
