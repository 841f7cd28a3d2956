//! Runs a source: due rows in, messages out, and the mark only after every PubAck.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::Runtime;
use crate::{
    publish::{PublishError, Publisher},
    settle::{RETRY_BASE, RETRY_CAP},
};
use stage::{
    Cx, Source, Tick,
    fault::Fault,
    machine::{backoff, chance},
};

/// How a source is run.
#[derive(Debug, Clone, Copy)]
pub struct SourceConfig {
    /// The time from the end of one tick to the next, when nothing more is due.
    pub interval: Duration,
    /// How long a tick under way may take once a drain has begun.
    pub drain: Duration,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self { interval: Duration::from_millis(250), drain: Duration::from_secs(20) }
    }
}

/// Runs a source until [`Runtime::stop`]: ticks, publishes, marks; at once again while more is
/// due. A tick under way at the stop ends within [`SourceConfig::drain`], or its rows are taken
/// again after their lease.
pub async fn run_source<S: Source>(source: S, runtime: &Runtime, config: &SourceConfig) {
    let source = Arc::new(source);
    let publisher = Publisher::new(&runtime.broker, S::NAME.as_str());
    let mut failures = 0;
    while !runtime.stop.is_cancelled() {
        let begun = Instant::now();
        let turn = turn(&source, runtime, &publisher);
        let time_up = async {
            runtime.stop.cancelled().await;
            sleep(config.drain).await;
        };
        let ended = tokio::select! {
            ended = turn => ended,
            () = time_up => break,
        };
        metrics::histogram!("millrace_source_tick_seconds", "stage" => S::NAME.as_str())
            .record(begun.elapsed());
        let wait = match ended {
            Ok(more) => {
                failures = 0;
                if more { Duration::ZERO } else { config.interval }
            }
            Err(why) => {
                failures += 1;
                report(S::NAME.as_str(), &why, failures);
                backoff(failures, RETRY_BASE, RETRY_CAP, chance())
            }
        };
        if wait > Duration::ZERO {
            tokio::select! {
                () = sleep(wait) => {}
                () = runtime.stop.cancelled() => {}
            }
        }
    }
}

/// Why a turn of a source did not end.
enum Failed {
    Fault(Fault),
    Publish(PublishError),
}

async fn turn<S: Source>(
    source: &Arc<S>,
    runtime: &Runtime,
    publisher: &Publisher,
) -> Result<bool, Failed> {
    let cx = Cx::read(&runtime.clock);
    let ticking = Arc::clone(source);
    let tick = AbortOnDropHandle::new(tokio::spawn(async move { ticking.tick(&cx).await }));
    let Tick { say, published, more } = tick.await.unwrap_or_else(panicked)?;
    if !say.is_empty() {
        // Nothing stops this one but the time limit of the caller.
        let never = tokio_util::sync::CancellationToken::new();
        publisher.publish(say, &never).await.map_err(Failed::Publish)?;
    }
    if let Some(mark) = published {
        AbortOnDropHandle::new(tokio::spawn(mark)).await.unwrap_or_else(panicked)?;
    }
    Ok(more)
}

fn panicked<T>(failed: tokio::task::JoinError) -> Result<T, Fault> {
    Err(Fault::Panicked(match failed.try_into_panic() {
        Ok(payload) => super::batch::panic_text(&*payload).to_owned(),
        Err(_) => "the source's task was cancelled".into(),
    }))
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Once per failure, but during a long outage only now and then.
fn report(source: &'static str, why: &Failed, failures: u32) {
    let (label, detail) = match why {
        Failed::Fault(fault @ Fault::Unavailable { source, .. }) => {
            (fault.label(), source.to_string())
        }
        Failed::Fault(fault) => (fault.label(), "not shown".into()),
        Failed::Publish(why) => ("publish", why.to_string()),
    };
    metrics::counter!("millrace_stage_faults_total",
        "stage" => source, "lane" => "none", "fault" => label)
    .increment(1);
    if failures <= 2 || failures.is_power_of_two() {
        tracing::warn!(source, fault = label, detail, failures, "a tick failed");
    }
}
