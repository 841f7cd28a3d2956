//! Enrich: makes a message complete: contact, text, segments, cost, place, candidate senders; and
//! stores it, once.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.submitted.<lane>` |
//! | Emits | `msg.enriched.<lane>`; events message.accepted, failed, rejected, cancelled |
//! | Reads | `tenants`, `contacts`, `campaigns`, `template_versions`, `pools`, `senders` |
//! | Writes | `messages`, `contacts` and `standings` that are missing, `message_conflicts`; takes `cancel_marks` |
//! | Calls | nobody |
//! | Never | changes a row that has a text; renders a stored message a second time |
//!
//! A message that cannot be rendered (unknown template or campaign, a variable without value and
//! fallback, too many segments) has been accepted, so it is stored as `failed` with the code, and
//! `message.failed` says so. `message.rejected` is for a second body under an id that exists: the
//! first stands, the second is listed in `message_conflicts`.
//!
//! A message that was cancelled before it came here has a mark: it is stored as `cancelled`, and
//! `message.cancelled` says so. Its row and its mark never stand side by side.
//!
//! A repeat says again what was stored, until a later stage has recorded something; then nothing.

pub mod decide;
mod reopened;
mod say;

use domain::{
    ids::{ContactId, MessageId, TenantId},
    message::class::Channel,
    phone::PhoneNumber,
};
use jiff::Timestamp;
use stage::{Batch, Cause, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Scoped, Store,
    drafts::{self as rows, ContactKey, ContactOnFile},
    messages::{
        cancel,
        enrich::{self, Existing, NewMessage},
    },
};
use wire::{Stream, Submitted};

use decide::{DraftedMessage, entry, origin};

/// The enrich stage.
pub struct EnrichStage {
    store: Store,
}

impl EnrichStage {
    /// An enrich over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for EnrichStage {
    const NAME: StageName = StageName::Enrich;
    const FROM: Stream = Stream::Submitted;
    type In = Submitted;

    async fn handle(&self, cx: &Cx, batch: Batch<Submitted>) -> Result<(), Fault> {
        let messages = batch.items();
        let mut tx = self.store.scoped(messages.iter().map(|one| &one.head.tenant)).await?;
        let contacts: Vec<ContactId> = messages
            .iter()
            .map(|one| ContactId::of(&one.head.tenant, one.head.to.as_str()))
            .collect();
        let keys: Vec<ContactKey<'_>> = messages
            .iter()
            .zip(&contacts)
            .map(|(one, contact)| contact_key(one, *contact))
            .collect();
        let found = rows::contacts(&mut tx, &keys).await?;
        let supplies = rows::supplies(&mut tx, cx.now, messages.iter().map(origin)).await?;

        let entries: Vec<Result<DraftedMessage, Cause>> = messages
            .iter()
            .zip(found.iter().zip(&contacts))
            .map(|(one, (found, contact))| entry(cx.now, one, *contact, found, &supplies))
            .collect();
        make_contacts(&mut tx, cx.now, &keys, &found).await?;
        let entries = obey_cancels(&mut tx, cx.now, messages, entries).await?;
        let rows = store_messages(&mut tx, cx.now, messages, &entries).await?;
        tx.commit().await.map_err(store::fault)?;

        for (at, (entry, row)) in entries.iter().zip(&rows).enumerate() {
            let outcome = match entry {
                Err(cause) => Outcome::Dead { cause: *cause },
                Ok(entry) => say::outcome(cx.now, &messages[at], entry, row),
            };
            batch.answer(at, outcome);
        }
        Ok(())
    }
}

/// What became of one message's row.
enum Row {
    /// It was stored now.
    New,
    /// It was stored before.
    Known(Existing),
    /// It was stored before, with another body; first seen then.
    Conflict(Existing, Timestamp),
    /// Nothing was stored: a dead letter.
    None,
}

fn contact_key(message: &Submitted, contact: ContactId) -> ContactKey<'_> {
    ContactKey {
        tenant: &message.head.tenant,
        contact,
        number: message.head.to,
        channel: message.head.channel,
        fields: message.content.is_template(),
    }
}

