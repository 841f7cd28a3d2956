//! What happens while the benchmark runs: messages recorded as sent and as ended, and the peak of
//! memory.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use domain::{ids::MessageId, message::state::MessageState};
use futures::StreamExt;
use serde::Deserialize;
use store::{Store, analytics::counts};
use tokio::task::JoinHandle;

use super::usage::{self, UsageGroup};
use crate::platform::Platform;

/// No message for this long means that the pipeline is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked for changes that are in no total yet: the look reads each of them.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Counts the messages that the carrier has, and those that have come to their end, by events: a
/// stage publishes them once the record is committed. Several events may say so about one message
/// (a receipt may be faster than the answer to the call, and both may come twice), so messages are
/// counted, not events.
pub struct Sent {
    heard: Arc<Heard>,
    task: JoinHandle<()>,
}

/// What was heard so far.
#[derive(Default)]
struct Heard {
    /// Messages that the carrier has.
    sent: AtomicUsize,
    /// Messages whose last receipt is recorded.
    ended: AtomicUsize,
    /// Bytes of all events.
    bytes: AtomicU64,
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

        let heard = Arc::new(Heard::default());
        let hears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let (mut sent, mut ended) = (HashSet::new(), HashSet::new());
            while let Some(frame) = events.next().await {
                hears.bytes.fetch_add(frame.payload.len() as u64, Ordering::Relaxed);
                let Ok(members) = serde_json::from_slice::<Vec<Said>>(&frame.payload) else {
                    continue;
                };
                for said in members.iter().map(|said| &said.data) {
                    if said.is_at_carrier() {
                        sent.insert(said.message);
                    }
                    if said.has_ended() {
                        ended.insert(said.message);
                    }
                }
                hears.sent.store(sent.len(), Ordering::Relaxed);
                hears.ended.store(ended.len(), Ordering::Relaxed);
            }
        });
        Ok(Self { heard, task })
    }

    /// How many messages were sent so far.
    pub fn count(&self) -> usize {
        self.heard.sent.load(Ordering::Relaxed)
    }

    /// Bytes of events that the broker has handed to this listener, which is no part of the
    /// platform.
    pub fn bytes(&self) -> u64 {
        self.heard.bytes.load(Ordering::Relaxed)
    }

    /// Waits until so many are sent; gives how many are.
    ///
    /// # Errors
    /// Nothing moved for half a minute.
    pub async fn wait_for(&self, messages: usize) -> anyhow::Result<usize> {
        self.heard.wait_for(&self.heard.sent, messages, "sent").await
    }

    /// Waits until the last receipt of so many is recorded, and every change is in the totals:
    /// nothing is left to do for them.
    ///
    /// # Errors
    /// Nothing moved for half a minute, or the database is away.
    pub async fn wait_for_the_end(&self, store: &Store, messages: usize) -> anyhow::Result<()> {
        self.heard.wait_for(&self.heard.ended, messages, "at their end").await?;

        let begun = Instant::now();
        loop {
            let left = counts::unfolded_of_all(store).await?;
            if left == 0 {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < PATIENCE,
                "{left} changes are in no total after {PATIENCE:?}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Heard {
    async fn wait_for(
        &self,
        count: &AtomicUsize,
        messages: usize,
        what: &str,
    ) -> anyhow::Result<usize> {
        const STEP: Duration = Duration::from_millis(5);

        let now = || count.load(Ordering::Relaxed);
        let (mut last, mut idle) = (now(), Duration::ZERO);
        while now() < messages {
            tokio::time::sleep(STEP).await;
            idle = if now() == last { idle + STEP } else { Duration::ZERO };
            last = now();
            if idle > PATIENCE {
                bail!("{last} of {messages} are {what}, then nothing moved for {PATIENCE:?}");
            }
        }
        Ok(now())
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

    /// Whether no receipt is expected any more.
    fn has_ended(&self) -> bool {
        matches!(self.state, MessageState::Delivered | MessageState::Read | MessageState::Failed)
    }
}

/// The highest memory of a platform's processes, sampled every two seconds: the kernel walks all
/// their pages for it, which takes a tenth of the pipeline's rate at twice a second.
pub struct PeakWatch {
    peak: Arc<Mutex<PeakMemory>>,
    task: JoinHandle<()>,
}

/// The highest memory that was seen, in bytes.
#[derive(Debug, Clone, Default)]
pub struct PeakMemory {
    /// Of each group, its part of what processes share included.
    pub groups: BTreeMap<&'static str, u64>,
    /// Resident in a single process of a stage.
    pub of_a_stage: u64,
    /// Of all groups but the sandbox, at one moment.
    pub of_all: u64,
}

// === impl PeakWatch ===

impl PeakWatch {
    /// Starts sampling the memory of these groups.
    pub fn start(groups: Vec<UsageGroup>) -> Self {
        let peak = Arc::default();
        let raised: Arc<Mutex<PeakMemory>> = Arc::clone(&peak);
        let task = tokio::spawn(async move {
            loop {
                let sample = PeakMemory::sample(&groups);
                raised.lock().unwrap_or_else(PoisonError::into_inner).raise(&sample);
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
        Self { peak, task }
    }

    /// Ends, and says the peaks.
    pub fn stop(self) -> PeakMemory {
        self.task.abort();
        self.peak.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// === impl PeakMemory ===

impl PeakMemory {
    /// The memory of these groups now.
    pub fn sample(groups: &[UsageGroup]) -> Self {
        let memory = usage::memory(groups);
        let mut sample = Self::default();
        for group in groups {
            let processes = memory.get(group.name).map(Vec::as_slice).unwrap_or_default();
            let all: u64 = processes.iter().map(|process| process.proportional).sum();
            sample.groups.insert(group.name, all);
            if group.is_ours() {
                sample.of_all += all;
            }
            if group.is_stage() {
                let largest = processes.iter().map(|process| process.resident).max();
                sample.of_a_stage = sample.of_a_stage.max(largest.unwrap_or_default());
            }
        }
        sample
    }

    fn raise(&mut self, sample: &Self) {
        for (name, bytes) in &sample.groups {
            let highest = self.groups.entry(name).or_insert(0);
            *highest = (*highest).max(*bytes);
        }
        self.of_a_stage = self.of_a_stage.max(sample.of_a_stage);
        self.of_all = self.of_all.max(sample.of_all);
    }
}
