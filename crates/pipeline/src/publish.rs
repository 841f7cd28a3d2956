//! Publishing: packs outgoing messages into full frames, sends the frames pipelined, and counts
//! nothing as published before its PubAck. A frame keeps its id over every attempt, so the broker
//! stores a frame once even when its answer got lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    ErrorCode,
    context::{PublishError as Refused, PublishErrorKind},
    message::PublishMessage,
};
use bytes::Bytes;
use futures::future::join_all;
use stage::machine::{backoff, chance};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use wire::{
    frame::{Outgoing, pack},
    stream::Stream,
};

use crate::{access::grants::is_kept, broker::Broker, room::Room};

/// The first wait after a refused or lost publish; doubled up to [`AGAIN_CAP`].
const AGAIN_BASE: Duration = Duration::from_millis(50);

/// The longest wait between two attempts. A stream that has room again is used after it at most.
const AGAIN_CAP: Duration = Duration::from_secs(1);

/// How often the log says that publishing is blocked.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Publishes for one stage, source or the ingress. Clones share the connection and the gauge.
#[derive(Clone, Debug)]
pub struct Publisher {
    broker: Broker,
    by: &'static str,
    blocked: Arc<watch::Sender<usize>>,
    /// The streams that it is not to fill further than half with what is unread.
    room: Option<Arc<Room>>,
    /// When a blocked publish was last logged: a stream that stays nearly full blocks each of them.
    logged: Arc<Mutex<Option<Instant>>>,
}

/// Why something is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The stream takes nothing more until its readers catch up: 503 with Retry-After.
    #[error("stream {} is full", .0.name())]
    Full(Stream),
    /// No answer, or none that says it is stored: it may be. 503; a repeat has the same id.
    #[error("stream {} does not answer: {why}", .stream.name())]
    Unavailable {
        /// Where it was meant to go.
        stream: Stream,
        /// What the broker or the client said, if anything.
        why: String,
    },
    /// It can never be published.
    #[error("{bytes} bytes for {} are more than the broker takes", .stream.name())]
    TooLarge {
        /// Where it was meant to go.
        stream: Stream,
        /// How long its JSON is.
        bytes: usize,
    },
    /// The process is being stopped; after the restart what is not stored is published again.
    #[error("stopped while publishing")]
    Stopped,
}

impl Publisher {
    /// A publisher that names itself `by` in frame ids and metrics.
    pub fn new(broker: &Broker, by: &'static str) -> Self {
        Self {
            broker: broker.clone(),
            by,
            blocked: Arc::new(watch::Sender::new(0)),
            room: None,
            logged: Arc::default(),
        }
    }

    /// The same, watching streams that it is not to fill further than half with what is unread.
    /// Needs a runtime.
    pub fn minding(self, streams: &'static [Stream]) -> Self {
        if streams.is_empty() {
            return self;
        }
        // A work queue refuses by itself when it is full, and no login may look at it for that.
        debug_assert!(streams.iter().all(|stream| is_kept(*stream)), "{streams:?}");
        let room = Room::watch(&self.broker, self.by, streams);
        Self { room: Some(Arc::new(room)), ..self }
    }

    /// Publishes and awaits every PubAck, again and again while a stream is full or away. Cancel
    /// `stop` at the end of a drain, not at its beginning.
    ///
    /// # Errors
    /// [`PublishError::TooLarge`] before anything is published, or [`PublishError::Stopped`].
    pub async fn publish(
        &self,
        say: Vec<Outgoing>,
        stop: &CancellationToken,
    ) -> Result<(), PublishError> {
        self.check(&say)?;
        self.store(say, stop).await
    }

    /// As [`Self::publish`], for what the caller knows to fit.
    pub(crate) async fn store(
        &self,
        say: Vec<Outgoing>,
        stop: &CancellationToken,
    ) -> Result<(), PublishError> {
        let begun = Instant::now();
        let mut frames = self.frames(say);
        let mut blocked = None;
        for attempt in 1.. {
            let refused = tokio::select! {
                refused = self.round(frames) => refused,
                () = stop.cancelled() => return Err(PublishError::Stopped),
            };
            let Some((left, why)) = refused else { break };

            blocked.get_or_insert_with(|| Blocked::new(self, &why));
            frames = left;
            let wait = backoff(attempt, AGAIN_BASE, AGAIN_CAP, chance());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return Err(PublishError::Stopped),
            }
        }

