//! How full a stream is, and how much of it one of our own consumers has not read. Whoever fills a
//! stream stops while unread entries pass half of its limit: what is read makes room, so that a
//! full stream means a reader that is away.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{Info as Consumer, PullConsumer},
    stream::{Info, Stream as FoundStream},
};
use tokio::{sync::watch, time::interval};
use tokio_util::task::AbortOnDropHandle;
use wire::stream::Stream;

use crate::{
    backlog::first_entry,
    broker::Broker,
    consumers::{CONSUMERS, ConsumerSpec, is_missing},
};

/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(2);

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// How many bytes it holds.
    pub bytes: u64,
    /// How many bytes it may hold.
    pub limit: u64,
    /// How many entries it holds.
    pub entries: u64,
    /// The sequence of the oldest entry.
    pub first: u64,
    /// The sequence of the newest entry.
    pub last: u64,
    /// When the oldest entry was stored, in seconds since 1970.
    pub oldest: i64,
    /// The lowest sequence that one of our own consumers may not have read; one more than the last
    /// where all have read everything.
    pub unread_from: u64,
}

impl Fill {
    /// Bytes that are not read, as if all entries were alike.
    pub fn unread_bytes(&self) -> u64 {
        let unread = (self.last + 1).saturating_sub(self.unread_from.max(self.first));
        let share = unread as f64 / self.entries.max(1) as f64;
        (self.bytes as f64 * share.min(1.0)) as u64
    }

    /// Whether what is unread passes half of the limit.
    pub fn is_half_unread(&self) -> bool {
        self.unread_bytes() > self.limit / 2
    }

    /// Whether three quarters of the limit are used.
    pub fn is_nearly_full(&self) -> bool {
        self.bytes > self.limit / 4 * 3
    }
}

/// Asks the broker about a stream; none where it does not answer.
pub async fn fill(broker: &Broker, stream: Stream) -> Option<Fill> {
    // The stream first: what its consumers are asked about is there by then.
    let found = broker.api.get_stream(stream.name()).await.ok()?;
    let Info { state, config, .. } = found.cached_info();
    let all_read = state.last_sequence + 1;

    let mut unread_from = all_read;
    for spec in CONSUMERS.iter().filter(|spec| spec.stream == stream) {
        let lowest = lowest_unread(broker, &found, spec, state.first_sequence).await?;
        unread_from = unread_from.min(lowest.unwrap_or(all_read));
    }

    Some(Fill {
        bytes: state.bytes,
        limit: u64::try_from(config.max_bytes).unwrap_or(u64::MAX),
        entries: state.messages,
        first: state.first_sequence,
        last: state.last_sequence,
        oldest: state.first_timestamp.unix_timestamp(),
        unread_from,
    })
}

/// The lowest sequence that a consumer may not have read; the inner none where it has read all. A
/// consumer that is not declared yet has read nothing.
async fn lowest_unread(
    broker: &Broker,
    stream: &FoundStream,
    spec: &ConsumerSpec,
    first: u64,
) -> Option<Option<u64>> {
    let found = broker.api.get_consumer_from_stream(spec.name, spec.stream.name()).await;
    let found: Result<PullConsumer, _> = found;
    let unread_after = match found {
        Ok(consumer) => unread_after(consumer.cached_info()),
        Err(why) if is_missing(&why) => return Some(Some(first)),
        Err(_) => return None,
    };
    let Some(sequence) = unread_after else { return Some(None) };

    // What others read in between is not unread.
    let first = first_entry(stream, spec, sequence + 1).await.ok()?;
    Some(first.map(|entry| entry.sequence))
}

/// The sequence after which a consumer may not have read something. Both stand still while nothing
/// that it reads is stored: without anything pending, nothing is unread.
fn unread_after(consumer: &Consumer) -> Option<u64> {
    if consumer.num_ack_pending > 0 {
        return Some(consumer.ack_floor.stream_sequence);
    }
    (consumer.num_pending > 0).then_some(consumer.delivered.stream_sequence)
}

/// Watches streams until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    /// The streams of which more than half is unread.
    over: watch::Receiver<Vec<Stream>>,
    _watching: AbortOnDropHandle<()>,
}

impl Room {
    pub(crate) fn watch(broker: &Broker, by: &'static str, streams: &'static [Stream]) -> Self {
        let (say, over) = watch::channel(Vec::new());
        let broker = broker.clone();
        let watching = async move {
            let mut ticks = interval(EVERY);
            loop {
                ticks.tick().await;

                let mut found = say.borrow().clone();
                for &stream in streams {
                    // Where the broker does not answer, what was known of it holds.
                    let Some(fill) = fill(&broker, stream).await else { continue };
                    found.retain(|known| *known != stream);
                    found.extend(fill.is_half_unread().then_some(stream));
                }

                say.send_if_modified(|known| {
                    let changed = *known != found;
                    if changed {
                        tell(by, &found);
                        *known = found;
                    }
                    changed
                });
            }
        };
        Self { over, _watching: AbortOnDropHandle::new(tokio::spawn(watching)) }
    }

    /// Whether none of the streams is more than half unread.
    pub(crate) fn is_there(&self) -> bool {
        self.over.borrow().is_empty()
    }

    /// Whether more than half of this stream is unread.
    pub(crate) fn lacks(&self, stream: Stream) -> bool {
        self.over.borrow().contains(&stream)
    }
}

fn tell(by: &'static str, over: &[Stream]) {
    let names: Vec<&str> = over.iter().map(|stream| stream.name()).collect();
    if names.is_empty() {
        tracing::info!(by, "streams have room again");
    } else {
        let streams = names.join(", ");
        tracing::warn!(by, streams, "more than half is unread: nothing is added until it is less");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Fill =
        Fill { bytes: 100, limit: 100, entries: 10, first: 1, last: 10, oldest: 0, unread_from: 6 };

    #[test]
    fn more_than_half_is_unread_by_bytes_of_the_limit() {
        assert_eq!((HALF.unread_bytes(), HALF.is_half_unread()), (50, false));

        let more = Fill { unread_from: 5, ..HALF };
        assert_eq!((more.unread_bytes(), more.is_half_unread()), (60, true));
        assert!(!Fill { limit: 1_000, ..more }.is_half_unread());
    }

    #[test]
    fn what_all_have_read_and_what_is_gone_is_not_unread() {
        assert_eq!(Fill { unread_from: 11, ..HALF }.unread_bytes(), 0);
        assert_eq!(Fill { unread_from: 0, ..HALF }.unread_bytes(), 100);
        let empty = Fill { bytes: 0, entries: 0, first: 11, last: 10, unread_from: 11, ..HALF };
        assert!(!empty.is_half_unread() && !empty.is_nearly_full());
    }
}
