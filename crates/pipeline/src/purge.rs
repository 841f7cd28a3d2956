//! Makes room: streams that are kept for a time lose their oldest entries once they are nearly
//! full, as far as our own consumers have read them; dead letters are bounded for each tenant and
//! stage.

use async_nats::jetstream::stream::Stream as Handle;
use futures::TryStreamExt;
use stage::{Cx, Dependency, Fault, Source, StageName, Tick};
use wire::stream::Stream;

use crate::{
    broker::Broker,
    room::{Fill, fill},
};

/// The streams that are kept for a time, whoever has read them.
const KEPT: [Stream; 3] = [Stream::Carrier, Stream::Texts, Stream::Events];

/// How many frames of dead letters one tenant keeps of one stage.
pub const LETTERS: u64 = 1_000;

/// The source that makes room. Any number of processes may run it.
#[derive(Debug)]
pub struct StreamPurge {
    broker: Broker,
}

impl StreamPurge {
    /// A source over this connection.
    pub fn new(broker: Broker) -> Self {
        Self { broker }
    }

    /// Takes the oldest quarter of a stream away, where it is nearly full: at most what everybody
    /// here has read. Says whether there is more to take.
    async fn make_room(&self, stream: Stream) -> Result<bool, Fault> {
        let Some(fill) = fill(&self.broker, stream).await else { return Ok(false) };
        tell(stream, &fill);
        let below = (fill.first + fill.entries.div_ceil(4)).min(fill.unread_from);
        if !fill.is_nearly_full() || below <= fill.first {
            return Ok(false);
        }

        let handle = self.handle(stream).await?;
        let purged = handle.purge().sequence(below).await.map_err(|why| away(&why))?.purged;
        metrics::counter!("millrace_stream_purged_total", "stream" => stream.name())
            .increment(purged);
        tracing::info!(stream = stream.name(), purged, "read entries made room");
        Ok(purged > 0)
    }

    /// Bounds the dead letters of each tenant and stage, and of all of them together: where DEAD is
    /// nearly full, whoever has most loses a quarter. Letters that are not written down yet stay.
    async fn bound_letters(&self) -> Result<bool, Fault> {
        let Some(fill) = fill(&self.broker, Stream::Dead).await else { return Ok(false) };
        tell(Stream::Dead, &fill);
        if fill.unread_from <= fill.last {
            return Ok(false);
        }

        let handle = self.handle(Stream::Dead).await?;
        let found = handle.info_with_subjects("dead.>").await.map_err(|why| away(&why))?;
        let found: Vec<(String, usize)> = found.try_collect().await.map_err(|why| away(&why))?;
        let most = found.iter().map(|(_, letters)| *letters as u64).max().unwrap_or_default();

        let mut dropped = 0;
        for (subject, letters) in found {
            let letters = letters as u64;
            let is_largest = fill.is_nearly_full() && letters == most;
            let keep = if is_largest { (letters / 4 * 3).min(LETTERS) } else { LETTERS };
            if letters > keep {
                dropped += drop_letters(&handle, &subject, keep).await?;
            }
        }
        Ok(dropped > 0)
    }

    async fn handle(&self, stream: Stream) -> Result<Handle<()>, Fault> {
        let found = self.broker.api.get_stream_no_info(stream.name()).await;
        found.map_err(|why| away(&why))
    }
}

impl Source for StreamPurge {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, _: &Cx) -> Result<Tick, Fault> {
        let mut more = self.bound_letters().await?;
        for stream in KEPT {
            more |= self.make_room(stream).await?;
        }
        Ok(Tick { more, ..Tick::default() })
    }
}

/// Drops the oldest frames of one tenant's letters of one stage, counts them and says so.
async fn drop_letters(handle: &Handle<()>, subject: &str, keep: u64) -> Result<u64, Fault> {
    let purge = handle.purge().filter(subject).keep(keep);
    let dropped = purge.await.map_err(|why| away(&why))?.purged;

    let mut parts = subject.split('.').skip(1);
    let stage = parts.next().unwrap_or_default().to_owned();
    let tenant = parts.next().unwrap_or_default();
    tracing::warn!(stage, tenant, dropped, "the oldest dead letters made room for newer ones");
    metrics::counter!("millrace_dead_letters_dropped_total", "stage" => stage).increment(dropped);
    Ok(dropped)
}

/// Sets the gauges of a stream.
fn tell(stream: Stream, fill: &Fill) {
    let labels = [("stream", stream.name())];
    metrics::gauge!("millrace_stream_bytes", &labels).set(fill.bytes as f64);
    metrics::gauge!("millrace_stream_limit_bytes", &labels).set(fill.limit as f64);
    metrics::gauge!("millrace_stream_unread_bytes", &labels).set(fill.unread_bytes() as f64);
    if fill.entries > 0 {
        metrics::gauge!("millrace_stream_oldest_timestamp_seconds", &labels)
            .set(fill.oldest as f64);
    }
}

fn away(why: &dyn std::fmt::Display) -> Fault {
    Fault::Unavailable { what: Dependency::Broker, source: why.to_string().into() }
}
