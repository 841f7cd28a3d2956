//! Runs a source: due rows in, messages out, and the mark only after every PubAck.

use std::{sync::Arc, time::Duration};

use stage::{
    Cx, Source, Tick,
    fault::Fault,
    machine::{backoff, chance},
};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::{drained::Drained, panicked::panicked, runtime::Runtime};
use crate::{
    publish::{PublishError, Publisher},
    settle::{RETRY_BASE, RETRY_CAP},
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

/// Runs a source until [`Runtime::stop`]: ticks, publishes, marks, and at once again while more is
/// due. At the stop a tick under way has [`SourceConfig::drain`] to end; where it does not, its
/// rows are taken again after their lease.
pub async fn run_source<S: Source>(source: S, runtime: &Runtime, config: &SourceConfig) -> Drained {
    let source = Arc::new(source);
    let publisher = Publisher::new(&runtime.broker, S::NAME.as_str()).minding(S::FILLS);
    let time_up = || async {
        runtime.stop.cancelled().await;
        sleep(config.drain).await;
    };

    let mut failures = 0;
    while !runtime.stop.is_cancelled() {
        if !publisher.has_room() {
            tokio::select! {
                () = sleep(config.interval) => {}
                () = runtime.stop.cancelled() => {}
            }
            continue;
        }

        let begun = Instant::now();
        let ended = tokio::select! {
            ended = tick_once(&source, runtime, &publisher) => ended,
            () = time_up() => return Drained { in_time: false, ..Drained::EMPTY },
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
    Drained::EMPTY
}

/// Why a tick did not come to its mark.
enum Failed {
    Fault(Fault),
    Publish(PublishError),
}

/// Ticks, publishes what the tick says, and marks its rows. Says whether more is due.
async fn tick_once<S: Source>(
    source: &Arc<S>,
    runtime: &Runtime,
    publisher: &Publisher,
) -> Result<bool, Failed> {
    let cx = Cx::read(&runtime.clock);
    let ticking = Arc::clone(source);
    let tick = AbortOnDropHandle::new(tokio::spawn(async move { ticking.tick(&cx).await }));
    let Tick { say, published, more } = tick.await.unwrap_or_else(failed)?;

    if !say.is_empty() {
        // Nothing stops this one but the time limit of the caller.
        let never = tokio_util::sync::CancellationToken::new();
        publisher.publish(say, &never).await.map_err(Failed::Publish)?;
    }

    if let Some(mark) = published {
        AbortOnDropHandle::new(tokio::spawn(mark)).await.unwrap_or_else(failed)?;
    }
    Ok(more)
}

fn failed<T>(why: tokio::task::JoinError) -> Result<T, Fault> {
    Err(panicked("source", why))
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Counts every failure, and logs it; during a long outage only now and then.
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
