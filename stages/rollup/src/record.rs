//! Counts what a batch says: each message's latest state, and each other event, once.

use std::collections::{HashMap, HashSet};

use domain::ids::TenantId;
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    analytics::rollup::{self, Counted},
};
use uuid::Uuid;

use crate::{
    sums::TotalSums,
    tally::{Latest, Other, Tally},
};

/// Records what was counted, and adds it to the totals.
pub(crate) async fn record(tx: &mut Scoped, now: Timestamp, tally: &Tally) -> Result<(), Fault> {
    let mut sums = TotalSums::default();
    count_messages(tx, &tally.messages, &mut sums).await?;
    count_others(tx, now, &tally.others, &mut sums).await?;

    let (deltas, moved) = sums.finish();
    rollup::add(tx, &deltas, &moved).await
}

/// Counts each message's latest state: all of it the first time, the difference later.
async fn count_messages(
    tx: &mut Scoped,
    messages: &[Latest],
    sums: &mut TotalSums,
) -> Result<(), Fault> {
    let counted: Vec<Counted> = messages.iter().map(|latest| latest.counted.clone()).collect();
    let first = rollup::count_first(tx, &counted).await?;
    let first: HashSet<usize> = first.into_iter().collect();

    let mut later = Vec::new();
    for (index, latest) in messages.iter().enumerate() {
        if first.contains(&index) {
            sums.add(None, latest);
        } else {
            later.push(latest);
        }
    }
    count_differences(tx, &later, sums).await
}

/// Counts by how much messages differ from what was counted of them. An event that is not newer
/// than that changes nothing.
async fn count_differences(
    tx: &mut Scoped,
    later: &[&Latest],
    sums: &mut TotalSums,
) -> Result<(), Fault> {
    if later.is_empty() {
        return Ok(());
    }
    let keys: Vec<(&TenantId, Uuid)> = later.iter().map(|latest| key(&latest.counted)).collect();
    let counted = rollup::counted(tx, &keys).await?;
    let counted: HashMap<(&TenantId, Uuid), &Counted> =
        counted.iter().map(|row| (key(row), row)).collect();

    let mut raised = Vec::new();
    for latest in later {
        let new = &latest.counted;
        let old = counted.get(&key(new)).filter(|old| old.version < new.version);
        if let Some(old) = old {
            sums.add(Some(old), latest);
            raised.push(new.clone());
        }
    }
    rollup::recount(tx, &raised).await
}

/// Counts every other event, unless it was counted before.
async fn count_others(
    tx: &mut Scoped,
    now: Timestamp,
    others: &[Other],
    sums: &mut TotalSums,
) -> Result<(), Fault> {
    if others.is_empty() {
        return Ok(());
    }
    let keys: Vec<(&TenantId, Uuid)> =
        others.iter().map(|other| (&other.tenant, other.event)).collect();
    let new = rollup::count_events(tx, now, &keys).await?;

    for other in others.iter().filter(|other| new.contains(&other.event)) {
        sums.add_other(other);
    }
    Ok(())
}

/// Names a message: its tenant and its id.
fn key(counted: &Counted) -> (&TenantId, Uuid) {
    (&counted.tenant, counted.message)
}
