//! Work that is due later, in one sorted map of 5 ms slots, which costs less per text than a timer
//! each. `worker` does it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::job::Job;

/// The width of a slot in milliseconds: work is up to this much late.
const SLOT_MS: u64 = 5;

/// All planned work.
pub(crate) struct Schedule {
    plan: Mutex<Plan>,
    /// Wakes the worker for work that is due before what it waits for.
    sooner: Notify,
    start: Instant,
    /// Jobs planned and not yet done.
    open: AtomicU64,
}

struct Plan {
    slots: BTreeMap<u64, Vec<Job>>,
    /// The slot that the worker waits for.
    awaited: u64,
}

impl Schedule {
    pub(crate) fn new() -> Self {
        Self {
            plan: Mutex::new(Plan { slots: BTreeMap::new(), awaited: u64::MAX }),
            sooner: Notify::new(),
            start: Instant::now(),
            open: AtomicU64::new(0),
        }
    }

    /// Plans a job.
    pub(crate) fn add(&self, after: Duration, job: Job) {
        let due = self.start.elapsed() + after;
        let slot = (due.as_millis() as u64).div_ceil(SLOT_MS);
        self.open.fetch_add(1, Ordering::Relaxed);

        let sooner = {
            let mut plan = self.plan();
            plan.slots.entry(slot).or_default().push(job);
            slot < plan.awaited
        };
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// Jobs planned and not yet done.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Drops all planned work.
    pub(crate) fn clear(&self) {
        let dropped = std::mem::take(&mut self.plan().slots);
        let count: usize = dropped.values().map(Vec::len).sum();
        self.open.fetch_sub(count as u64, Ordering::Relaxed);
    }

    /// Takes out the jobs that are due, and tells when the next one is.
    pub(crate) fn take_due(&self) -> (Vec<Job>, Option<Instant>) {
        let now = self.start.elapsed().as_millis() as u64 / SLOT_MS;
        let mut plan = self.plan();
        let later = plan.slots.split_off(&(now + 1));
        let due = std::mem::replace(&mut plan.slots, later);

        let next = plan.slots.first_key_value().map(|(slot, _)| *slot);
        plan.awaited = next.unwrap_or(u64::MAX);
        let next_at = next.map(|slot| self.start + Duration::from_millis(slot * SLOT_MS));
        (due.into_values().flatten().collect(), next_at)
    }

    /// One of the jobs that were taken out is done.
    pub(crate) fn done(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until that instant, or until a job is planned that is due sooner.
    pub(crate) async fn wait(&self, next_at: Option<Instant>) {
        match next_at {
            Some(instant) => tokio::select! {
                () = sleep_until(instant) => {}
                () = self.sooner.notified() => {}
            },
            None => self.sooner.notified().await,
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
