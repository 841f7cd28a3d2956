//! The runtime's metrics, with Prometheus names and units. Each consumer makes its handles once, so
//! that a message costs an addition, not a look-up.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use stage::{fault::Fault, outcome::Outcome};

use crate::consumers::ConsumerSpec;
/// The metrics of one consumer.
#[derive(Clone)]
pub(crate) struct Measure {
    stage: &'static str,
    lane: &'static str,
    emitted: Counter,
    waited: Counter,
    parked: Counter,
    died: Counter,
    /// Seconds that the stage took for one hand-over.
    pub(crate) batch_seconds: Histogram,
    /// Messages in one hand-over.
    pub(crate) batch_size: Histogram,
    /// Frames that were delivered before.
    pub(crate) redeliveries: Counter,
    /// Messages held by this process.
    pub(crate) in_flight: Gauge,
    /// Acks that were not confirmed; their frames come again.
    pub(crate) ack_failures: Counter,
    /// Frames not acked yet, anywhere.
    pub(crate) lag: Gauge,
    /// Age in seconds of the oldest frame not acked yet.
    pub(crate) oldest: Gauge,
}

impl Measure {
    pub(crate) fn new(spec: &ConsumerSpec) -> Self {
        let stage = spec.stage.as_str();
        let lane = spec.lane.map_or("none", domain::message::class::Lane::as_str);
        let consumer = spec.name;

        let messages = |outcome: &'static str| {
            counter!("millrace_stage_messages_total",
                "stage" => stage, "lane" => lane, "outcome" => outcome)
        };
        let labels = [("stage", stage), ("lane", lane), ("consumer", consumer)];

        Self {
            stage,
            lane,
            emitted: messages("emit"),
            waited: messages("wait"),
            parked: messages("park"),
            died: messages("dead"),
            batch_seconds: histogram!("millrace_stage_batch_seconds", &labels[..2]),
            batch_size: histogram!("millrace_stage_batch_size", &labels[..2]),
            redeliveries: counter!("millrace_stage_redeliveries_total", &labels[..2]),
            in_flight: gauge!("millrace_stage_in_flight", &labels),
            ack_failures: counter!("millrace_ack_failures_total", &labels),
            lag: gauge!("millrace_stage_lag_messages", &labels),
            oldest: gauge!("millrace_stage_oldest_unacked_seconds", &labels),
        }
    }

    pub(crate) fn outcome(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Emit(_) => self.emitted.increment(1),
            Outcome::Wait { .. } => self.waited.increment(1),
            Outcome::Park { cause, .. } => {
                self.parked.increment(1);
                counter!("millrace_stage_parked_total", "stage" => self.stage, "cause" => cause.0)
                    .increment(1);
            }
            Outcome::Dead { .. } => self.died.increment(1),
        }
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        counter!("millrace_stage_faults_total",
            "stage" => self.stage, "lane" => self.lane, "fault" => fault.label())
        .increment(1);
    }

    pub(crate) fn letter(&self, cause: &'static str) {
        counter!("millrace_stage_dead_letters_total", "stage" => self.stage, "cause" => cause)
            .increment(1);
    }
}
