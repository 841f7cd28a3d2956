//! The gauge of parked messages, by what they wait for.

use jiff::SignedDuration;
use stage::{Cx, Fault, machine::NowAndThen};
use store::{Store, parked::release};

/// How often the parked messages are counted.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// Counts the parked messages now and then.
pub(crate) struct ParkedGauge(NowAndThen);

impl ParkedGauge {
    /// A gauge that is due at once.
    pub(crate) fn new() -> Self {
        Self(NowAndThen::new(COUNT_EVERY))
    }

    /// Sets the gauge, where the last count is long enough ago.
    pub(crate) async fn set(&self, store: &Store, cx: &Cx) -> Result<(), Fault> {
        if !self.0.is_due(cx.machine) {
            return Ok(());
        }

        let (due, held) = release::parked(store).await?;
        metrics::gauge!("millrace_parked_messages", "until" => "due").set(due as f64);
        metrics::gauge!("millrace_parked_messages", "until" => "cause").set(held as f64);
        Ok(())
    }
}
