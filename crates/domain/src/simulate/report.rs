//! What a simulation has come to, counted.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{SimulatedRecipient, forecast::Forecast};
use crate::{
    gates::{Decision, Gate, Verdict},
    ids::SenderId,
    money::Micros,
};

/// What the gates said at the first instant, counted.
#[derive(Debug, Default)]
pub struct Answers {
    /// Admitted.
    pub admitted: u64,
    /// To be asked again.
    pub deferred: u64,
    /// Waiting for a switch or a policy.
    pub held: u64,
    /// Never sent.
    pub blocked: u64,
    /// Of no use any more before they could be sent.
    pub expired: u64,
    /// Without a text.
    pub failed: u64,
    /// Segments of those admitted.
    pub segments: u64,
    /// What those admitted have reserved of every budget.
    pub cost: Micros,
    groups: BTreeMap<(Option<Gate>, &'static str, &'static str), SimulatedGroup>,
}

/// Recipients about whom one gate said one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedGroup {
    /// Which gate; none for a validity that ends first, and for a text that cannot be made.
    pub gate: Option<Gate>,
    /// Its reason code.
    pub code: &'static str,
    /// `defer`, `hold`, `block`, `expire` or `fail`.
    pub verdict: &'static str,
    /// How many.
    pub count: u64,
    /// The first instant that one of them waits for.
    pub earliest_until: Option<Timestamp>,
    /// The last.
    pub latest_until: Option<Timestamp>,
}

/// What one sender carries in one of its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderTotal {
    /// Which.
    pub sender: SenderId,
    /// The day, in the sender's zone.
    pub day: Date,
    /// Messages of this campaign.
    pub admitted: u64,
    /// Messages that fit the day, those of others included.
    pub cap: u32,
}

/// A simulation's result.
#[derive(Debug)]
pub struct SimulationReport {
    /// The first instant.
    pub at: Timestamp,
    /// The policy's version; none where the tenant's facts could not be read.
    pub policy_version: Option<i64>,
    /// What was said then.
    pub answers: Answers,
    /// The same by gate and code, in the gates' order.
    pub groups: Vec<SimulatedGroup>,
    /// Each sender's days until the end.
    pub senders: Vec<SenderTotal>,
    /// Messages that leave until the end.
    pub sent: u64,
    /// Their segments.
    pub segments: u64,
    /// Their cost.
    pub cost: Micros,
    /// When the first leaves.
    pub first_send_at: Option<Timestamp>,
    /// When the last leaves; none while some are left.
    pub finish_at: Option<Timestamp>,
    /// Those who had to wait and were then held, blocked, or of no use any more.
    pub dropped: u64,
    /// Those who still wait at the end of what is looked at.
    pub waiting: u64,
}

impl Answers {
    /// Everybody who was asked about.
    pub fn audience(&self) -> u64 {
        self.admitted + self.deferred + self.held + self.blocked + self.expired + self.failed
    }

    pub(super) fn failed(&mut self, code: &'static str) {
        self.failed += 1;
        self.group(None, code, "fail", None);
    }

    pub(super) fn decided(&mut self, decision: &Decision, one: &SimulatedRecipient) {
        let verdict = decision.verdict.as_str();
        match &decision.verdict {
            Verdict::Admit { .. } => {
                self.admitted += 1;
                self.segments += u64::from(one.draft.segments);
                self.cost += one.draft.cost;
            }
            Verdict::Defer { until, cause } => {
                self.deferred += 1;
                self.group(Some(cause.gate), cause.code, verdict, Some(*until));
            }
            Verdict::Hold { cause } => {
                self.held += 1;
                self.group(Some(cause.gate), cause.code, verdict, None);
            }
            Verdict::Block { until, cause } => {
                self.blocked += 1;
                self.group(Some(cause.gate), cause.code, verdict, *until);
            }
            Verdict::Expire { gate, code, .. } => {
                self.expired += 1;
                self.group(*gate, code, verdict, None);
            }
        }
    }

    fn group(
        &mut self,
        gate: Option<Gate>,
        code: &'static str,
        verdict: &'static str,
        until: Option<Timestamp>,
    ) {
        let group = self.groups.entry((gate, code, verdict)).or_insert(SimulatedGroup {
            gate,
            code,
            verdict,
            count: 0,
            earliest_until: None,
            latest_until: None,
        });
        group.count += 1;
        if let Some(until) = until {
            group.earliest_until = Some(group.earliest_until.map_or(until, |old| old.min(until)));
            group.latest_until = Some(group.latest_until.map_or(until, |old| old.max(until)));
        }
    }
}

pub(super) fn report(
    at: Timestamp,
    policy_version: Option<i64>,
    mut answers: Answers,
    forecast: Forecast,
) -> SimulationReport {
    let waiting = forecast.left();
    SimulationReport {
        at,
        policy_version,
        groups: std::mem::take(&mut answers.groups).into_values().collect(),
        answers,
        senders: forecast.days.into_values().collect(),
        sent: forecast.sent,
        segments: forecast.segments,
        cost: forecast.cost,
        first_send_at: forecast.first,
        finish_at: forecast.last.filter(|_| waiting == 0),
        dropped: forecast.dropped,
        waiting,
    }
}
