//! Whether this process's consumers move, for `/readyz`. One does not while it has something to do
//! and no stage has answered anything for a while.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Whether the consumers of a process move. Clones share it.
#[derive(Clone, Debug)]
pub struct Progress {
    meters: Arc<Mutex<Vec<Arc<Meter>>>>,
    begun: Instant,
}

/// Why a process is not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMoving {
    /// The broker has no such consumer, or does not answer.
    #[error("consumer {0} is not there yet: has `millrace streams apply` run?")]
    Missing(&'static str),
    /// There is something to do and nothing was answered.
    #[error("consumer {consumer} has {waiting} waiting and answered nothing for {seconds} s")]
    Stuck {
        /// Its name at the broker.
        consumer: &'static str,
        /// Frames not delivered yet and frames held here.
        waiting: u64,
        /// How long the last answer is ago, in seconds.
        seconds: u64,
    },
}

impl Default for Progress {
    fn default() -> Self {
        Self { meters: Arc::default(), begun: Instant::now() }
    }
}

impl Progress {
    /// Whether every consumer of this process moves. `limit` is how long one may hold something
    /// without answering anything: longer than the slowest batch, 30 s is a good start.
    ///
    /// # Errors
    /// The first consumer that does not move.
    pub fn ready(&self, limit: Duration) -> Result<(), NotMoving> {
        let meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.iter().try_for_each(|meter| meter.ready(limit))
    }

    /// A meter for one more consumer.
    pub(crate) fn meter(&self, consumer: &'static str) -> Arc<Meter> {
        let meter = Arc::new(Meter::new(consumer, self.begun));
        self.meters.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&meter));
        meter
    }
}

/// Whether one consumer moves.
#[derive(Debug)]
pub(crate) struct Meter {
    consumer: &'static str,
    begun: Instant,
    /// Whether the broker has the consumer.
    found: AtomicBool,
    /// Frames that this process holds.
    held: AtomicUsize,
    /// Frames at the broker, not delivered yet.
    pending: AtomicU64,
    /// When the oldest frame held was published, in nanoseconds of machine time; `i64::MAX` where
    /// none is held.
    oldest: AtomicI64,
    /// Milliseconds after `begun` at which there was last nothing to do, or an answer.
    moved_at: AtomicU64,
}

impl Meter {
    fn new(consumer: &'static str, begun: Instant) -> Self {
        let meter = Self {
            consumer,
            begun,
            found: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            pending: AtomicU64::new(0),
            oldest: AtomicI64::new(i64::MAX),
            moved_at: AtomicU64::new(0),
        };
        meter.moved();
        meter
    }

    /// The broker has the consumer, or has it no more.
    pub(crate) fn found(&self, found: bool) {
        self.found.store(found, Relaxed);
    }

    /// A stage answered a message.
    pub(crate) fn moved(&self) {
        self.moved_at.store(millis(self.begun), Relaxed);
    }

    pub(crate) fn hold(&self, frames: usize) {
        self.begin_if_idle();
        self.held.store(frames, Relaxed);
    }

    pub(crate) fn pend(&self, frames: u64) {
        self.begin_if_idle();
        self.pending.store(frames, Relaxed);
    }

    pub(crate) fn set_oldest(&self, published: Option<i64>) {
        self.oldest.store(published.unwrap_or(i64::MAX), Relaxed);
    }

    pub(crate) fn oldest(&self) -> Option<i64> {
        Some(self.oldest.load(Relaxed)).filter(|&nanos| nanos != i64::MAX)
    }

    fn waiting(&self) -> u64 {
        self.pending.load(Relaxed) + self.held.load(Relaxed) as u64
    }

    /// The time without an answer counts from when there was first something to answer.
    fn begin_if_idle(&self) {
        if self.waiting() == 0 {
            self.moved();
        }
    }

    fn ready(&self, limit: Duration) -> Result<(), NotMoving> {
        if !self.found.load(Relaxed) {
            return Err(NotMoving::Missing(self.consumer));
        }

        let waiting = self.waiting();
        let still = millis(self.begun).saturating_sub(self.moved_at.load(Relaxed));
        if waiting > 0 && u128::from(still) > limit.as_millis() {
            let seconds = still / 1000;
            return Err(NotMoving::Stuck { consumer: self.consumer, waiting, seconds });
        }
        Ok(())
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    async fn after(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_is_ready_while_it_answers_or_has_nothing_to_do() {
        let progress = Progress::default();
        let meter = progress.meter("gate-bulk");
        assert_eq!(progress.ready(LIMIT), Err(NotMoving::Missing("gate-bulk")));

        meter.found(true);
        after(3600).await;
        assert_eq!(progress.ready(LIMIT), Ok(()));

        meter.hold(3);
        after(29).await;
        assert_eq!(progress.ready(LIMIT), Ok(()));

        meter.moved();
        after(29).await;
        assert_eq!(progress.ready(LIMIT), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_holds_work_and_answers_nothing_is_not_ready() {
        let progress = Progress::default();
        let meter = progress.meter("gate-bulk");
        meter.found(true);
        meter.pend(7);
        meter.hold(2);
        after(31).await;

        let stuck = NotMoving::Stuck { consumer: "gate-bulk", waiting: 9, seconds: 31 };
        assert_eq!(progress.ready(LIMIT), Err(stuck));

        meter.moved();
        assert_eq!(progress.ready(LIMIT), Ok(()));
    }
}
