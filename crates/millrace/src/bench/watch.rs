//! What happens while the benchmark runs: messages recorded as sent, and the peak of memory.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use domain::{ids::MessageId, message::state::MessageState};
use futures::StreamExt;
use pipeline::Broker;
use serde::Deserialize;
use tokio::task::JoinHandle;

use super::usage::{self, UsageGroup};

/// No message for this long means that the pipeline is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counts messages by the first event that says that the carrier has them: it is published after
/// the record has been committed. A receipt may be faster than the answer to the call, and either
/// may say it twice, so messages are counted and not events.
pub struct Sent {
    count: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Sent {
    /// Subscribes.
    ///
    /// # Errors
    /// The broker is away.
    pub async fn start(url: &str) -> anyhow::Result<Self> {
        let client = Broker::connect(url, None, "bench").await?.client;
        let mut events = client.subscribe("events.*.message.*").await?;
        client.flush().await?;
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let task = tokio::spawn(async move {
            let mut seen = HashSet::new();
            while let Some(frame) = events.next().await {
                let Ok(members) = serde_json::from_slice::<Vec<Said>>(&frame.payload) else {
                    continue;
                };
                let at_carrier = members.iter().filter(|said| said.data.is_at_carrier());
                seen.extend(at_carrier.map(|said| said.data.message));
                counted.store(seen.len(), Ordering::Relaxed);
            }
        });
        Ok(Self { count, task })
    }

    /// How many so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until so many are sent.
    ///
    /// # Errors
    /// Nothing moved for half a minute.
    pub async fn wait_for(self, messages: usize) -> anyhow::Result<usize> {
        let (mut last, mut idle) = (self.count(), Duration::ZERO);
        const STEP: Duration = Duration::from_millis(5);
        while self.count() < messages {
            tokio::time::sleep(STEP).await;
            idle = if self.count() == last { idle + STEP } else { Duration::ZERO };
            last = self.count();
            if idle > PATIENCE {
                bail!("{last} of {messages} were sent, then nothing moved for {PATIENCE:?}");
            }
        }
        self.task.abort();
        Ok(self.count())
    }
}

/// What is read of an event.
#[derive(Deserialize)]
struct Said {
    data: State,
}

#[derive(Deserialize)]
struct State {
    message: MessageId,
    state: MessageState,
}

impl State {
    fn is_at_carrier(&self) -> bool {
        matches!(
            self.state,
            MessageState::Sent
                | MessageState::Delivered
                | MessageState::Read
                | MessageState::Failed
        )
    }
}

/// The highest memory of each group, sampled twice a second.
pub struct Peak(JoinHandle<()>, Arc<std::sync::Mutex<BTreeMap<&'static str, u64>>>);

impl Peak {
    /// Starts sampling.
    pub fn start(groups: Vec<UsageGroup>) -> Self {
        let peak = Arc::new(std::sync::Mutex::new(BTreeMap::new()));
        let seen = Arc::clone(&peak);
        let task = tokio::spawn(async move {
            loop {
                let now = usage::memory(&groups);
                {
                    let mut peak = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    for (name, bytes) in now {
                        let highest = peak.entry(name).or_insert(0_u64);
                        *highest = bytes.max(*highest);
                    }
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        Self(task, peak)
    }

    /// Ends, and says the peaks.
    pub async fn stop(self) -> BTreeMap<&'static str, u64> {
        self.0.abort();
        self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
