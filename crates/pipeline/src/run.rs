//! The runtime: pull, hand over, settle, publish, acknowledge, until drained. Each consumer of a
//! stage is a lane with its own permits and batches, so that one never waits for the other.

mod batch;
mod handed;
mod held;
mod lag;
mod lane;
mod pull;
mod queue;
mod source;

use std::{sync::Arc, time::Duration};

use domain::message::class::Lane;
use stage::{Clock, Stage, StageName};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use source::{SourceConfig, run_source};

use crate::{broker::Broker, consumers::consumers_of, letter::Seal, progress::Progress};

/// What every stage and source of a process runs on. Clones share it.
#[derive(Clone)]
pub struct Runtime {
    /// The connection.
    pub broker: Broker,
    /// Business time.
    pub clock: Clock,
    /// Seals what goes to DEAD.
    pub seal: Arc<dyn Seal>,
    /// Cancelled on SIGTERM: everything drains.
    pub stop: CancellationToken,
    /// For `/readyz`.
    pub progress: Progress,
}

/// Which lanes a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lanes {
    /// Urgent only.
    Urgent,
    /// Bulk only.
    Bulk,
    /// Both, by separate consumers.
    #[default]
    Both,
}

impl Lanes {
    /// Whether a consumer of this lane is served. A stream without lanes always is.
    pub fn include(self, lane: Option<Lane>) -> bool {
        match (self, lane) {
            (Self::Both, _) | (_, None) => true,
            (Self::Urgent, Some(lane)) => lane == Lane::Urgent,
            (Self::Bulk, Some(lane)) => lane == Lane::Bulk,
        }
    }
}

/// How a stage is run. The bounds hold for each consumer by itself.
#[derive(Debug, Clone)]
pub struct StageConfig {
    /// Which lanes.
    pub lanes: Lanes,
    /// Messages handed over at once, at most.
    pub batch_max: usize,
    /// Batches under way at once.
    pub batches_under_way: usize,
    /// Messages held at once, waiting ones included. At least 512: room for two full frames.
    pub in_flight: usize,
    /// The consumer's `ack_wait`: progress beats go out at a third of it.
    pub ack_wait: Duration,
    /// How long batches under way may take once a drain has begun.
    pub drain: Duration,
    /// How long the answers of a batch that is still worked on are gathered before they are
    /// published: fuller frames against an earlier PubAck. Urgent lanes use a quarter of it.
    pub gather: Duration,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            lanes: Lanes::Both,
            batch_max: 512,
            batches_under_way: 3,
            in_flight: 2048,
            ack_wait: Duration::from_secs(60),
            drain: Duration::from_secs(20),
            gather: Duration::from_millis(20),
        }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Messages taken in and not finished: they were given back and come again.
    pub left: usize,
    /// Whether the batches under way ended within the time allowed.
    pub in_time: bool,
}

/// Why a stage cannot run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stage {} has no consumer for the stream and lanes asked for", .0.as_str())]
pub struct NoConsumer(pub StageName);

/// Runs a stage until [`Runtime::stop`], then drains it: batches under way end and are published
/// and acknowledged, everything else is given back. An absent broker or consumer is waited for.
///
/// # Errors
/// When the table of consumers has none for this stage.
///
/// # Panics
/// When the runtime itself does; a stage that panics is isolated.
pub async fn run<S: Stage>(
    stage: S,
    runtime: &Runtime,
    config: &StageConfig,
) -> Result<Drained, NoConsumer> {
    let stage = Arc::new(stage);
    let mut lanes = JoinSet::new();
    for spec in consumers_of(S::NAME, S::FROM) {
        if config.lanes.include(spec.lane) {
            let lane = lane::Lane::new(Arc::clone(&stage), spec, runtime, config);
            lanes.spawn(lane.run());
        }
    }
    if lanes.is_empty() {
        return Err(NoConsumer(S::NAME));
    }
    let mut all = Drained { left: 0, in_time: true };
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok(drained) => {
                all.left += drained.left;
                all.in_time &= drained.in_time;
            }
            Err(failed) => match failed.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(_) => all.in_time = false,
            },
        }
    }
    Ok(all)
}
