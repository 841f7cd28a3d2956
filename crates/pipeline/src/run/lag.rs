//! What one consumer has before it: polled from the broker every few seconds, for the lag gauges
//! and for `/readyz`.

use std::{sync::Arc, time::Duration};

use stage::machine;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::runtime::Runtime;
use crate::{
    backlog::{Backlog, ask},
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
        None => first_after(broker, spec, floor).await,
    };
    let now = i64::try_from(machine::now().as_nanosecond()).unwrap_or(i64::MAX);
    let age = oldest.map_or(0, |stored| now.saturating_sub(stored).max(0));
    measure.oldest.set(Duration::from_nanos(age.unsigned_abs()).as_secs_f64());
}

/// When the first frame that is not acked was stored, in nanoseconds. For a frame that this process
/// does not hold: of those it holds the meter knows.
async fn first_after(broker: &Broker, spec: &ConsumerSpec, floor: u64) -> Option<i64> {
    let stream = broker.api.get_stream_no_info(spec.stream.name()).await.ok()?;

    let mut oldest: Option<i64> = None;
    for filter in spec.filters {
        let Ok(first) = stream.get_first_raw_message_by_subject(filter, floor + 1).await else {
            continue;
        };
        let stored = i64::try_from(first.time.unix_timestamp_nanos()).ok()?;
        oldest = Some(oldest.map_or(stored, |before| before.min(stored)));
    }
    oldest
}