/// Makes the contacts and recipient statuses that are missing.
async fn make_contacts(
    tx: &mut Scoped,
    now: Timestamp,
    keys: &[ContactKey<'_>],
    found: &[ContactOnFile],
) -> Result<(), Fault> {
    let both = || keys.iter().zip(found);
    let contacts: Vec<ContactKey<'_>> =
        both().filter(|(_, found)| found.contact.is_none()).map(|(key, _)| *key).collect();
    enrich::insert_contacts(tx, now, &contacts).await?;

    let recipients: Vec<(&TenantId, PhoneNumber, Channel)> = both()
        .filter(|(_, found)| !found.recipient)
        .map(|(key, _)| (key.tenant, key.number, key.channel))
        .collect();
    enrich::insert_recipients(tx, &recipients).await
}

/// Turns what its tenant has withdrawn already into what is to be stored of it.
async fn obey_cancels(
    tx: &mut Scoped,
    now: Timestamp,
    messages: &[Submitted],
    entries: Vec<Result<DraftedMessage, Cause>>,
) -> Result<Vec<Result<DraftedMessage, Cause>>, Fault> {
    let storable = messages.iter().zip(&entries).filter(|(_, entry)| entry.is_ok());
    let keys: Vec<_> = storable.map(|(message, _)| key(message)).collect();
    let marked = cancel::take_marks(tx, &keys).await?;
    if marked.is_empty() {
        return Ok(entries);
    }
    let both = messages.iter().zip(entries);
    let obeyed = both.map(|(message, entry)| {
        let is_marked = marked.contains(&(message.head.tenant.clone(), message.head.id));
        if is_marked { entry.map(|entry| entry.cancelled(now)) } else { entry }
    });
    Ok(obeyed.collect())
}

/// Stores what is new, reads back what was there, and lists second bodies.
async fn store_messages(
    tx: &mut Scoped,
    now: Timestamp,
    messages: &[Submitted],
    entries: &[Result<DraftedMessage, Cause>],
) -> Result<Vec<Row>, Fault> {
    let mut rows: Vec<Row> = entries.iter().map(|_| Row::None).collect();
    let storable: Vec<(usize, &DraftedMessage)> = entries
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| Some((at, entry.as_ref().ok()?)))
        .collect();
    let new: Vec<NewMessage<'_>> =
        storable.iter().map(|(at, entry)| entry.row(&messages[*at])).collect();
    let inserted = enrich::insert_messages(tx, now, &new).await?;

    let (fresh, known): (Vec<_>, Vec<_>) =
        storable.into_iter().zip(inserted).partition(|(_, inserted)| *inserted);
    for ((at, _), _) in fresh {
        rows[at] = Row::New;
    }
    let keys: Vec<_> = known.iter().map(|((at, _), _)| key(&messages[*at])).collect();
    let existing = enrich::existing(tx, &keys).await?;
    let (mut conflicts, mut reopened) = (Vec::new(), Vec::new());
    for (((at, entry), _), existing) in known.into_iter().zip(existing) {
        match existing {
            Some(existing) if reopened::has_no_text(&messages[at], &existing) => {
                reopened.push((at, entry));
            }
            // A row that was made for a dead letter may not know its body.
            Some(existing)
                if existing.body_hash == entry.body_hash || existing.body_hash.is_empty() =>
            {
                rows[at] = Row::Known(existing);
            }
            Some(existing) => conflicts.push((at, entry, existing)),
            // Deleted between two statements: nothing deletes messages.
            None => {}
        }
    }
    let seconds: Vec<_> = conflicts
        .iter()
        .map(|(at, entry, _)| {
            let (tenant, message) = key(&messages[*at]);
            (tenant, message, entry.body_hash.clone())
        })
        .collect();
    for (at, existing) in reopened::fill(tx, now, messages, &reopened).await? {
        rows[at] = Row::Known(existing);
    }
    let first_seen = enrich::insert_conflicts(tx, now, &seconds).await?;
    for ((at, _, existing), seen) in conflicts.into_iter().zip(first_seen) {
        rows[at] = Row::Conflict(existing, seen);
    }
    Ok(rows)
}

fn key(message: &Submitted) -> (&TenantId, MessageId) {
    (&message.head.tenant, message.head.id)
}
