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

use crate::{load::Restated, record::Recorded, turn::TurnState};

/// What follows from a decision that this batch has recorded.
pub(crate) fn recorded(one: &Recorded<'_>) -> Outcome {
    let admission = one.ruling.admission.zip(one.sender.as_ref());
    outcome(one.item.message, &one.row, &one.ruling.passport, admission)
}

/// What follows from a decision that stood already.
pub(crate) fn restated(one: &Restated<'_>) -> Outcome {
    let message = one.item.message;
    let Some(stored) = &one.stored else { return unknown() };

    match TurnState::of(message, Some((stored.message.turn, stored.message.state))) {
        TurnState::Late => Outcome::DONE,
        // Cannot be: what was decided before is committed, and no row loses it within a turn.
        TurnState::Unknown | TurnState::Open => unknown(),
        TurnState::Decided => {
            let admission = stored.admission.zip(one.sender.as_ref());
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

        // Cancelled with its campaign, by a gate, which names the reason.
        MessageState::Cancelled if row.code.is_some() => Outcome::Emit(event(row)),
        // A later stage has changed the row, so what the gates publish has reached it. Whoever
        // else cancels a message publishes that.
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
    let message = Enriched { passport: passport.clone(), placed: None, ..message.clone() };

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
