//! Receipts that came before their message: kept without one, applied when it is there.

use domain::ids::TenantId;
use stage::Fault;
use store::{Store, messages::receipt::unmatched};
use uuid::Uuid;
use wire::frame::Outgoing;

use crate::receipts::{
    decide, load,
    record::record,
    report::{Report, Reports},
    say,
};

/// The most receipts that one tick looks at.
const AT_MOST: i64 = 256;

/// What became of receipts whose message is there by now.
#[derive(Default)]
pub(super) struct Early {
    /// The events that they make.
    pub(super) say: Vec<Outgoing>,
    /// The receipts, to be deleted once that is said.
    pub(super) matched: Vec<(TenantId, Uuid)>,
}

/// Applies kept receipts whose message is there.
pub(super) async fn apply_early(store: &Store) -> Result<Early, Fault> {
    // load
    let kept = unmatched::lease(store, AT_MOST).await?;
    if kept.is_empty() {
        return Ok(Early::default());
    }
    let ids: Vec<(TenantId, Uuid)> = kept.iter().map(|one| (one.tenant.clone(), one.id)).collect();

    let mut reports = Reports::new();
    for (index, kept) in kept.into_iter().enumerate() {
        // A receipt of a carrier that this version does not know waits for a newer version.
        let Some(report) = Report::of_kept(kept) else { continue };
        let key = (report.tenant.clone(), report.message);
        reports.entry(key).or_default().push((index, report));
    }
    let (mut tx, rows, prices) = load::begin(store, &mut reports).await?;

    // decide
    let merged = decide::merge_all(&rows, &reports, &prices);

    // record
    let stored = record(&mut tx, &merged).await?;
    tx.commit().await.map_err(store::fault)?;

    // say
    let events = say::events(&merged, &stored);
    let matched = reports
        .iter()
        .filter(|(key, _)| rows.contains_key(*key))
        .flat_map(|(_, of_message)| of_message)
        .map(|(index, _)| ids[*index].clone())
        .collect();
    Ok(Early { say: events.into_values().flatten().collect(), matched })
}
