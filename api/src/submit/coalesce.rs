//! Gathers what single requests publish: what arrives within some milliseconds shares a frame,
//! whatever its tenants. A publish costs the broker one fsync; a frame of many costs one as well.
//! Those that carry a key share the query for keys that are taken, and keep nobody without one
//! waiting.

use std::{collections::HashMap, time::Duration};

use futures::future::{join, join_all};
use pipeline::{PublishError, Publisher};
use store::messages::read::Keyed;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::Instant,
};
use tokio_util::task::TaskTracker;
use wire::{
    frame::{MAX_MESSAGES, Outgoing},
    subject::Subject,
};

use super::keys::{UsedKeys, reused};
use crate::{http::problem::Problem, limits::PUBLISH_BUDGET};

/// How long the first message of a frame waits for others.
pub(crate) const GATHER: Duration = Duration::from_millis(2);

/// The queue of receipts, whose first waits longer. Each account has a subject of its own, so those
/// of twenty accounts that come within 2 ms are frames of one or two, each of which the broker
/// stores and hands over by itself. Nobody waits for a receipt, and a carrier waits for seconds.
pub(crate) const RECEIPTS: Gathering = ("receipts", Duration::from_millis(12));

/// The queue of webhooks that may hold texts of people. A STOP waits for no receipt.
pub(crate) const TEXTS: Gathering = ("texts", GATHER);

/// How many requests wait at most; more are told to come again.
const QUEUE: usize = 8_192;

/// How many gatherings are on their way to the broker at once.
const IN_FLIGHT: usize = 32;

/// The name of a queue, and how long the first in it waits for others.
pub(crate) type Gathering = (&'static str, Duration);

type Answer = oneshot::Sender<Result<(), NotStored>>;

/// Where requests hand over what they publish.
#[derive(Clone)]
pub struct Coalescer {
    queue: mpsc::Sender<Waiting>,
}

/// One request's publish.
pub(super) struct Waiting {
    outgoing: Outgoing,
    keyed: Option<Keyed>,
    since: Instant,
    answer: Answer,
}

/// Why something could not be handed over, or was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// The queue is full.
    Busy,
    /// The key is taken by another body.
    KeyTaken,
    /// The broker did not store it.
    Refused(PublishError),
}

impl Coalescer {
    /// Starts the task that gathers. It ends when every handle is gone.
    pub(crate) fn start(
        gathering: Gathering,
        publisher: Publisher,
        keys: UsedKeys,
        tasks: &TaskTracker,
    ) -> Self {
        let (coalescer, waiting) = Self::with_queue(QUEUE);
        tokio::spawn(gather(gathering, publisher, keys, waiting, tasks.clone()));
        coalescer
    }

    /// A queue of this size, and its end from which what waits is taken.
    pub(super) fn with_queue(size: usize) -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, waiting) = mpsc::channel(size);
        (Self { queue }, waiting)
    }

    /// Whether somebody takes what waits.
    pub(super) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Whether nobody waits in the queue.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.capacity() == self.queue.max_capacity()
    }

    /// Publishes with whatever else comes now; returns once the broker has it on disk. What has a
    /// key that is taken by another body is not published.
    pub(crate) async fn publish(
        &self,
        outgoing: Outgoing,
        keyed: Option<Keyed>,
    ) -> Result<(), NotStored> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { outgoing, keyed, since: Instant::now(), answer };
        self.queue.try_send(waiting).map_err(|_| NotStored::Busy)?;

        // The task answers everything it takes, unless it is torn down with the process.
        answered.await.unwrap_or(Err(NotStored::Refused(PublishError::Stopped)))
    }
}

impl NotStored {
    /// What the caller is told. What was handed over may be stored: it is repeated under its key.
    pub(crate) fn into_problem(self, key: &str) -> Problem {
        match self {
            Self::Refused(why) => Problem::from(why).repeat_under(key),
            Self::Busy | Self::KeyTaken => self.into(),
        }
    }
}

