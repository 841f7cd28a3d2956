//! Texts that go out in steps, so that each blow falls while there are some.

use anyhow::Context;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use uuid::Uuid;

use crate::flow::{Flow, FlowBatch};

/// Texts in one request.
const BATCH: usize = 100;

/// Requests under way at once.
const REQUESTS: usize = 4;

/// Submits in the background, as far as it is allowed to.
pub struct ClusterLoad {
    allowed: watch::Sender<usize>,
    accepted: watch::Receiver<usize>,
    task: JoinHandle<anyhow::Result<Vec<Uuid>>>,
}

// === impl ClusterLoad ===

impl ClusterLoad {
    /// Begins behind the texts that were sent before; none goes out yet.
    pub fn start(flow: &Flow, sent: usize, texts: usize) -> Self {
        let (allowed, may) = watch::channel(0);
        let (done, accepted) = watch::channel(0);
        let first = sent.div_ceil(BATCH);
        let task = tokio::spawn(submit(flow.clone(), first, texts, may, done));
        Self { allowed, accepted, task }
    }

    /// Lets so many of the texts go out, those of before included.
    pub fn allow(&mut self, texts: usize) {
        self.allowed.send_replace(texts);
    }

    /// Waits until the api has accepted so many.
    ///
    /// # Errors
    /// The api refuses some.
    pub async fn accepted(&mut self, texts: usize) -> anyhow::Result<()> {
        let reached = self.accepted.wait_for(|accepted| *accepted >= texts).await;
        reached.map(drop).context("submitting has ended early")
    }

    /// Waits until all are accepted; gives their ids.
    ///
    /// # Errors
    /// The api refuses some.
    pub async fn end(self) -> anyhow::Result<Vec<Uuid>> {
        self.task.await?
    }
}

async fn submit(
    flow: Flow,
    first: usize,
    texts: usize,
    mut allowed: watch::Receiver<usize>,
    done: watch::Sender<usize>,
) -> anyhow::Result<Vec<Uuid>> {
    let mut accepted = Vec::with_capacity(texts);
    let mut sending: JoinSet<anyhow::Result<Vec<Uuid>>> = JoinSet::new();
    for begin in (0..texts).step_by(BATCH) {
        let batch = FlowBatch { number: first + begin / BATCH, texts: BATCH.min(texts - begin) };
        while sending.len() >= REQUESTS || *allowed.borrow() < begin + batch.texts {
            tokio::select! {
                Some(ids) = sending.join_next() => {
                    accepted.extend(ids??);
                    done.send_replace(accepted.len());
                }
                changed = allowed.changed() => changed.context("nobody lets more go out")?,
            }
        }
        let flow = flow.clone();
        sending.spawn(async move { flow.post(batch).await });
    }

    while let Some(ids) = sending.join_next().await {
        accepted.extend(ids??);
        done.send_replace(accepted.len());
    }
    Ok(accepted)
}
