//! What receipts make of messages, written down: rows are locked, merged and written once, what was
//! parked or in doubt is let go, and the events of it are said.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use domain::{
    ids::{MessageId, TenantId},
    message::{passport::Stamp, state::MessageState},
};
use stage::{Fault, StageName};
use store::{
    Scoped,
    messages::{
        in_doubt,
        receipt::{self, Merged, Reported, poll},
        row::StoredMessage,
    },
    recipients::opt_out::{self, CarrierOptOut},
};
use wire::{Event, frame::Outgoing};

use crate::{
    receipts::Reports,
    receipts::{
        merge::{Change, is_watched, merge},
        report::Report,
        taken,
    },
};

/// A message that a receipt is about.
pub(crate) type Key = (TenantId, MessageId);

/// What there is to say about each message.
pub(crate) type Said = BTreeMap<Key, Vec<Outgoing>>;

/// Merges receipts into the rows that they are about. Answers the events, and the rows as they were
/// found: a message that is not among them has none.
///
/// # Errors
/// An outage.
pub(crate) async fn apply(
    tx: &mut Scoped,
    reports: &mut Reports,
) -> Result<(Said, HashMap<Key, Reported>), Fault> {
    let keys: Vec<Key> = reports.keys().cloned().collect();
    let mut rows = receipt::lock(tx, &keys).await?;
    taken::redirect(tx, reports, &mut rows).await?;
    let mut merged = Vec::with_capacity(reports.len());
    for (key, of_message) in reports.iter() {
        if let Some(row) = rows.get(key) {
            let told: Vec<&Report> = of_message.iter().map(|(_, report)| report).collect();
            merged.push((key, row, merge(row, &told)));
        }
    }
    let said = record(tx, &merged).await?;
    Ok((said, rows))
}

/// Writes what has changed, and gives the events of what has changed or must be said again.
///
/// # Errors
/// An outage.
pub(crate) async fn record(
    tx: &mut Scoped,
    merged: &[(&Key, &Reported, Change<'_>)],
) -> Result<Said, Fault> {
    merged.iter().for_each(|(_, row, change)| notice(row, change));
    let changed: Vec<_> = merged
        .iter()
        .filter(|(_, _, change)| change.raised_by.is_some() || change.sid.is_some())
        .collect();
    let stamps: Vec<Stamp> = changed.iter().map(|(_, row, change)| stamp(row, change)).collect();
    let rows: Vec<Merged<'_>> = changed
        .iter()
        .zip(&stamps)
        .map(|((key, row, change), stamp)| written(key, row, change, stamp))
        .collect();
    let stored = if rows.is_empty() { Vec::new() } else { receipt::write(tx, &rows).await? };
    let parked: Vec<(&TenantId, MessageId)> = changed
        .iter()
        .filter(|(_, row, change)| change.raised_by.is_some() && row.message.state.is_parked())
        .map(|(key, ..)| (&key.0, key.1))
        .collect();
    if !parked.is_empty() {
        receipt::unpark(tx, &parked).await?;
    }
    let doubted: Vec<(&TenantId, MessageId)> = changed
        .iter()
        .filter(|(_, row, change)| ends_doubt(row, change))
        .map(|(key, ..)| (&key.0, key.1))
        .collect();
    if !doubted.is_empty() {
        in_doubt::forget(tx, &doubted).await?;
    }
    let unwatched: Vec<(&TenantId, MessageId)> = changed
        .iter()
        .filter(|(_, row, change)| change.raised_by.is_some() && !is_watched(row, change.state))
        .map(|(key, ..)| (&key.0, key.1))
        .collect();
    poll::watch(tx, &unwatched, Duration::ZERO).await?;
    // Not on a repeat: the person may have come back since.
    let opted_out: Vec<CarrierOptOut<'_>> = changed
        .iter()
        .filter(|(_, _, change)| change.raised_by.is_some())
        .filter_map(|(_, row, change)| opt_out(row, change))
        .collect();
    if !opted_out.is_empty() {
        opt_out::opt_out(tx, &opted_out).await?;
    }

    let mut said = Said::new();
    for ((key, row, change), now) in changed.iter().zip(&stored) {
        if change.raised_by.is_some() {
            said.insert((*key).clone(), events(row, change, now.as_ref().unwrap_or(&row.message)));
        }
    }
    for (key, row, change) in merged.iter().filter(|(_, _, change)| change.repeats) {
        said.insert((*key).clone(), events(row, change, &row.message));
    }
    Ok(said)
}

fn written<'a>(key: &'a Key, row: &Reported, change: &Change<'a>, stamp: &'a Stamp) -> Merged<'a> {
    Merged {
        tenant: &key.0,
        message: key.1,
        state: change.state,
        raised: change.raised_by.is_some(),
        code: change.raised_by.and_then(|report| report.code).map(|code| code.to_string()),
        sid: change.sid,
        at: change.raised_by.map_or(row.message.changed_at, |report| report.at),
        stamp,
    }
}

fn stamp(row: &Reported, change: &Change<'_>) -> Stamp {
    let at = change.raised_by.map_or(row.message.changed_at, |report| report.at);
    let code = change.raised_by.and_then(|report| report.code);
    Stamp {
        code: code.map(|code| code.to_string()),
        reason: code.zip(change.carrier).map(|(code, of)| of.cause(code).cause.to_owned()),
        ..Stamp::plain(StageName::Reconcile.as_str(), at, change.state.as_str())
    }
}

/// The opt-out that a failed receipt tells of, whether it is new or said again.
fn opt_out<'a>(row: &'a Reported, change: &Change<'_>) -> Option<CarrierOptOut<'a>> {
    if change.state != MessageState::Failed {
        return None;
    }
    let stored = || row.message.code.as_deref().and_then(|code| code.parse().ok());
    let (code, at) = match change.raised_by {
        Some(report) => (report.code?, report.at),
        None if change.repeats => (stored()?, row.message.changed_at),
        None => return None,
    };
    change.carrier?.cause(code).opt_out.then(|| CarrierOptOut {
        tenant: &row.message.tenant,
        message: row.message.id,
        contact: row.message.contact,
        number: &row.number,
        channel: row.channel,
        code,
        at,
        by: StageName::Reconcile.as_str(),
    })
}

fn events(row: &Reported, change: &Change<'_>, stored: &StoredMessage) -> Vec<Outgoing> {
    let told = opt_out(row, change).map(|told| told.event());
    stored.event().iter().chain(&told).map(Event::outgoing).collect()
}

/// Whether a receipt tells how a call in doubt ended.
fn ends_doubt(row: &Reported, change: &Change<'_>) -> bool {
    row.message.state == MessageState::InDoubt && change.raised_by.is_some()
}

/// What a person should know of.
fn notice(row: &Reported, change: &Change<'_>) {
    if change.second_sid {
        metrics::counter!("millrace_second_texts_total").increment(1);
        let (tenant, message) = (&row.message.tenant, row.message.id);
        tracing::error!(%tenant, %message, "the carrier has two texts of one message");
    }
    if ends_doubt(row, change) {
        metrics::counter!("millrace_in_doubt_resolved_total", "by" => "callback").increment(1);
    }
}
