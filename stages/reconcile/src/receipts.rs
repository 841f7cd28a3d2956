//! The stage that reads receipts: read, merged under the rows' locks, recorded, said.

pub(crate) mod merge;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod taken;

use std::{collections::BTreeMap, time::Duration};

use domain::ids::{MessageId, TenantId};
use stage::{Batch, Cause, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    messages::receipt::unmatched::{self, Unmatched},
};
use wire::{Stream, WebhookRequest, frame::Outgoing};

use self::{
    record::{Said, apply},
    report::{Report, Unusable},
};

/// The stage that reads receipts.
pub struct ReceiptStage {
    store: Store,
}

/// The receipts of one batch by message, in key order, with their places in the batch.
pub(crate) type Reports = BTreeMap<(TenantId, MessageId), Vec<(usize, Report)>>;

impl ReceiptStage {
    /// A reconciler over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for ReceiptStage {
    const NAME: StageName = StageName::Reconcile;
    const FROM: Stream = Stream::Carrier;
    type In = WebhookRequest;
    const LINGER: Duration = Duration::from_millis(20);

    async fn handle(&self, cx: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        // load
        let mut reports = read(&batch);
        if reports.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.scoped(reports.keys().map(|key| &key.0)).await?;

        // decide and record, under the rows' locks
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

        // say
        metrics::counter!("millrace_receipts_unmatched_total").increment(unmatched.len() as u64);
        for (index, say) in by_request(&reports, &mut events) {
            batch.answer(index, Outcome::Emit(say));
        }
        Ok(())
    }
}

/// Reads the batch; what says nothing about a message of ours is answered here.
fn read(batch: &Batch<WebhookRequest>) -> Reports {
    let mut reports = Reports::new();
    for (index, request) in batch.items().iter().enumerate() {
        match report::read(request) {
            Ok(of_request) => {
                for report in of_request {
                    let key = (report.tenant.clone(), report.message);
                    reports.entry(key).or_default().push((index, report));
                }
            }
            Err(why @ (Unusable::NoReference | Unusable::OtherTenant)) => {
                drop_report(why.label());
                batch.answer(index, Outcome::DONE);
            }
            Err(why @ (Unusable::UnknownCarrier | Unusable::Unreadable(_))) => {
                batch.answer(index, Outcome::Dead { cause: Cause(why.label()) });
            }
        }
    }
    reports
}

/// What each request of the batch has to say. The first of a message's receipts says what all of
/// them made.
fn by_request(reports: &Reports, events: &mut Said) -> BTreeMap<usize, Vec<Outgoing>> {
    let mut says: BTreeMap<usize, Vec<Outgoing>> = BTreeMap::new();
    for (key, of_message) in reports {
        let mut say = events.remove(key).unwrap_or_default();
        for (index, _) in of_message {
            says.entry(*index).or_default().append(&mut say);
        }
    }
    says
}

fn drop_report(cause: &'static str) {
    metrics::counter!("millrace_receipts_dropped_total", "cause" => cause).increment(1);
}
