//! Writes what was drafted: people that are missing, cancels that were waiting, message rows.

use domain::{address::Address, ids::TenantId, message::class::Channel};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    drafts::ContactKey,
    messages::{
        cancel,
        enrich::{self, Existing, NewMessage},
    },
};

use crate::{
    batches,
    item::{Item, RowOutcome, Storable, key},
    reopened,
};

/// Records a batch, and notes in each item what became of its row.
pub(crate) async fn record(
    tx: &mut Scoped,
    now: Timestamp,
    items: &mut [Item<'_>],
) -> Result<(), Fault> {
    make_contacts(tx, now, items).await?;
    obey_cancels(tx, now, items).await?;

    let storable: Vec<Storable<'_>> = items.iter_mut().filter_map(Item::storable).collect();
    let (storable, of_others) = batches::part(tx, now, storable).await?;
    let mut known = store_new(tx, now, storable).await?;
    known.extend(of_others);
    compare(tx, now, known).await
}

/// Makes the contacts and recipient statuses that are missing.
async fn make_contacts(tx: &mut Scoped, now: Timestamp, items: &[Item<'_>]) -> Result<(), Fault> {
    let found = || items.iter().map(|item| &item.found);

    let contacts: Vec<ContactKey<'_>> =
        found().filter(|found| found.on_file.contact.is_none()).map(|found| found.person).collect();
    enrich::insert_contacts(tx, now, &contacts).await?;

    let recipients: Vec<(&TenantId, &Address, Channel)> = found()
        .filter(|found| !found.on_file.recipient)
        .map(|found| (found.person.tenant, found.person.address, found.person.channel))
        .collect();
    enrich::insert_recipients(tx, &recipients).await
}

/// Takes the marks of messages that their tenant has cancelled already, and drafts these messages
/// as cancelled.
async fn obey_cancels(
    tx: &mut Scoped,
    now: Timestamp,
    items: &mut [Item<'_>],
) -> Result<(), Fault> {
    let storable = items.iter().filter(|item| item.drafted.is_ok());
    let keys: Vec<_> = storable.map(|item| key(item.found.message)).collect();
    let marked = cancel::take_marks(tx, &keys).await?;
    if marked.is_empty() {
        return Ok(());
    }

    for item in items {
        let (tenant, message) = key(item.found.message);
        if marked.contains(&(tenant.clone(), message))
            && let Ok(drafted) = &mut item.drafted
        {
            drafted.cancel(now);
        }
    }
    Ok(())
}

/// Stores the messages that have no row. Gives those that have one already.
async fn store_new<'i>(
    tx: &mut Scoped,
    now: Timestamp,
    storable: Vec<Storable<'i>>,
) -> Result<Vec<Storable<'i>>, Fault> {
    let rows: Vec<NewMessage<'_>> = storable.iter().map(Storable::new_row).collect();
    let inserted = enrich::insert_messages(tx, now, &rows).await?;

    let mut known = Vec::new();
    for (one, is_new) in storable.into_iter().zip(inserted) {
        if is_new {
            *one.row = RowOutcome::New;
        } else {
            known.push(one);
        }
    }
    Ok(known)
}

/// Reads the rows that were there before. One that waits for its first text gets it, one that holds
/// the same body is known, and another body under its id is listed as a conflict.
async fn compare(tx: &mut Scoped, now: Timestamp, known: Vec<Storable<'_>>) -> Result<(), Fault> {
    let keys: Vec<_> = known.iter().map(Storable::key).collect();
    let rows = enrich::existing(tx, &keys).await?;

    let (mut reopened, mut conflicts) = (Vec::new(), Vec::new());
    for (one, row) in known.into_iter().zip(rows) {
        match row {
            Some(row) if reopened::has_no_text(one.message, &row) => reopened.push(one),
            Some(row) if is_same_body(&one, &row) => *one.row = RowOutcome::Known(row),
            Some(row) => conflicts.push((one, Some(row))),
            // Of a batch whose key another one has: nothing of it is stored.
            None if one.message.batch.is_some() => conflicts.push((one, None)),
            // Deleted between two statements: nothing deletes messages.
            None => {}
        }
    }

    reopened::fill(tx, now, reopened).await?;
    list_conflicts(tx, now, conflicts).await
}

/// A row that was made for a dead letter may not know its body: then any body is its own.
fn is_same_body(one: &Storable<'_>, row: &Existing) -> bool {
    row.body_hash == one.drafted.body_hash || row.body_hash.is_empty()
}

/// Lists second bodies: under ids that exist, and of batches under a key that is taken. The first
/// body stands.
async fn list_conflicts(
    tx: &mut Scoped,
    now: Timestamp,
    conflicts: Vec<(Storable<'_>, Option<Existing>)>,
) -> Result<(), Fault> {
    let seconds: Vec<_> = conflicts
        .iter()
        .map(|(one, _)| {
            let (tenant, message) = one.key();
            (tenant, message, one.drafted.body_hash.clone())
        })
        .collect();
    let seen_at = enrich::insert_conflicts(tx, now, &seconds).await?;

    for ((one, first), seen_at) in conflicts.into_iter().zip(seen_at) {
        *one.row = RowOutcome::Conflict { first, seen_at };
    }
    Ok(())
}
