//! Rollup: events become totals, each counted once.
//!
//! | | |
//! |---|---|
//! | Consumes | `events.>` |
//! | Emits | `analytics.<tenant>.<scope>[.<id>]` (by the source [`TotalsPublisher`]) |
//! | Reads | `counted_messages`, `total_heads`, `totals` |
//! | Writes | `counted_messages`, `counted_events`, `totals`, `total_heads` |
//! | Calls | nobody |
//! | Never | relies on the order of events, or on seeing each of them once |

pub mod count;
mod publish;

use std::{collections::HashMap, time::Duration};

use count::{Tally, TotalChange, TotalSums};
use domain::ids::TenantId;
pub use publish::TotalsPublisher;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Scoped, Store,
    analytics::rollup::{self, Counted},
};
use uuid::Uuid;
use wire::{Event, Stream};

/// The stage that counts.
pub struct RollupStage {
    store: Store,
}

impl RollupStage {
    /// A rollup over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for RollupStage {
    const NAME: StageName = StageName::Rollup;
    const FROM: Stream = Stream::Events;
    type In = Event;
    const LINGER: Duration = Duration::from_millis(50);

    async fn handle(&self, _: &Cx, batch: Batch<Event>) -> Result<(), Fault> {
        let tally = Tally::of(batch.items());
        let mut tx = self.store.scoped(tally.tenants()).await?;
        let mut sums = TotalSums::default();
        count_messages(&mut tx, &tally, &mut sums).await?;
        count_others(&mut tx, &tally, &mut sums).await?;
        let (deltas, moved) = sums.finish();
        rollup::add(&mut tx, &deltas, &moved).await?;
        tx.commit().await.map_err(store::fault)?;
        for index in 0..batch.items().len() {
            batch.answer(index, Outcome::DONE);
        }
        Ok(())
    }
}

/// Counts each message's latest state: all of it the first time, the difference later.
async fn count_messages(tx: &mut Scoped, tally: &Tally, sums: &mut TotalSums) -> Result<(), Fault> {
    let latest: Vec<Counted> = tally.messages.iter().map(|m| m.counted.clone()).collect();
    let first = rollup::count_first(tx, &latest).await?;
    for &index in &first {
        sums.add(&TotalChange { old: None, new: &tally.messages[index] });
    }
    if first.len() == latest.len() {
        return Ok(());
    }
    let is_first: std::collections::HashSet<usize> = first.into_iter().collect();
    let rest = || (0..latest.len()).filter(|index| !is_first.contains(index));
    let keys: Vec<(&TenantId, Uuid)> =
        rest().map(|index| (&latest[index].tenant, latest[index].message)).collect();
    let known = rollup::counted(tx, &keys).await?;
    let known: HashMap<(TenantId, Uuid), Counted> =
        known.into_iter().map(|row| ((row.tenant.clone(), row.message), row)).collect();
    let mut raised = Vec::new();
    for index in rest() {
        let new = &tally.messages[index];
        let key = (new.counted.tenant.clone(), new.counted.message);
        let Some(old) = known.get(&key).filter(|old| old.version < new.counted.version) else {
            continue;
        };
        sums.add(&TotalChange { old: Some(old), new });
        raised.push(new.counted.clone());
    }
    rollup::recount(tx, &raised).await
}

/// Counts every other event once.
async fn count_others(tx: &mut Scoped, tally: &Tally, sums: &mut TotalSums) -> Result<(), Fault> {
    if tally.others.is_empty() {
        return Ok(());
    }
    let keys: Vec<(&TenantId, Uuid)> =
        tally.others.iter().map(|other| (&other.tenant, other.event)).collect();
    let new = rollup::count_events(tx, &keys).await?;
    for other in tally.others.iter().filter(|other| new.contains(&other.event)) {
        sums.add_other(other);
    }
    Ok(())
}
