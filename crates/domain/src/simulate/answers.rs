//! What the gates said at the first instant, counted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::setting::SimulatedRecipient;
use crate::{
    gates::{Decision, Gate, PACE_CODE, Verdict},
    money::Micros,
};

/// What the gates said at the first instant, counted. Each recipient is in one of the six counts.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many are admitted.
    pub admitted: u64,
    /// How many are to be asked again.
    pub deferred: u64,
    /// How many wait for a switch or a policy.
    pub held: u64,
    /// How many are never sent to.
    pub blocked: u64,
    /// How many messages are of no use any more before they could be sent.
    pub expired: u64,
    /// How many have no text.
    pub failed: u64,
    /// The segments of those admitted.
    pub segments: u64,
    /// What those admitted have reserved of every budget.
    pub cost: Micros,
    groups: BTreeMap<(Option<Gate>, &'static str, &'static str), SimulatedGroup>,
}

/// Recipients about whom one gate said one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedGroup {
    /// The gate; none for a validity that ends first, and for a text that cannot be made.
    pub gate: Option<Gate>,
    /// Its reason code.
    pub code: &'static str,
    /// `defer`, `hold`, `block`, `expire` or `fail`: what it said.
    pub verdict: &'static str,
    /// How many recipients.
    pub count: u64,
    /// The first instant that one of them waits for.
    pub earliest_until: Option<Timestamp>,
    /// The last instant that one of them waits for.
    pub latest_until: Option<Timestamp>,
}

impl Answers {
    /// Everybody who was asked about.
    pub fn audience(&self) -> u64 {
        self.admitted + self.deferred + self.held + self.blocked + self.expired + self.failed
    }

    /// Counts a recipient whose text cannot be made.
    pub(super) fn failed(&mut self, code: &'static str) {
        self.failed += 1;
        self.group(None, code, "fail", None);
    }

    /// Counts a recipient about whom the gates have decided.
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
            Verdict::AwaitPace { until } => {
                self.deferred += 1;
                self.group(None, PACE_CODE, verdict, Some(*until));
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

    /// Takes the groups, in the gates' order.
    pub(super) fn take_groups(&mut self) -> Vec<SimulatedGroup> {
        std::mem::take(&mut self.groups).into_values().collect()
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
