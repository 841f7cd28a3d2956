//! What one consumer has before it: polled from the broker every few seconds, for the lag gauges
//! and for `/readyz`.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::consumer::PullConsumer;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::Runtime;
use crate::{broker::Broker, consumers::ConsumerSpec, measure::Measure, progress::Meter};
use stage::machine;

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
            let Some((pending, unacked, floor)) = ask(&broker, spec).await else { continue };
            meter.pend(pending);
            measure.lag.set((pending + unacked) as f64);
            let oldest = match meter.oldest() {
                Some(held) => Some(held),
                None if pending + unacked == 0 => None,
                None => first_after(&broker, spec, floor).await,
            };
            let now = i64::try_from(machine::now().as_nanosecond()).unwrap_or(i64::MAX);
            let age = oldest.map_or(0, |stored| now.saturating_sub(stored).max(0));
            measure.oldest.set(Duration::from_nanos(age.unsigned_abs()).as_secs_f64());
        }
    };
    AbortOnDropHandle::new(tokio::spawn(watching))
}

/// Frames not delivered, frames delivered and not acked, and the sequence below which all is acked.
async fn ask(broker: &Broker, spec: &ConsumerSpec) -> Option<(u64, u64, u64)> {
    let found = broker.api.get_consumer_from_stream(spec.name, spec.stream.name()).await;
    let consumer: PullConsumer = found.ok()?;
    let info = consumer.cached_info();
    Some((info.num_pending, info.num_ack_pending as u64, info.ack_floor.stream_sequence))
}

/// When the first frame that is not acked was stored, in nanoseconds: nothing of it is held here.
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
