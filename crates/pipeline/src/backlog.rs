//! What a consumer has before it, as the broker tells.

use async_nats::jetstream::{
    consumer::PullConsumer,
    message::StreamMessage,
    stream::{RawMessageError, RawMessageErrorKind, Stream as FoundStream},
};
use domain::message::class::Lane;
use stage::StageName;
use wire::stream::Stream;

use crate::{
    broker::Broker,
    consumers::{ConsumerSpec, consumers_of},
};

/// What a consumer has before it, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Frames that are not delivered to anybody.
    pub pending: u64,
    /// Frames that are delivered and not acked.
    pub unacked: u64,
    /// The sequence up to which everything is acked.
    pub floor: u64,
    /// The last sequence that was delivered to anybody.
    pub delivered: u64,
    /// Deliveries up to which everything is acked, of this consumer alone.
    pub acked: u64,
    /// Of those delivered and not acked, frames that were delivered more than once.
    pub redelivered: u64,
}

/// Asks the broker; none where it does not answer.
pub async fn ask(broker: &Broker, spec: &ConsumerSpec) -> Option<Backlog> {
    let found = broker.api.get_consumer_from_stream(spec.name, spec.stream.name()).await;
    let consumer: PullConsumer = found.ok()?;
    let info = consumer.cached_info();

    let (pending, unacked) = (info.num_pending, info.num_ack_pending as u64);
    let (floor, delivered) = (info.ack_floor.stream_sequence, info.delivered.stream_sequence);
    let (acked, redelivered) = (info.ack_floor.consumer_sequence, info.num_redelivered as u64);
    Some(Backlog { pending, unacked, floor, delivered, acked, redelivered })
}

/// When the first frame after a sequence was stored that a consumer reads, in nanoseconds since
/// 1970; none where there is none.
pub async fn first_stored(broker: &Broker, spec: &ConsumerSpec, floor: u64) -> Option<i64> {
    let stream = broker.api.get_stream_no_info(spec.stream.name()).await.ok()?;
    let first = first_entry(&stream, spec, floor + 1).await.ok()??;
    i64::try_from(first.time.unix_timestamp_nanos()).ok()
}

/// The first entry from a sequence on that a consumer reads; none where there is none.
pub(crate) async fn first_entry<I>(
    stream: &FoundStream<I>,
    spec: &ConsumerSpec,
    from: u64,
) -> Result<Option<StreamMessage>, RawMessageError> {
    let mut first: Option<StreamMessage> = None;
    for filter in spec.filters {
        let found = match stream.get_first_raw_message_by_subject(filter, from).await {
            Ok(entry) => entry,
            Err(why) if why.kind() == RawMessageErrorKind::NoMessageFound => continue,
            Err(why) => return Err(why),
        };
        if first.as_ref().is_none_or(|before| found.sequence < before.sequence) {
            first = Some(found);
        }
    }
    Ok(first)
}

/// What a work queue holds, by the sequences of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// The oldest entry that is not done with; one more than the newest where there is none.
    pub oldest: u64,
    /// The newest entry that there ever was.
    pub newest: u64,
}

/// What is in a work queue; none where the broker does not answer.
pub async fn queued(broker: &Broker, stream: Stream) -> Option<Queued> {
    let found = broker.api.get_stream(stream.name()).await.ok()?;
    let state = &found.cached_info().state;
    let newest = state.last_sequence;
    // A queue that has never held anything says 0.
    let oldest = if state.messages == 0 { newest + 1 } else { state.first_sequence };
    Some(Queued { oldest, newest })
}

/// The stages that every message goes through first.
const FIRST: [(StageName, Stream); 2] =
    [(StageName::Enrich, Stream::Submitted), (StageName::Gate, Stream::Enriched)];

/// What a new message of a lane stands behind at each of the stages that it goes through first.
/// Empty where the broker does not answer.
pub async fn before(broker: &Broker, lane: Lane) -> Vec<Backlog> {
    let mut before = Vec::with_capacity(FIRST.len());
    for (stage, stream) in FIRST {
        for spec in consumers_of(stage, &[stream]).filter(|spec| spec.lane == Some(lane)) {
            let Some(backlog) = ask(broker, spec).await else { return Vec::new() };
            before.push(backlog);
        }
    }
    before
}
