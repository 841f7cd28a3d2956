//! Work that is due later: receipts, answers of people, retries. One task and one sorted map of
//! 5 ms slots, which costs less per text than a timer each.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::{app::App, courier::Delivery, twilio};

/// The width of a slot in milliseconds: work is up to this much late.
const SLOT_MS: u64 = 5;

/// After this many jobs the task lets others run.
const JOBS_PER_TURN: usize = 128;

/// One piece of work.
pub(crate) enum Job {
    /// A text takes its next step.
    Step(twilio::NextStep),
    /// A person sends a text.
    Say(twilio::Said),
    /// A callback is made, for the first time or again.
    Post(Box<Delivery>),
}

/// All planned work.
pub(crate) struct Schedule {
    plan: Mutex<Plan>,
    /// Wakes the task for work that is due before what it waits for.
    sooner: Notify,
    start: Instant,
    /// Jobs planned and not yet done.
    open: AtomicU64,
}

struct Plan {
    slots: BTreeMap<u64, Vec<Job>>,
    /// The slot that the task waits for.
    wakes_at: u64,
}

impl Schedule {
    pub(crate) fn new() -> Self {
        Self {
            plan: Mutex::new(Plan { slots: BTreeMap::new(), wakes_at: u64::MAX }),
            sooner: Notify::new(),
            start: Instant::now(),
            open: AtomicU64::new(0),
        }
    }

    pub(crate) fn add(&self, after: Duration, job: Job) {
        let due = self.start.elapsed() + after;
        let slot = (due.as_millis() as u64).div_ceil(SLOT_MS);
        self.open.fetch_add(1, Ordering::Relaxed);
        let sooner = {
            let mut plan = self.plan();
            plan.slots.entry(slot).or_default().push(job);
            slot < plan.wakes_at
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

    /// Does the work when it is due, until it is aborted.
    pub(crate) async fn run(app: Arc<App>) {
        let schedule = &app.schedule;
        loop {
            let (due, wakes_at) = schedule.take_due();
            for (count, job) in due.into_iter().enumerate() {
                perform(&app, job);
                schedule.open.fetch_sub(1, Ordering::Relaxed);
                if count % JOBS_PER_TURN == JOBS_PER_TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
            match wakes_at {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = schedule.sooner.notified() => {}
                },
                None => schedule.sooner.notified().await,
            }
        }
    }

    fn take_due(&self) -> (Vec<Job>, Option<Instant>) {
        let now = self.start.elapsed().as_millis() as u64 / SLOT_MS;
        let mut plan = self.plan();
        let later = plan.slots.split_off(&(now + 1));
        let due = std::mem::replace(&mut plan.slots, later);
        let next = plan.slots.first_key_value().map(|(slot, _)| *slot);
        plan.wakes_at = next.unwrap_or(u64::MAX);
        let wakes_at = next.map(|slot| self.start + Duration::from_millis(slot * SLOT_MS));
        (due.into_values().flatten().collect(), wakes_at)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn perform(app: &Arc<App>, job: Job) {
    match job {
        Job::Step(next) => twilio::take_step(app, next),
        Job::Say(said) => twilio::say(app, said),
        Job::Post(delivery) => app.courier.post(app, delivery),
    }
}
