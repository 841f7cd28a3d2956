//! The steady load: a batch at each tick, whether or not the one before has been taken.

use std::time::Duration;

use tokio::{
    task::{JoinHandle, JoinSet},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::flow::{Flow, FlowBatch};

/// Texts in one request.
const BATCH: usize = 50;

/// Submits in the background until it is told to end.
pub struct SoakLoad {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<Vec<Uuid>>>,
}

// === impl SoakLoad ===

impl SoakLoad {
    /// Begins to submit so many texts a second.
    pub fn start(flow: Flow, rate: u64) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(submit(flow, rate, stop.clone()));
        Self { stop, task }
    }

    /// Ends, and waits until all are accepted; gives their ids.
    ///
    /// # Errors
    /// The api refuses some.
    pub async fn end(self) -> anyhow::Result<Vec<Uuid>> {
        self.stop.cancel();
        self.task.await?
    }
}

async fn submit(flow: Flow, rate: u64, stop: CancellationToken) -> anyhow::Result<Vec<Uuid>> {
    let mut tick = tokio::time::interval(Duration::from_secs_f64(BATCH as f64 / rate as f64));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending: JoinSet<anyhow::Result<Vec<Uuid>>> = JoinSet::new();
    let mut accepted = Vec::new();
    let mut number = 0;

    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ids) = sending.join_next() => accepted.extend(ids??),
            _ = tick.tick() => {
                let (flow, batch) = (flow.clone(), FlowBatch { number, texts: BATCH });
                sending.spawn(async move { flow.post(batch).await });
                number += 1;
            }
        }
    }

    while let Some(ids) = sending.join_next().await {
        accepted.extend(ids??);
    }
    Ok(accepted)
}