        metrics::histogram!("millrace_publish_seconds", "stage" => self.by).record(begun.elapsed());
        Ok(())
    }

    /// For the ingress: publishes within a time budget and says what is wrong, for the ingress to
    /// tell its caller. Repeats a lost attempt while there is time, but no publish to a full
    /// stream.
    ///
    /// # Errors
    /// When not everything is known to be stored. What is stored stays; a repeat does no harm.
    pub async fn offer(&self, say: Vec<Outgoing>, budget: Duration) -> Result<(), PublishError> {
        self.check(&say)?;
        let begun = Instant::now();
        let mut frames = self.frames(say);
        let Some(first) = frames.first().map(|frame| frame.stream) else { return Ok(()) };
        let lacks =
            |frame: &&Ready| self.room.as_ref().is_some_and(|room| room.lacks(frame.stream));
        if let Some(refused) = frames.iter().find(lacks) {
            let why = PublishError::Full(refused.stream);
            self.count(&why);
            return Err(why);
        }

        let mut last = None;
        let rounds = async {
            while let Some((left, why)) = self.round(std::mem::take(&mut frames)).await {
                let full = matches!(why, PublishError::Full(_));
                last = Some(why);
                frames = left;
                if full {
                    return false;
                }
                tokio::time::sleep(AGAIN_BASE).await;
            }
            true
        };
        let stored = tokio::time::timeout(budget, rounds).await.unwrap_or(false);
        metrics::histogram!("millrace_publish_seconds", "stage" => self.by).record(begun.elapsed());

        if stored {
            return Ok(());
        }
        Err(last.unwrap_or_else(|| PublishError::Unavailable {
            stream: first,
            why: "no answer in time".into(),
        }))
    }

    /// Whether one outgoing message is small enough for the broker.
    pub fn fits(&self, outgoing: &Outgoing) -> bool {
        outgoing.json.len() <= self.broker.longest_json()
    }

    /// Whether the streams that it minds have room: while they have not, nothing is pulled.
    pub(crate) fn has_room(&self) -> bool {
        self.room.as_ref().is_none_or(|room| room.is_there())
    }

    /// How many publishes wait for a full or absent stream. While any does, no lane pulls.
    pub(crate) fn blocked(&self) -> watch::Receiver<usize> {
        self.blocked.subscribe()
    }

    fn check(&self, say: &[Outgoing]) -> Result<(), PublishError> {
        match say.iter().find(|outgoing| !self.fits(outgoing)) {
            None => Ok(()),
            Some(Outgoing { subject, json, .. }) => {
                Err(PublishError::TooLarge { stream: subject.stream(), bytes: json.len() })
            }
        }
    }

    /// Groups by subject, keeps the order within each subject, and packs.
    fn frames(&self, mut say: Vec<Outgoing>) -> Vec<Ready> {
        say.sort_by(|a, b| a.subject.cmp(&b.subject));

        let mut frames = Vec::new();
        for group in say.chunk_by(|a, b| a.subject == b.subject) {
            let subject = &group[0].subject;
            match subject.stream() {
                Stream::Analytics => frames.extend(group.iter().map(Ready::bare)),
                Stream::Submitted
                | Stream::Enriched
                | Stream::Admitted
                | Stream::Released
                | Stream::Carrier
                | Stream::Texts
                | Stream::Inbound
                | Stream::Events
                | Stream::Dead => {
                    frames.extend(pack(self.by, subject, group).into_iter().map(Ready::from));
                }
            }
        }
        frames
    }

    /// One pipelined attempt. Gives back the frames that are not known to be stored, with the first
    /// reason; none when all are stored.
    #[expect(clippy::disallowed_methods, reason = "this is where publishes are awaited")]
    async fn round(&self, frames: Vec<Ready>) -> Option<(Vec<Ready>, PublishError)> {
        // send
        let mut acks = Vec::with_capacity(frames.len());
        let mut unsent = None;
        for frame in &frames {
            let sent = self.broker.jetstream.send_publish(frame.subject.clone(), frame.message());
            match sent.await {
                Ok(ack) => acks.push(ack.into_future()),
                // The rest would fail likewise, each after its own time-out.
                Err(why) => {
                    unsent = Some(refusal(frame.stream, &why));
                    break;
                }
            }
        }

        // await the answers, and keep the frames that have none or a refusal
        let mut answers = join_all(acks).await.into_iter();
        let mut why = None;
        let mut left = Vec::new();
        for frame in frames {
            let refused = match answers.next() {
                Some(Ok(_)) => continue,
                Some(Err(refused)) => Some(refusal(frame.stream, &refused)),
                // Not sent: only the first of these has a reason of its own.
                None => unsent.take(),
            };
            if let Some(refused) = refused {
                self.count(&refused);
                why.get_or_insert(refused);
            }
            left.push(frame);
        }
        why.map(|why| (left, why))
    }

    fn count(&self, why: &PublishError) {
        let reason = match why {
            PublishError::Full(_) => "full",
            PublishError::Unavailable { .. } => "unavailable",
            PublishError::TooLarge { .. } => "too_large",
            PublishError::Stopped => "stopped",
        };
        metrics::counter!("millrace_publish_failures_total", "stage" => self.by, "reason" => reason)
            .increment(1);
    }
}

