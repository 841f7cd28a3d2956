//! Receipts that came before their message: kept without one, applied when it is there.

use domain::ids::TenantId;
use stage::Fault;
use store::messages::receipt::unmatched;
use uuid::Uuid;
use wire::frame::Outgoing;

use crate::{
    missing_receipts::ReceiptPoller,
    receipts::{Reports, record::apply, report::Report},
};

/// Receipts looked at in one tick.
const AT_MOST: i64 = 256;

/// What was applied.
#[derive(Default)]
pub(super) struct Early {
    /// Its events.
    pub(super) say: Vec<Outgoing>,
    /// The receipts, to be deleted once that is said.
    pub(super) matched: Vec<(TenantId, Uuid)>,
}

impl ReceiptPoller {
    /// Applies kept receipts whose message is there.
    pub(super) async fn apply_early(&self) -> Result<Early, Fault> {
        let kept = unmatched::lease(&self.store, AT_MOST).await?;
        if kept.is_empty() {
            return Ok(Early::default());
        }
        let ids: Vec<(TenantId, Uuid)> =
            kept.iter().map(|one| (one.tenant.clone(), one.id)).collect();
        let mut reports = Reports::new();
        for (i, kept) in kept.into_iter().enumerate() {
            // One of a carrier that this version does not know waits for a newer one.
            let Some(report) = Report::of_kept(kept) else { continue };
            let key = (report.tenant.clone(), report.message);
            reports.entry(key).or_default().push((i, report));
        }
        let mut tx = self.store.scoped(reports.keys().map(|key| &key.0)).await?;
        let (said, rows) = apply(&mut tx, &mut reports).await?;
        tx.commit().await.map_err(store::fault)?;
        let matched = reports
            .into_iter()
            .filter(|(key, _)| rows.contains_key(key))
            .flat_map(|(_, of_message)| of_message)
            .map(|(i, _)| ids[i].clone())
            .collect();
        Ok(Early { say: said.into_values().flatten().collect(), matched })
    }
}
