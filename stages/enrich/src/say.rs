//! What enrich says about a message: made from the row, so that a repeat says the same.

use domain::{
    ids::conflict_id,
    message::{passport::Passport, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use stage::Outcome;
use store::messages::{enrich::Existing, row::StoredMessage};
use wire::{
    Enriched, Event, EventKind, Subject, Submitted, event::MessageData, frame::Outgoing,
    message::Head,
};

use crate::{Row, decide::DraftedMessage};

pub(crate) fn outcome(
    now: Timestamp,
    message: &Submitted,
    entry: &DraftedMessage,
    row: &Row,
) -> Outcome {
    match row {
        Row::New => {
            let stored = as_stored(now, message, entry);
            said(&stored, message.head.clone(), entry, &entry.draft.text, &entry.passport)
        }
        Row::Known(existing) => again(message, entry, existing),
        Row::Conflict(existing, seen) => {
            Outcome::Emit(vec![rejected(message, existing, entry, *seen)])
        }
        // Its row vanished between two statements: say nothing that no row backs.
        Row::None => Outcome::DONE,
    }
}

/// Says again what was stored. The first recorded change of a later stage raises the version: from
/// then on the message has been heard, and its acceptance alone is said again, which may not have
/// been. A message that was redriven has a higher version from the start: there it has not been
/// heard while no gate has decided in this turn, or the last word is its own.
fn again(message: &Submitted, entry: &DraftedMessage, existing: &Existing) -> Outcome {
    let row = &existing.message;
    let last_word = existing.passport.stamps().last().is_some_and(|stamp| stamp.stage == "enrich");
    let heard = row.version > 1 && row.state != MessageState::Accepted && !last_word;
    if row.turn > message.head.turn {
        return Outcome::DONE;
    }
    if heard {
        let accepted = acceptance(existing).and_then(|first| first.event());
        return Outcome::Emit(accepted.iter().map(Event::outgoing).collect());
    }
    // `on_late` is this message's own: another one would be another body.
    let head = Head {
        submitted_at: existing.submitted_at,
        expires_at: existing.expires_at,
        turn: row.turn,
        ..message.head.clone()
    };
    said(row, head, entry, &existing.text, &existing.passport)
}

/// The row as it was when it was accepted, but for what the carrier has counted since; none for one
/// that never was.
fn acceptance(existing: &Existing) -> Option<StoredMessage> {
    let first = existing.passport.stamps().first()?;
    (first.stage == "enrich" && first.verdict == "accept").then(|| StoredMessage {
        state: MessageState::Accepted,
        sender: None,
        billed: false,
        gate: None,
        code: None,
        due: None,
        version: 1,
        changed_at: first.at,
        ..existing.message.clone()
    })
}

/// The event of the row, and the message itself unless it failed. Place and candidates are the
/// entry's: they are facts of now, not decisions.
fn said(
    row: &StoredMessage,
    head: Head,
    entry: &DraftedMessage,
    text: &str,
    passport: &Passport,
) -> Outcome {
    let mut say = Vec::with_capacity(2);
    if row.state == MessageState::Accepted {
        let lane = head.class.lane();
        let enriched = Enriched {
            head,
            contact: row.contact,
            text: text.into(),
            segments: row.segments,
            cost: row.cost,
            place: entry.draft.place.clone(),
            senders: entry.draft.senders.clone(),
            passport: passport.clone(),
        };
        say.push(Outgoing::new(Subject::Enriched(lane), &enriched));
    }
    say.extend(row.event().map(|event| event.outgoing()));
    Outcome::Emit(say)
}

fn as_stored(now: Timestamp, message: &Submitted, entry: &DraftedMessage) -> StoredMessage {
    let head = &message.head;
    StoredMessage {
        tenant: head.tenant.clone(),
        id: head.id,
        turn: head.turn,
        state: entry.state(),
        class: head.class,
        contact: entry.contact,
        campaign: head.campaign,
        sender: None,
        billed: false,
        segments: entry.draft.segments,
        cost: entry.draft.cost,
        gate: None,
        code: entry.draft.failed.map(Into::into),
        due: None,
        version: 1,
        changed_at: now,
    }
}

/// A second body under an id that exists. The event is that body's own, the first version of it,
/// and says only what no later change of the first one touches: a repeat is the same event.
fn rejected(
    message: &Submitted,
    existing: &Existing,
    entry: &DraftedMessage,
    seen: Timestamp,
) -> Outgoing {
    let row = &existing.message;
    let data = MessageData {
        message: row.id,
        state: MessageState::Accepted,
        turn: message.head.turn,
        class: row.class,
        contact: row.contact,
        campaign: row.campaign,
        sender: None,
        segments: 0,
        cost: Micros(0),
        gate: None,
        code: Some("other_body".into()),
        until: None,
    };
    let body = conflict_id(row.id, &entry.body_hash);
    Event::new(EventKind::MessageRejected, &row.tenant, body, 1, seen, &data).outgoing()
}