/// Counts one publish as blocked for as long as it lives.
struct Blocked(Publisher);

impl Blocked {
    fn new(publisher: &Publisher, why: &PublishError) -> Self {
        let by = publisher.by;
        publisher.blocked.send_modify(|count| *count += 1);
        metrics::gauge!("millrace_publish_blocked", "stage" => by).increment(1);

        let mut logged = publisher.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|last| last.elapsed() > LOG_EVERY) {
            *logged = Some(Instant::now());
            tracing::warn!(stage = by, %why, "publishing is blocked; pulling stops until then");
        }
        drop(logged);

        Self(publisher.clone())
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let by = self.0.by;
        self.0.blocked.send_modify(|count| *count -= 1);
        metrics::gauge!("millrace_publish_blocked", "stage" => by).decrement(1);
        tracing::debug!(stage = by, "publishing goes on");
    }
}

/// A frame that can be published any number of times.
struct Ready {
    subject: async_nats::Subject,
    stream: Stream,
    /// None where the last value counts: the broker must not drop a value because it had it before.
    id: Option<String>,
    trace: Option<String>,
    bytes: Bytes,
}

impl Ready {
    /// Totals travel bare, one to a subject: subscribers read an object, not a frame.
    fn bare(outgoing: &Outgoing) -> Self {
        Self {
            subject: outgoing.subject.to_string().into(),
            stream: outgoing.subject.stream(),
            id: None,
            trace: None,
            bytes: outgoing.json.clone().into(),
        }
    }

    fn message(&self) -> PublishMessage {
        let mut message =
            PublishMessage::build().payload(self.bytes.clone()).expected_stream(self.stream.name());

        if let Some(id) = &self.id {
            message = message.message_id(id);
        }
        if let Some(trace) = &self.trace {
            message = message.header("traceparent", trace.as_str());
        }

        message
    }
}

impl From<wire::frame::Frame> for Ready {
    fn from(frame: wire::frame::Frame) -> Self {
        Self {
            subject: frame.subject.to_string().into(),
            stream: frame.subject.stream(),
            id: Some(frame.id),
            trace: frame.trace.filter(|trace| trace.bytes().all(|b| b.is_ascii_graphic())),
            bytes: frame.bytes.into(),
        }
    }
}

/// What a refused or lost publish means.
fn refusal(stream: Stream, why: &Refused) -> PublishError {
    let said = std::error::Error::source(why)
        .and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>())
        .map(async_nats::jetstream::Error::error_code);

    match (why.kind(), said) {
        (_, Some(ErrorCode::STREAM_STORE_FAILED | ErrorCode::STREAM_TOO_MANY_REQUESTS)) => {
            PublishError::Full(stream)
        }
        (_, Some(ErrorCode::ACCOUNT_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES)) => {
            PublishError::Full(stream)
        }
        (PublishErrorKind::MaxPayloadExceeded, _) => PublishError::TooLarge { stream, bytes: 0 },
        (_, _) => PublishError::Unavailable { stream, why: why.to_string() },
    }
}
