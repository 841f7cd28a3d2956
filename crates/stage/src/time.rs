//! The times that a stage may read: business time, which a sandbox may drive, and machine time.

use std::sync::Arc;

use jiff::Timestamp;

use crate::machine;

/// Tells business time, which only goes forward. The runtime reads it once per batch.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The times that a stage may know beside its messages.
#[derive(Clone)]
pub struct Cx {
    /// Business time, read once for the whole batch.
    pub now: Timestamp,
    /// Machine time, read once for the whole batch: for leases alone.
    pub machine: Timestamp,
    clock: Clock,
}

impl Cx {
    /// The times that the two clocks tell now.
    pub fn read(clock: &Clock) -> Self {
        Self { now: clock(), machine: machine::now(), clock: Arc::clone(clock) }
    }

    /// Times that stand still, for tests.
    pub fn at(now: Timestamp, machine: Timestamp) -> Self {
        Self { now, machine, clock: Arc::new(move || now) }
    }

    /// Business time by now: for what a stage decides after it has waited within the batch.
    pub fn later(&self) -> Timestamp {
        (self.clock)()
    }
}
