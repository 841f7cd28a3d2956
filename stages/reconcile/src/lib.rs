//! Reconcile: what carriers report becomes the state of messages. Never lower, in any order.
//!
//! | | |
//! |---|---|
//! | Consumes | `carrier.<carrier>.<account>.status` and `.mixed`; `dead.<stage>.<tenant>` ([`Dead`]) |
//! | Emits | `events.<tenant>.message.sent`, `.delivered`, `.failed`, `.read`, `.cancelled`, |
//! | | `events.<tenant>.contact.opted_out`; [`Sweep`] also `events.<tenant>.message.deferred`, |
//! | | `.unknown`; owes `in_doubt.raised` |
//! | Reads | `messages`, `tenants`; [`Sweep`] and [`Watch`] also `senders`, `carrier_accounts`, |
//! | | `policies`, `contacts` |
//! | Writes | `messages`, `parked`, `standings`, `consents`, `counters`, `doubts`, `taken_sids`, |
//! | | `receipt_watches`, `unmatched_receipts`, `unsaid_events`; takes `cancel_marks`, |
//! | | `open_claims` |
//! | Calls | nobody; [`Sweep`] the carrier's list of texts, [`Watch`] its record of a text |
//! | Never | lowers a state, sends, or gives the reservation of what a carrier took back: it is |
//! | | billed, delivered or not; takes a list or a record that it could not read for an answer |
//!
//! A receipt names its message by the reference in its address, so it settles a call in doubt, and
//! a call whose answer was lost. Receipts of one message that come together are folded here; a row
//! is locked, merged and written once per batch. A repeat says nothing, unless it is the receipt
//! that made the stored state: whoever recorded that may have died before saying it. One about a
//! message that has no row is kept until there is one.

mod carrier;
mod dead;
mod merge;
mod record;
mod report;
mod sweep;
mod taken;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use domain::ids::{MessageId, TenantId};
use stage::{Batch, Cause, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    messages::receipt::unmatched::{self, Unmatched},
};
use wire::{Stream, WebhookRequest};

pub use crate::{
    dead::Dead,
    sweep::{Sweep, SweepConfig},
    watch::{RECEIPT_FETCH, RECEIPT_HORIZON, Watch, WatchConfig},
};
use crate::{
    record::apply,
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

    async fn handle(&self, cx: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        let mut reports = read(&batch);
        if reports.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.scoped(reports.keys().map(|key| &key.0)).await?;
        let (mut events, rows) = apply(&mut tx, &mut reports).await?;
        let unmatched: Vec<Unmatched> = reports
            .iter()
            .filter(|(key, _)| !rows.contains_key(*key))
            .flat_map(|(_, of_message)| of_message)
            .map(|(index, report)| report.unmatched(batch.items()[*index].id))
            .collect();
        if !unmatched.is_empty() {
            unmatched::keep(&mut tx, cx.now, &unmatched).await?;
        }
        tx.commit().await.map_err(store::fault)?;

        metrics::counter!("millrace_receipts_unmatched_total").increment(unmatched.len() as u64);
        for (key, of_message) in reports {
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
