//! Single messages. Most go to the broker at once. Those of a tenant that posts many stand here
//! before, apart from the others', and go out in its turns as the parts of a batch do: in the
//! broker everybody else's would stand behind them.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{ids::TenantId, message::class::Lane};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use pipeline::Publisher;
use store::messages::read::Keyed;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use wire::frame::Outgoing;

use super::{
    coalesce::{Coalescer, GATHER, NotStored, Waiting, publish_all, untaken},
    keys::UsedKeys,
    turns::{Late, Turns, in_a_turn},
};

/// How many single messages a second of one tenant go to the broker at once, in this process, and
/// how many may come together.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).expect("not zero");

/// How many of one tenant and lane wait for their turn; more are told to come again. A tenant's
/// requests under way are fewer.
const QUEUE: usize = 2_048;

/// How long one waits for its turn at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where single messages are handed over.
pub(crate) struct Singles {
    at_once: DefaultKeyedRateLimiter<TenantId>,
    lanes: [Coalescer; 2],
    in_turns: Mutex<HashMap<(TenantId, Lane), Coalescer>>,
    publishing: Publishing,
}

/// What the queue of a tenant works with.
#[derive(Clone)]
pub(crate) struct Publishing {
    pub(crate) publisher: Publisher,
    pub(crate) keys: UsedKeys,
    pub(crate) turns: Arc<Turns>,
    pub(crate) tasks: TaskTracker,
}

impl Singles {
    /// Starts what gathers the messages of a lane. Needs a runtime.
    pub(crate) fn new(publishing: Publishing) -> Self {
        let start = |name| {
            let Publishing { publisher, keys, tasks, .. } = publishing.clone();
            Coalescer::start((name, GATHER), publisher, keys, &tasks)
        };
        Self {
            at_once: RateLimiter::keyed(Quota::per_second(AT_ONCE)),
            lanes: [start("urgent"), start("bulk")],
            in_turns: Mutex::default(),
            publishing,
        }
    }

    /// Publishes a message; returns once the broker has it on disk. What has a key that is taken by
    /// another body is not published.
    pub(crate) async fn publish(
        &self,
        (tenant, lane): (&TenantId, Lane),
        outgoing: Outgoing,
        keyed: Option<Keyed>,
    ) -> Result<(), NotStored> {
        let queue = match self.at_once.check_key(tenant) {
            Ok(()) => self.lanes[lane as usize].clone(),
            Err(_) => self.queue_of(tenant, lane),
        };
        queue.publish(outgoing, keyed).await
    }

    /// The queue of a tenant's messages. A new one clears away those in which nobody waits.
    fn queue_of(&self, tenant: &TenantId, lane: Lane) -> Coalescer {
        let mut queues = self.in_turns.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.clone(), lane);
        if let Some(queue) = queues.get(&key).filter(|queue| queue.is_open()) {
            return queue.clone();
        }

        queues.retain(|_, queue| queue.is_open() && !queue.is_empty());
        let (queue, waiting) = Coalescer::with_queue(QUEUE);
        tokio::spawn(publish_in_turns(self.publishing.clone(), key.clone(), waiting));
        queues.insert(key, queue.clone());
        queue
    }
}

/// Publishes what waits in a tenant's queue, in the tenant's turns. Ends with the queue.
async fn publish_in_turns(
    publishing: Publishing,
    (tenant, lane): (TenantId, Lane),
    mut waiting: mpsc::Receiver<Waiting>,
) {
    let Publishing { publisher, keys, turns, .. } = publishing;
    let mut gathered = Vec::new();
    while waiting.recv_many(&mut gathered, in_a_turn(lane)).await > 0 {
        let Some(oldest) = gathered.first().map(Waiting::since) else { return };
        let (keyed, mut free): (Vec<Waiting>, Vec<Waiting>) =
            gathered.drain(..).partition(Waiting::is_keyed);
        free.extend(untaken(&keys, keyed).await);

        match turns.next(&tenant, lane, oldest + PATIENCE).await {
            Ok(_turn) => publish_all(&publisher, free).await,
            Err(Late) => free.into_iter().for_each(|one| one.answer(Err(NotStored::Busy))),
        }
    }
}
