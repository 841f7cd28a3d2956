//! The gauge of parked messages, by what they wait for.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault};
use store::{Store, parked::release};

/// How often the parked messages are counted.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// Counts the parked messages now and then.
pub(crate) struct ParkedGauge {
    /// Machine time of the last count.
    counted_at: Mutex<Timestamp>,
}

impl ParkedGauge {
    /// A gauge that is due at once.
    pub(crate) fn new() -> Self {
        Self { counted_at: Mutex::new(Timestamp::MIN) }
    }

    /// Sets the gauge, where the last count is long enough ago.
    pub(crate) async fn set(&self, store: &Store, cx: &Cx) -> Result<(), Fault> {
        if !self.is_due(cx) {
            return Ok(());
        }

        let (due, held) = release::parked(store).await?;
        metrics::gauge!("millrace_parked_messages", "until" => "due").set(due as f64);
        metrics::gauge!("millrace_parked_messages", "until" => "cause").set(held as f64);
        Ok(())
    }

    /// Whether it is time for a count; then the next one is due a while later.
    fn is_due(&self, cx: &Cx) -> bool {
        let mut counted_at = self.counted_at.lock().unwrap_or_else(PoisonError::into_inner);
        if cx.machine.duration_since(*counted_at) < COUNT_EVERY {
            return false;
        }
        *counted_at = cx.machine;
        true
    }
}
