//! The runtime: pull, hand over, settle, publish, acknowledge, until drained. Each consumer of a
//! stage is a lane with its own permits and batches, so that one never waits for the other.

mod batch;
mod config;
mod drained;
mod handed;
mod held;
mod lag;
mod lane;
mod panicked;
mod pull;
mod queue;
mod ready;
mod runtime;
mod source;
mod under_way;
mod wait;

use std::{panic::resume_unwind, sync::Arc};

use stage::{Stage, StageName};
use tokio::task::JoinSet;

pub use config::{Lanes, StageConfig};
pub use drained::Drained;
pub use runtime::Runtime;
pub use source::{SourceConfig, run_source};

use crate::consumers::consumers_of;

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

    let mut all = Drained::EMPTY;
    while let Some(ended) = lanes.join_next().await {
        match ended {
            Ok(drained) => all = all.and(drained),
            Err(failed) => match failed.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(_) => all.in_time = false,
            },
        }
    }
    Ok(all)
}
