//! Gathers what single requests publish: whatever arrives within 2 ms shares a frame, whatever its
//! tenants. A publish costs the broker one fsync; a frame of many costs one as well.

use std::{collections::HashMap, time::Duration};

use futures::future::join_all;
use pipeline::{PublishError, Publisher};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::Instant,
};
use tokio_util::task::TaskTracker;
use wire::{
    frame::{MAX_MESSAGES, Outgoing},
    subject::Subject,
};

use crate::app::PUBLISH_BUDGET;

/// How long the first of a frame waits for others.
pub(crate) const GATHER: Duration = Duration::from_millis(2);

/// How many requests wait at most; more are told to come again.
const QUEUE: usize = 8_192;

/// How many gatherings are on their way to the broker at once.
const IN_FLIGHT: usize = 32;

type Answer = oneshot::Sender<Result<(), PublishError>>;

/// Where requests hand over what they publish.
#[derive(Clone)]
pub struct Coalescer {
    queue: mpsc::Sender<(Outgoing, Answer)>,
}

/// Why something could not be handed over, or was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// The queue is full.
    Busy,
    /// The broker did not store it.
    Refused(PublishError),
}

impl Coalescer {
    /// Starts the task that gathers. It ends when every handle is gone.
    pub(crate) fn start(name: &'static str, publisher: Publisher, tasks: &TaskTracker) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(gather(name, publisher, waiting, tasks.clone()));
        Self { queue }
    }

    /// Publishes with whatever else comes now; returns once the broker has it on disk.
    pub(crate) async fn publish(&self, outgoing: Outgoing) -> Result<(), NotStored> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send((outgoing, answer)).map_err(|_| NotStored::Busy)?;
        // The task answers everything it takes, unless it is torn down with the process.
        answered.await.unwrap_or(Err(PublishError::Stopped)).map_err(NotStored::Refused)
    }
}

impl From<NotStored> for crate::http::Problem {
    fn from(why: NotStored) -> Self {
        match why {
            NotStored::Busy => Self::unavailable("too many requests at once", 1),
            NotStored::Refused(error) => error.into(),
        }
    }
}

async fn gather(
    name: &'static str,
    publisher: Publisher,
    mut waiting: mpsc::Receiver<(Outgoing, Answer)>,
    tasks: TaskTracker,
) {
    let permits = std::sync::Arc::new(Semaphore::new(IN_FLIGHT));
    while let Some(first) = waiting.recv().await {
        let until = Instant::now() + GATHER;
        let mut groups = HashMap::new();
        let mut count = 0;
        add(&mut groups, first, &mut count);
        while count < MAX_MESSAGES {
            match tokio::time::timeout_at(until, waiting.recv()).await {
                Ok(Some(next)) => add(&mut groups, next, &mut count),
                Ok(None) | Err(_) => break,
            }
        }
        metrics::histogram!("millrace_ingress_frame_messages", "queue" => name)
            .record(count as f64);
        // While the broker is slow, the queue fills and requests are refused, rather than gathered.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let publisher = publisher.clone();
        tasks.spawn(async move {
            // One subject's trouble is none of the others'.
            join_all(groups.into_values().map(|group| publish(&publisher, group))).await;
            drop(permit);
        });
    }
}

#[derive(Default)]
struct Group {
    say: Vec<Outgoing>,
    answers: Vec<Answer>,
}

fn add(groups: &mut HashMap<Subject, Group>, next: (Outgoing, Answer), count: &mut usize) {
    let (outgoing, answer) = next;
    let group = groups.entry(outgoing.subject.clone()).or_default();
    group.say.push(outgoing);
    group.answers.push(answer);
    *count += 1;
}

async fn publish(publisher: &Publisher, group: Group) {
    // One that is too large for the broker is refused alone.
    let (mut say, mut answers) = (Vec::new(), Vec::new());
    for (outgoing, answer) in group.say.into_iter().zip(group.answers) {
        if publisher.fits(&outgoing) {
            say.push(outgoing);
            answers.push(answer);
        } else {
            let stream = outgoing.subject.stream();
            let too_large = PublishError::TooLarge { stream, bytes: outgoing.json.len() };
            // A caller that has gone needs no answer.
            let _ = answer.send(Err(too_large));
        }
    }
    let stored = publisher.offer(say, PUBLISH_BUDGET).await;
    for answer in answers {
        let _ = answer.send(stored.clone());
    }
}