impl From<NotStored> for Problem {
    fn from(why: NotStored) -> Self {
        match why {
            NotStored::Busy => {
                Self::unavailable("too many requests at once: nothing of this one is stored", 1)
            }
            NotStored::KeyTaken => Self::invalid(vec![reused("Idempotency-Key")]),
            NotStored::Refused(error) => error.into(),
        }
    }
}

/// Takes what comes soon after the first, and hands it on to a task of its own.
async fn gather(
    (name, within): Gathering,
    publisher: Publisher,
    keys: UsedKeys,
    mut waiting: mpsc::Receiver<Waiting>,
    tasks: TaskTracker,
) {
    let permits = std::sync::Arc::new(Semaphore::new(IN_FLIGHT));
    while let Some(first) = waiting.recv().await {
        let until = Instant::now() + within;
        let mut gathered = vec![first];
        while gathered.len() < MAX_MESSAGES {
            match tokio::time::timeout_at(until, waiting.recv()).await {
                Ok(Some(next)) => gathered.push(next),
                Ok(None) | Err(_) => break,
            }
        }
        metrics::histogram!("millrace_ingress_frame_messages", "queue" => name)
            .record(gathered.len() as f64);

        // While the broker is slow, the queue fills and requests are refused, rather than gathered.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let (publisher, keys) = (publisher.clone(), keys.clone());
        tasks.spawn(async move {
            let (keyed, free) = gathered.into_iter().partition(Waiting::is_keyed);
            let checked = async { publish_all(&publisher, untaken(&keys, keyed).await).await };
            join(publish_all(&publisher, free), checked).await;
            drop(permit);
        });
    }
}

/// Those whose key is not known to be taken; the others are answered.
pub(super) async fn untaken(keys: &UsedKeys, gathered: Vec<Waiting>) -> Vec<Waiting> {
    let keyed = gathered.iter().filter_map(|one| one.keyed.clone()).collect();
    let taken = keys.taken(keyed).await;

    let mut left = Vec::with_capacity(gathered.len());
    for (one, is_taken) in gathered.into_iter().zip(taken) {
        if is_taken {
            one.answer(Err(NotStored::KeyTaken));
        } else {
            left.push(one);
        }
    }
    left
}

/// Publishes to each subject by itself: the trouble of one is none of the others'.
pub(super) async fn publish_all(publisher: &Publisher, gathered: Vec<Waiting>) {
    let mut by_subject: HashMap<Subject, Vec<Waiting>> = HashMap::new();
    for one in gathered {
        by_subject.entry(one.outgoing.subject.clone()).or_default().push(one);
    }
    join_all(by_subject.into_values().map(|group| publish(publisher, group))).await;
}

/// Publishes what goes to one subject. One that is too large for the broker is refused alone.
async fn publish(publisher: &Publisher, group: Vec<Waiting>) {
    let (fitting, too_large): (Vec<Waiting>, Vec<Waiting>) =
        group.into_iter().partition(|one| publisher.fits(&one.outgoing));
    for one in too_large {
        let (stream, bytes) = (one.outgoing.subject.stream(), one.outgoing.json.len());
        one.answer(Err(NotStored::Refused(PublishError::TooLarge { stream, bytes })));
    }

    let (outgoing, answers): (Vec<Outgoing>, Vec<Answer>) =
        fitting.into_iter().map(|one| (one.outgoing, one.answer)).unzip();
    let stored = publisher.offer(outgoing, PUBLISH_BUDGET).await.map_err(NotStored::Refused);
    for answer in answers {
        // A caller that has gone needs no answer.
        let _ = answer.send(stored.clone());
    }
}

impl Waiting {
    /// Whether it carries a key.
    pub(super) fn is_keyed(&self) -> bool {
        self.keyed.is_some()
    }

    /// When it was handed over.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Tells the request what has become of it.
    pub(super) fn answer(self, stored: Result<(), NotStored>) {
        // A caller that has gone needs no answer.
        let _ = self.answer.send(stored);
    }
}
