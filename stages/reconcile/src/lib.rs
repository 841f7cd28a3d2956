//! Reconcile: what carriers report becomes the state of messages. Never lower, in any order.
//!
//! | | |
//! |---|---|
//! | Consumes | `carrier.<carrier>.<account>.status` and `.mixed`; `dead.<stage>.<tenant>` ([`Dead`]) |
//! | Emits | `events.<tenant>.message.sent`, `.delivered`, `.failed`, `.read`, `.cancelled`, |
//! | | `events.<tenant>.contact.opted_out`; [`Sweep`] also `events.<tenant>.in_doubt.raised`, |
//! | | `events.<tenant>.message.deferred`, `.unknown` |
//! | Reads | `messages`, `tenants`; [`Sweep`] also `senders`, `carrier_accounts`, `policies`, `contacts` |
//! | Writes | `messages`, `parked`, `standings`, `consents`, `counters`, `doubts`, `taken_sids`; |
//! | | takes `cancel_marks`, `open_claims` |
//! | Calls | nobody; [`Sweep`] the carrier's list of texts |
//! | Never | lowers a state, sends, or gives the reservation of what a carrier took back: it is |
//! | | billed, delivered or not; takes a list that it could not read for one without a text |
//!
//! A receipt names its message by the reference in its address, so it settles a call in doubt, and
//! a call whose answer was lost. Receipts of one message that come together are folded here; a row
//! is locked, merged and written once per batch. A repeat says nothing, unless it is the receipt
//! that made the stored state: whoever recorded that may have died before saying it.

mod dead;
mod merge;
mod report;
mod sweep;
mod taken;

use std::{collections::BTreeMap, time::Duration};

use carriers::twilio;
use domain::{
    ids::{MessageId, TenantId},
    passport::Stamp,
    state::MessageState,
};
use pipeline::{Batch, Cause, Cx, Fault, Outcome, Outgoing, Stage, StageName};
use store::{
    Scoped, Store,
    answers::{self, CarrierOptOut, StoredMessage},
    doubts,
    receipts::{self, Merged, Reported},
};
use wire::{Event, Stream, Subject, WebhookRequest};

pub use crate::{
    dead::Dead,
    sweep::{Sweep, SweepConfig},
};
use crate::{
    merge::{Change, merge, was_parked},
    report::{Report, Unusable},
};

/// The stage that reads receipts.
pub struct Reconcile {
    store: Store,
}

/// The receipts of one batch by message, in key order, with their places in the batch.
type Reports = BTreeMap<(TenantId, MessageId), Vec<(usize, Report)>>;

impl Reconcile {
    /// A reconciler over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for Reconcile {
    const NAME: StageName = StageName::Reconcile;
    const FROM: Stream = Stream::Carrier;
    type In = WebhookRequest;
    const LINGER: Duration = Duration::from_millis(20);

    async fn handle(&self, _: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        let mut reports = read(&batch);
        if reports.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.scoped(reports.keys().map(|key| &key.0)).await?;
        let keys: Vec<(TenantId, MessageId)> = reports.keys().cloned().collect();
        let mut rows = receipts::lock(&mut tx, &keys).await?;
        taken::redirect(&mut tx, &mut reports, &mut rows).await?;
        let mut merged = Vec::with_capacity(reports.len());
        for (key, of_message) in &reports {
            if let Some(row) = rows.get(key) {
                let told: Vec<&Report> = of_message.iter().map(|(_, report)| report).collect();
                let change = merge(row, &told);
                notice(row, &change);
                merged.push((key, row, change));
            }
        }
        let mut events = record(&mut tx, &merged).await?;
        tx.commit().await.map_err(store::fault)?;

        for (key, of_message) in reports {
            if !rows.contains_key(&key) {
                drop_report("message_unknown");
            }
            // The first of a message's receipts says what all of them made.
            let mut say = events.remove(&key).unwrap_or_default();
            for (index, _) in of_message {
                batch.answer(index, Outcome::Emit(std::mem::take(&mut say)));
            }
        }
        Ok(())
    }
}

/// Reads the batch; what says nothing about a message of ours is answered here.
fn read(batch: &Batch<WebhookRequest>) -> Reports {
    let mut reports = Reports::new();
    for (index, request) in batch.items().iter().enumerate() {
        match report::read(request) {
            Ok(report) => {
                let key = (report.tenant.clone(), report.message);
                reports.entry(key).or_default().push((index, report));
            }
            Err(why @ (Unusable::NoReference | Unusable::OtherTenant)) => {
                drop_report(why.label());
                batch.answer(index, Outcome::DONE);
            }
            Err(why @ Unusable::Unreadable(_)) => {
                batch.answer(index, Outcome::Dead { cause: Cause(why.label()) });
            }
        }
    }
    reports
}

fn drop_report(cause: &'static str) {
    metrics::counter!("millrace_receipts_dropped_total", "cause" => cause).increment(1);
}

type Said = BTreeMap<(TenantId, MessageId), Vec<Outgoing>>;

/// Writes what has changed, and gives the events of what has changed or must be said again.
async fn record(
    tx: &mut Scoped,
    merged: &[(&(TenantId, MessageId), &Reported, Change<'_>)],
) -> Result<Said, Fault> {
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
    let stored = if rows.is_empty() { Vec::new() } else { receipts::write(tx, &rows).await? };
    let parked: Vec<(&TenantId, MessageId)> = changed
        .iter()
        .filter(|(_, row, change)| change.raised_by.is_some() && was_parked(row.message.state))
        .map(|(key, ..)| (&key.0, key.1))
        .collect();
    if !parked.is_empty() {
        receipts::unpark(tx, &parked).await?;
    }
    let doubted: Vec<(&TenantId, MessageId)> = changed
        .iter()
        .filter(|(_, row, change)| ends_doubt(row, change))
        .map(|(key, ..)| (&key.0, key.1))
        .collect();
    if !doubted.is_empty() {
        doubts::forget(tx, &doubted).await?;
    }
    // Not on a repeat: the person may have come back since.
    let opted_out: Vec<CarrierOptOut<'_>> = changed
        .iter()
        .filter(|(_, _, change)| change.raised_by.is_some())
        .filter_map(|(_, row, change)| opt_out(row, change))
        .collect();
    if !opted_out.is_empty() {
        answers::opt_out(tx, &opted_out).await?;
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

fn written<'a>(
    key: &'a (TenantId, MessageId),
    row: &Reported,
    change: &Change<'a>,
    stamp: &'a Stamp,
) -> Merged<'a> {
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
        reason: code.map(|code| twilio::cause(code).cause.to_owned()),
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
    twilio::cause(code).opt_out.then(|| CarrierOptOut {
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
    stored.event().iter().chain(&told).map(outgoing).collect()
}

fn outgoing(event: &Event) -> Outgoing {
    Outgoing::new(Subject::Event(event.tenant.clone(), event.kind), event)
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
