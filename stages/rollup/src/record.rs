//! Counts what a batch says: each group of moves, and each other event, once.

use std::collections::HashSet;

use domain::ids::TenantId;
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    analytics::{counts, outcomes, rollup, sender_days, timed},
};
use uuid::Uuid;

use crate::{
    sums::{Sums, TotalSums},
    tally::Tally,
};

/// Records what was counted, and adds it to the totals.
pub(crate) async fn record(tx: &mut Scoped, now: Timestamp, tally: &Tally) -> Result<(), Fault> {
    let mut sums = TotalSums::default();
    count_moves(tx, tally, &mut sums).await?;
    count_others(tx, now, tally, &mut sums).await?;

    let Sums { deltas, moved, timed, outcomes, days } = sums.finish();
    rollup::add(tx, &deltas, &moved).await?;
    timed::add(tx, &timed).await?;
    outcomes::add(tx, &outcomes).await?;
    sender_days::add(tx, &days).await
}

/// Counts the groups whose rows it removes: they are in no total so far.
async fn count_moves(tx: &mut Scoped, tally: &Tally, sums: &mut TotalSums) -> Result<(), Fault> {
    let keys: Vec<(&TenantId, Uuid)> =
        tally.moves.iter().map(|one| (&one.tenant, one.counts.group)).collect();
    let folded = counts::fold(tx, &keys).await?;

    for one in tally.moves.iter().filter(|one| folded.contains(&one.counts.group)) {
        sums.add(one);
    }
    Ok(())
}

/// Counts every other event, unless it was counted before.
async fn count_others(
    tx: &mut Scoped,
    now: Timestamp,
    tally: &Tally,
    sums: &mut TotalSums,
) -> Result<(), Fault> {
    if tally.others.is_empty() {
        return Ok(());
    }
    let keys: Vec<(&TenantId, Uuid)> =
        tally.others.iter().map(|other| (&other.tenant, other.event)).collect();
    let new: HashSet<Uuid> = rollup::count_events(tx, now, &keys).await?.into_iter().collect();

    for other in tally.others.iter().filter(|other| new.contains(&other.event)) {
        sums.add_other(other);
    }
    Ok(())
}
