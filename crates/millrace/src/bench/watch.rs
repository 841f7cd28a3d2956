//! What happens while the benchmark runs: messages recorded as sent, and the peak of memory.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use domain::{ids::MessageId, message::state::MessageState};
use futures::StreamExt;
use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::platform::Platform;

use super::usage::{self, UsageGroup};

/// No message for this long means that the pipeline is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counts the messages that the carrier has, by events: a stage publishes them once the record is
/// committed. Several events may say so about one message (a receipt may be faster than the answer
/// to the call, and both may come twice), so messages are counted, not events.
pub struct Sent {
    count: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Sent {
    /// Subscribes to the events of all tenants, and counts from now on.
    ///
    /// # Errors
    /// The broker is away.
    pub async fn start(platform: &Platform) -> anyhow::Result<Self> {
        let client = platform.broker("bench").await?.client;
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

    /// How many messages were sent so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until so many are sent.
    ///
    /// # Errors
    /// Nothing moved for half a minute.
    pub async fn wait_for(&self, messages: usize) -> anyhow::Result<usize> {
        const STEP: Duration = Duration::from_millis(5);

        let (mut last, mut idle) = (self.count(), Duration::ZERO);
        while self.count() < messages {
            tokio::time::sleep(STEP).await;
            idle = if self.count() == last { idle + STEP } else { Duration::ZERO };
            last = self.count();
            if idle > PATIENCE {
                bail!("{last} of {messages} were sent, then nothing moved for {PATIENCE:?}");
            }
        }

        Ok(self.count())
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.task.abort();
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

/// The highest memory of each group, sampled every two seconds: the kernel walks all their pages
/// for it, which takes a tenth of the pipeline's rate at twice a second.
pub struct Peak {
    bytes: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    task: JoinHandle<()>,
}

impl Peak {
    /// Starts sampling the memory of these groups.
    pub fn start(groups: Vec<UsageGroup>) -> Self {
        let bytes = Arc::default();
        let raised = Arc::clone(&bytes);
        let task = tokio::spawn(async move {
            loop {
                raise(&raised, usage::memory(&groups));
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
        Self { bytes, task }
    }

    /// Ends, and says the peaks in bytes.
    pub async fn stop(self) -> BTreeMap<&'static str, u64> {
        self.task.abort();
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn raise(peak: &Mutex<BTreeMap<&'static str, u64>>, sample: BTreeMap<&'static str, u64>) {
    let mut peak = peak.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, bytes) in sample {
        let highest = peak.entry(name).or_insert(0);
        *highest = bytes.max(*highest);
    }
}
