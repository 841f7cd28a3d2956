//! Counts on their way to whoever folds them: what statements have recorded of the messages that
//! they moved, said as `counts.moved`. What is not folded in time is said again.

use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    analytics::counts::{self, DueCounts},
};
use wire::{Event, EventKind, Stream, frame::Outgoing};

/// How many groups one tick tells of at most.
const AT_MOST: i64 = 2_048;

/// The source that tells of counts. Any number of processes may run it.
pub struct CountsTeller {
    store: Store,
}

impl CountsTeller {
    /// A teller over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Source for CountsTeller {
    const NAME: StageName = StageName::Rollup;
    const FILLS: &'static [Stream] = &[Stream::Events];

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load; what the broker does not store is due again
        let due = counts::take(&self.store, cx.machine, AT_MOST).await?;

        // how far behind the totals are
        let oldest = due.iter().map(|group| group.as_of).min().unwrap_or(cx.now);
        let behind = cx.now.duration_since(oldest).as_secs_f64().max(0.0);
        metrics::gauge!("millrace_counts_behind_seconds").set(behind);

        // say
        let say = due.iter().map(outgoing).collect();
        Ok(Tick { say, published: None, more: due.len() as i64 == AT_MOST })
    }
}

/// The event of one group. The group names it, so that a repeat is the same event.
fn outgoing(due: &DueCounts) -> Outgoing {
    let DueCounts { tenant, as_of, counts } = due;
    Event::new(EventKind::CountsMoved, tenant, counts.group, 1, *as_of, counts).outgoing()
}
