//! Business time: what gates, schedules and events read. It is the machine's time unless the
//! sandbox clock drives it (`MILLRACE_SANDBOX=1`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What business time was at one machine instant, and how fast it runs from there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BusinessClock {
    /// The business instant that was set.
    pub now: Timestamp,
    /// The machine instant at which it was set.
    pub set_at: Timestamp,
    /// Business seconds per machine second: 0 stands still, 1 is real time, at most 86,400.
    pub rate: f64,
}

/// The fastest that business time may run: a day per second.
pub const MAX_RATE: f64 = 86_400.0;

impl BusinessClock {
    /// Business time at a machine instant. Never before the instant that was set.
    pub fn at(&self, machine: Timestamp) -> Timestamp {
        let elapsed = machine.duration_since(self.set_at).max(SignedDuration::ZERO);
        let moved = SignedDuration::try_from_secs_f64(elapsed.as_secs_f64() * self.rate)
            .unwrap_or(SignedDuration::MAX);
        self.now.checked_add(moved).unwrap_or(Timestamp::MAX)
    }
}
