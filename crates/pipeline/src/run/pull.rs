//! Pulling frames: one pull stream of the client library, re-made on every error, and never read
//! further than there are permits.

use std::{
    collections::VecDeque, future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration,
};

use async_nats::jetstream::{self, Message, consumer::pull};
use futures::{FutureExt, Stream as _, StreamExt, future::BoxFuture};
use stage::machine::{backoff, chance};
use tokio::{
    task::unconstrained,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    broker::Broker,
    consumers::{ConsumerSpec, is_missing},
    progress::Meter,
};
/// Frames asked for at once. Half of them may be on their way while the lane reads the others.
const FRAMES: usize = 64;

/// Bytes asked for at once: what may wait here unread stays small even where frames are full.
const BYTES: usize = 2 * 1024 * 1024;

/// How long one request waits at the broker.
const EXPIRES: Duration = Duration::from_secs(5);

/// How often the broker says that it is there. After two missing beats the stream is made anew.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long the broker may take to say what it knows of a consumer: a request that was lost with a
/// connection is never answered.
const LOOK_UP: Duration = Duration::from_secs(3);

/// A stream that lived this long counts as no failure: the back-off begins anew.
const LASTING: Duration = Duration::from_secs(30);

/// Pulls the frames of one consumer.
pub(super) struct Puller {
    broker: Broker,
    spec: &'static ConsumerSpec,
    meter: Arc<Meter>,
    state: State,
    /// Frames taken out of a stream that was closed, still to be read.
    parked: VecDeque<Message>,
    failures: u32,
    opened_at: Instant,
    /// When the stream was last seen with nothing unread.
    dry_at: Instant,
}

enum State {
    Closed { until: Instant },
    Opening(BoxFuture<'static, Result<pull::Stream, OpenError>>),
    Open(Box<pull::Stream>),
}

/// Why there is no stream.
enum OpenError {
    Missing,
    Other(String),
}

impl Puller {
    pub(super) fn new(broker: &Broker, spec: &'static ConsumerSpec, meter: Arc<Meter>) -> Self {
        let now = Instant::now();
        Self {
            broker: broker.clone(),
            spec,
            meter,
            state: State::Closed { until: now },
            parked: VecDeque::new(),
            failures: 0,
            opened_at: now,
            dry_at: now,
        }
    }

    /// The next frame, however long it takes to come and however often the stream breaks. The
    /// caller may drop this at any point: no frame is lost by it.
    pub(super) async fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.parked.pop_front() {
                return message;
            }

            match &mut self.state {
                State::Closed { until } => {
                    sleep_until(*until).await;
                    self.state = State::Opening(open(self.broker.clone(), self.spec).boxed());
                }
                State::Opening(opening) => {
                    let opened = opening.await;
                    self.opened(opened);
                }
                State::Open(stream) => match read(stream, &mut self.dry_at).await {
                    Some(Ok(message)) => {
                        self.failures = 0;
                        return message;
                    }
                    Some(Err(why)) => self.broke(&why.to_string()),
                    None => self.broke("the stream of frames ended"),
                },
            }
        }
    }

    /// Reads on from the new stream, or tries again after a back-off.
    fn opened(&mut self, opened: Result<pull::Stream, OpenError>) {
        match opened {
            Ok(stream) => {
                self.meter.found(true);
                (self.opened_at, self.dry_at) = (Instant::now(), Instant::now());
                self.state = State::Open(Box::new(stream));
            }
            Err(OpenError::Missing) => {
                self.meter.found(false);
                self.broke("the consumer is missing: `millrace streams apply` makes it");
            }
            Err(OpenError::Other(why)) => self.broke(&why),
        }
    }

    /// Where frames have waited unread for longer than `limit`, takes them over, so that they get
    /// progress beats too. Says whether it did.
    pub(super) fn relieve(&mut self, limit: Duration) -> bool {
        let stale = matches!(self.state, State::Open(_)) && self.dry_at.elapsed() > limit;
        if stale {
            self.close();
        }
        stale
    }

    /// Stops pulling and keeps what is here already.
    pub(super) fn close(&mut self) {
        if let State::Open(stream) = &mut self.state {
            // Without the cooperative budget, which would end this early and lose the rest.
            while let Some(Some(Ok(message))) = unconstrained(stream.next()).now_or_never() {
                self.parked.push_back(message);
                if self.parked.len() >= 2 * FRAMES {
                    break;
                }
            }
        }
        self.state = State::Closed { until: Instant::now() };
    }

    /// The frames that were taken over and not read yet.
    pub(super) fn parked(&self) -> &VecDeque<Message> {
        &self.parked
    }

    /// The stream broke, or did not open: tries again after a back-off.
    fn broke(&mut self, why: &str) {
        if self.opened_at.elapsed() > LASTING {
            self.failures = 0;
        }
        self.close();
        self.failures += 1;

        if self.failures == 1 {
            tracing::debug!(consumer = self.spec.name, why, "pulling again");
        } else if self.failures % 8 == 2 {
            tracing::warn!(consumer = self.spec.name, why, times = self.failures, "cannot pull");
        }

        let cap = Duration::from_secs(5);
        let wait = backoff(self.failures, Duration::from_millis(50), cap, chance());
        self.state = State::Closed { until: Instant::now() + wait };
    }
}

/// The next frame of a stream. Notes the time whenever nothing is there to read.
async fn read(
    stream: &mut pull::Stream,
    dry_at: &mut Instant,
) -> Option<Result<Message, pull::MessagesError>> {
    let next = poll_fn(|cx| match Pin::new(&mut *stream).poll_next(cx) {
        Poll::Pending => {
            *dry_at = Instant::now();
            Poll::Pending
        }
        ready => ready,
    });
    next.await
}

/// Looks the consumer up and opens a stream of its frames. The heartbeat is for `stream()` alone:
/// with one, `fetch()` hangs after the first beat.
async fn open(broker: Broker, spec: &'static ConsumerSpec) -> Result<pull::Stream, OpenError> {
    let look_up = broker.api.get_consumer_from_stream(spec.name, spec.stream.name());
    let found = timeout(LOOK_UP, look_up).await;
    let found = found.map_err(|_| OpenError::Other("the broker does not answer".into()))?;
    let consumer: jetstream::consumer::PullConsumer = found.map_err(|why| {
        if is_missing(&why) { OpenError::Missing } else { OpenError::Other(why.to_string()) }
    })?;

    consumer
        .stream()
        .max_messages_per_batch(FRAMES)
        .max_bytes_per_batch(BYTES)
        .expires(EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await
        .map_err(|why| OpenError::Other(why.to_string()))
}
