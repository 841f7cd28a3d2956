//! What enrich says about a message: made from the row, so that a repeat says the same.

use domain::{
    ids::conflict_id,
    message::{passport::Passport, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use stage::{Cause, Outcome};
use store::messages::{enrich::Existing, row::StoredMessage};
use wire::{
    Enriched, Event, EventKind, Subject, Submitted,
    event::MessageData,
    frame::Outgoing,
    message::{CarrierTemplate, Head},
};

use crate::{
    decide::DraftedMessage,
    item::{Item, RowOutcome},
};

/// What is published of one item.
pub(crate) fn outcome(now: Timestamp, item: &Item<'_>) -> Outcome {
    let message = item.found.message;
    let drafted = match &item.drafted {
        Ok(drafted) => drafted,
        Err(cause) => return Outcome::Dead { cause: *cause },
    };

    match &item.row {
        RowOutcome::New => {
            let row = as_stored(now, message, drafted);
            let (head, text) = (message.head.clone(), &drafted.draft.text);
            message_and_event(&row, head, message, drafted, text, &drafted.passport)
        }
        RowOutcome::Known(existing) => again(message, drafted, existing),
        RowOutcome::Conflict { first, seen_at } => {
            Outcome::Emit(vec![rejected(message, drafted, first.as_ref(), *seen_at)])
        }
        // Its row vanished between two statements: enrich says nothing that no row backs.
        RowOutcome::Absent => Outcome::DONE,
    }
}

/// Re-emits what is stored. Once a later stage has changed the row its events are out; only
/// `message.accepted` is repeated, because that publish may have been lost.
fn again(message: &Submitted, drafted: &DraftedMessage, existing: &Existing) -> Outcome {
    let row = &existing.message;
    if row.turn > message.head.turn {
        return Outcome::DONE;
    }
    if has_gone_on(existing) {
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
    message_and_event(row, head, message, drafted, &existing.text, &existing.passport)
}

/// Whether a later stage has had the message, so that what enrich publishes has reached it. The
/// first change by a later stage raises the version above 1. A redriven message begins above 1: a
/// later stage has had it once its state is another in this turn, and enrich's stamp is no longer
/// the last.
fn has_gone_on(existing: &Existing) -> bool {
    let row = &existing.message;
    let last = existing.passport.stamps().last();
    let is_last_of_enrich = last.is_some_and(|stamp| stamp.stage == "enrich");
    row.version > 1 && row.state != MessageState::Accepted && !is_last_of_enrich
}

/// The row as it was when it was accepted, with the segments and the cost that the carrier has
/// counted since; none for a message that never was accepted.
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

/// The message on its way to the gates, unless it failed, and the event of its row. Place and
/// candidates are the draft's: they are facts of now, not decisions. Media and the carrier's
/// template are the message's own: with others it would be another body. The values of a campaign's
/// template are those that were stored, whatever the person is called by now.
fn message_and_event(
    row: &StoredMessage,
    head: Head,
    message: &Submitted,
    drafted: &DraftedMessage,
    text: &str,
    passport: &Passport,
) -> Outcome {
    let mut say = Vec::with_capacity(2);
    if row.state == MessageState::Accepted {
        let lane = head.class.lane();
        let template = match template_of(drafted, text) {
            Ok(template) => template,
            Err(cause) => return Outcome::Dead { cause },
        };
        let enriched = Enriched {
            head,
            contact: row.contact,
            text: text.into(),
            media: message.content.media().to_vec(),
            template,
            segments: row.segments,
            cost: row.cost,
            place: drafted.draft.place.clone(),
            senders: drafted.draft.senders.clone(),
            placed: None,
            passport: passport.clone(),
        };

        say.push(Outgoing::new(Subject::Enriched(lane), &enriched));
    }

    say.extend(row.event().map(|event| event.outgoing()));
    Outcome::Emit(say)
}

/// The carrier's template that a stored text shows.
///
/// # Errors
/// The text does not tell its values apart, and the person has no others any more.
fn template_of(drafted: &DraftedMessage, text: &str) -> Result<Option<CarrierTemplate>, Cause> {
    let Some(template) = &drafted.draft.carrier else { return Ok(None) };
    if template.shown() == text {
        return Ok(Some(template.clone()));
    }
    match (template.shown_as(text), drafted.draft.failed) {
        (Some(stored), _) => Ok(Some(stored)),
        (None, None) => Ok(Some(template.clone())),
        (None, Some(_)) => Err(Cause("unreadable_template")),
    }
}

/// The row that this batch has stored, without reading it back.
fn as_stored(now: Timestamp, message: &Submitted, drafted: &DraftedMessage) -> StoredMessage {
    let head = &message.head;
    StoredMessage {
        tenant: head.tenant.clone(),
        id: head.id,
        turn: head.turn,
        state: drafted.state(),
        class: head.class,
        contact: drafted.contact,
        campaign: head.campaign,
        sender: None,
        billed: false,
        segments: drafted.draft.segments,
        cost: drafted.draft.cost,
        gate: None,
        code: drafted.draft.failed.map(Into::into),
        due: None,
        version: 1,
        changed_at: now,
    }
}

/// The event of a second body: under an id that exists, or of a batch under a key that is taken. It
/// is named by that body, and says only what no later change of the first one touches: a repeat is
/// the same event.
fn rejected(
    message: &Submitted,
    drafted: &DraftedMessage,
    first: Option<&Existing>,
    seen_at: Timestamp,
) -> Outgoing {
    let head = &message.head;
    let row = first.map(|first| &first.message);
    let data = MessageData {
        message: head.id,
        state: MessageState::Accepted,
        turn: head.turn,
        class: row.map_or(head.class, |row| row.class),
        contact: row.map_or(drafted.contact, |row| row.contact),
        campaign: row.map_or(head.campaign, |row| row.campaign),
        sender: None,
        segments: 0,
        cost: Micros(0),
        gate: None,
        code: Some("other_body".into()),
        until: None,
    };

    let body = conflict_id(head.id, &drafted.body_hash);
    Event::new(EventKind::MessageRejected, &head.tenant, body, 1, seen_at, &data).outgoing()
}
