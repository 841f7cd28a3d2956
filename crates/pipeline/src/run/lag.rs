//! What one consumer has before it: polled from the broker every few seconds, for the lag gauges
//! and for `/readyz`.

use std::{sync::Arc, time::Duration};

use stage::machine;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::runtime::Runtime;
use crate::{
    backlog::{Backlog, ask, first_stored},
    broker::Broker,
    consumers::ConsumerSpec,
    measure::Measure,
    progress::Meter,
};
/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(5);

/// Keeps the lag gauges of a consumer current until the handle is dropped.
pub(super) fn watch(
    runtime: &Runtime,
    spec: &'static ConsumerSpec,
    measure: &Measure,
    meter: &Arc<Meter>,
) -> AbortOnDropHandle<()> {
    let (broker, measure, meter) = (runtime.broker.clone(), measure.clone(), Arc::clone(meter));
    let watching = async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            survey(&broker, spec, &measure, &meter).await;
        }
    };
    AbortOnDropHandle::new(tokio::spawn(watching))
}

/// Sets the gauges once; leaves them as they are where the broker does not answer.
async fn survey(broker: &Broker, spec: &ConsumerSpec, measure: &Measure, meter: &Meter) {
    let Some(Backlog { pending, unacked, floor, .. }) = ask(broker, spec).await else { return };
    meter.pend(pending);
    measure.lag.set((pending + unacked) as f64);

    let oldest = match meter.oldest() {
        Some(held) => Some(held),
        None if pending + unacked == 0 => None,
        // Of a frame that this process holds, the meter knows.
        None => first_stored(broker, spec, floor).await,
    };
    let now = i64::try_from(machine::now().as_nanosecond()).unwrap_or(i64::MAX);
    let age = oldest.map_or(0, |stored| now.saturating_sub(stored).max(0));
    measure.oldest.set(Duration::from_nanos(age.unsigned_abs()).as_secs_f64());
}
