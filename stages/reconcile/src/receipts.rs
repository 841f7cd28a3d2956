//! The stage that reads receipts: read, merged under the rows' locks, recorded, said.

pub(crate) mod decide;
pub(crate) mod load;
mod nameless;
mod opt_out;
pub(crate) mod price;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod say;
pub(crate) mod taken;

use std::time::Duration;

use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    messages::receipt::unmatched::{self, Unmatched},
};
use wire::{Stream, WebhookRequest};

use crate::templates;

/// How long a receipt waits for others: each batch takes some ten statements, however many receipts
/// it has, and two receipts of one message in it are one update.
const LINGER: Duration = Duration::from_millis(60);

/// The stage that reads receipts.
pub struct ReceiptStage {
    store: Store,
}

impl ReceiptStage {
    /// A reconciler over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for ReceiptStage {
    const NAME: StageName = StageName::Reconcile;
    const FROM: &'static [Stream] = &[Stream::Carrier, Stream::Texts];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = WebhookRequest;
    const LINGER: Duration = LINGER;

    async fn handle(&self, cx: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        templates::tell(&self.store, cx, batch.items()).await?;

        // load
        let mut reports = load::read(&self.store, &batch).await?;
        if reports.is_empty() {
            return Ok(());
        }
        let (mut tx, rows, prices) = load::begin(&self.store, &mut reports).await?;

        // decide
        let merged = decide::merge_all(&rows, &reports, &prices);
        let unmatched: Vec<Unmatched> = reports
            .iter()
            .filter(|(key, _)| !rows.contains_key(*key))
            .flat_map(|(_, of_message)| of_message)
            .map(|(index, report)| report.unmatched(batch.items()[*index].id))
            .collect();

        // record
        let stored = record::record(&mut tx, &merged).await?;
        if !unmatched.is_empty() {
            unmatched::keep(&mut tx, cx.now, &unmatched).await?;
        }
        tx.commit().await.map_err(store::fault)?;

        // say
        merged.iter().for_each(record::notice);
        metrics::counter!("millrace_receipts_unmatched_total").increment(unmatched.len() as u64);
        let events = say::events(&merged, &stored);
        for (index, say) in say::by_request(&reports, events) {
            batch.answer(index, Outcome::Emit(say));
        }
        Ok(())
    }
}
