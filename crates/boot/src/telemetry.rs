//! Logs to standard error and metrics in Prometheus' format.
//!
//! Logs carry ids, counts and times; never texts, phone numbers or secrets.

pub mod catalogue;
pub mod logs;

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

// Each bound is a line of every series, in every process: few do.
/// Histogram bounds for durations, seconds: from a batched row to a drain.
const SECONDS: [f64; 8] = [0.002, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 300.0];
/// Histogram bounds for requests, seconds: what carriers wait for an answer, and what callers do.
const REQUEST_SECONDS: [f64; 4] = [0.025, 0.1, 1.0, 5.0];
/// Histogram bounds for how many messages travel together: the mean is what is looked at.
const MESSAGES: [f64; 1] = [256.0];
/// Histogram bounds for sizes, bytes: up to a webhook body.
const BYTES: [f64; 7] = [256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

/// How often the upkeep thread moves samples into their buckets, also when nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The metrics recorder was refused.
    #[error("the metrics recorder could not be installed: {0}")]
    Metrics(BuildError),
    /// The upkeep thread could not be started.
    #[error("the metrics thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// Every metric of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder that the `metrics` macros write to; a process may do so once.
    ///
    /// Histograms named `*_seconds`, `*_messages` or `*_size`, and `*_bytes` get bounds for what
    /// they count.
    ///
    /// # Errors
    /// There is a recorder already.
    pub fn install() -> Result<Self, TelemetryError> {
        let buckets = |builder: PrometheusBuilder, suffix: &str, bounds: &[f64]| {
            builder.set_buckets_for_metric(Matcher::Suffix(suffix.to_owned()), bounds)
        };
        let requests = Matcher::Full("millrace_http_request_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS);
        let builder = builder
            .and_then(|it| it.set_buckets_for_metric(requests, &REQUEST_SECONDS))
            .and_then(|it| buckets(it, "_seconds", &SECONDS))
            .and_then(|it| buckets(it, "_messages", &MESSAGES))
            .and_then(|it| buckets(it, "_size", &MESSAGES))
            .and_then(|it| buckets(it, "_bytes", &BYTES))
            .map_err(TelemetryError::Metrics)?;
        let handle = builder.install_recorder().map_err(TelemetryError::Metrics)?;
        catalogue::describe();

        let kept = handle.clone();
        std::thread::Builder::new()
            .name("metrics-upkeep".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(UPKEEP);
                    kept.run_upkeep();
                }
            })
            .map_err(TelemetryError::Thread)?;

        Ok(Self(handle))
    }

    /// All metrics as Prometheus reads them.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_buckets_of_seconds() {
        let metrics = Metrics::install().expect("first in this process");
        metrics::histogram!("millrace_batch_seconds").record(0.003);
        metrics::histogram!("millrace_batch_messages").record(100.0);
        metrics::counter!("millrace_messages_total", "stage" => "gate").increment(2);
        metrics::gauge!("millrace_publish_blocked", "stage" => "gate").set(1.0);

        let text = metrics.render();
        assert!(text.contains("millrace_batch_seconds_bucket{le=\"0.002\"} 0"), "{text}");
        assert!(text.contains("millrace_batch_seconds_bucket{le=\"0.01\"} 1"), "{text}");
        assert!(text.contains("millrace_batch_messages_bucket{le=\"256\"} 1"), "{text}");
        assert!(text.contains("millrace_messages_total{stage=\"gate\"} 2"), "{text}");

        let help = "# HELP millrace_publish_blocked Publishes that wait";
        assert!(text.contains(help), "{text}");
        assert!(text.contains("# TYPE millrace_publish_blocked gauge"), "{text}");
    }
}
