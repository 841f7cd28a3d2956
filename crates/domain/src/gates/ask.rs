//! The gates in their order, and which are asked for which class: the one place of both. A walk
//! ends at the first gate that does not pass, or goes on to list what the others say.

use jiff::Timestamp;

use super::{
    Gate, budget,
    case::{Case, Ruling, Step, Stop},
    counters::Windows,
    decide::{Answer, GateResult},
    dnc, eligible, kill_switch, quiet, rate, suppression, warmup,
};
use crate::{class::MessageClass, ids::SenderId};

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Until a gate does not pass: it decides, and the rest is of no interest.
    ToTheFirstStop,
    /// Through every gate. The first that does not pass still decides.
    All,
}

/// What a walk has found.
pub(super) struct Walk {
    /// What each gate said, in order.
    pub(super) gates: Vec<GateResult>,
    pub(super) end: End,
}

pub(super) enum End {
    /// Every gate lets it pass.
    Passed(Passed),
    /// The first gate that does not.
    Stopped(Gate, Stop),
}

/// How a message passes.
pub(super) struct Passed {
    pub(super) sender: SenderId,
    pub(super) sender_day: Timestamp,
    pub(super) sendable_until: Timestamp,
    /// The tenant's windows.
    pub(super) windows: Windows,
}

/// Asks the gates in their order.
pub(super) fn walk(mut case: Case<'_>, depth: Depth) -> Walk {
    let mut gates = Vec::with_capacity(Gate::ORDER.len());
    let mut stopped: Option<(Gate, Stop)> = None;
    for gate in Gate::ORDER {
        let asked = applies(gate, case.judged.class);
        match if asked { ask(gate, &mut case) } else { Step::NotAsked } {
            Step::Pass => gates.push(GateResult::plain(gate, Answer::Pass)),
            Step::NotAsked => gates.push(GateResult::plain(gate, Answer::NotAsked)),
            Step::Moot => gates.push(GateResult::moot(gate, "no_sender_left", NO_SENDER_LEFT)),
            Step::Stop(stop) => {
                gates.push(stop.result(gate));
                stopped.get_or_insert((gate, stop));
                match depth {
                    Depth::ToTheFirstStop => break,
                    Depth::All => {}
                }
            }
        }
    }
    if let Some((gate, stop)) = stopped {
        return Walk { gates, end: End::Stopped(gate, stop) };
    }
    let Some(sender) = case.senders.first().copied() else {
        let reason = "no sender fits this recipient".into();
        let stop = Stop::new(Ruling::Block(None), "no_sender", reason);
        gates[0] = stop.result(Gate::Eligible);
        return Walk { gates, end: End::Stopped(Gate::Eligible, stop) };
    };
    let sender_day = case.sender_day(sender).start;
    let (sendable_until, windows) = (case.sendable_until(), case.windows);
    let passed = Passed { sender: sender.id, sender_day, sendable_until, windows };
    Walk { gates, end: End::Passed(passed) }
}

/// No gate can be asked without facts: the first says so.
pub(super) fn unreadable(stop: Stop, depth: Depth) -> Walk {
    let mut gates = vec![stop.result(Gate::Eligible)];
    match depth {
        Depth::ToTheFirstStop => {}
        Depth::All => gates.extend(Gate::ORDER[1..].iter().map(|gate| {
            GateResult::moot(*gate, "facts_unreadable", "the facts that it needs cannot be read")
        })),
    }
    Walk { gates, end: End::Stopped(Gate::Eligible, stop) }
}

const NO_SENDER_LEFT: &str = "the gates before it left no candidate sender";

/// Which gates are asked for which class: the table of the seven gates, and eligibility.
fn applies(gate: Gate, class: MessageClass) -> bool {
    use MessageClass::{Compliance, Conversational, Journey, Promo, Transactional};
    match (gate, class) {
        (Gate::KillSwitch, Compliance) => true,
        (
            Gate::Eligible
            | Gate::KillSwitch
            | Gate::Budget
            | Gate::Dnc
            | Gate::Rate
            | Gate::Warmup,
            Promo | Journey | Conversational | Transactional,
        ) => true,
        (Gate::Suppression, Promo) => true,
        (Gate::QuietHours, Promo | Journey) => true,
        (Gate::Suppression, Journey | Conversational | Transactional) => false,
        (Gate::QuietHours, Conversational | Transactional) => false,
        (
            Gate::Eligible
            | Gate::Budget
            | Gate::Dnc
            | Gate::Suppression
            | Gate::QuietHours
            | Gate::Rate
            | Gate::Warmup,
            Compliance,
        ) => false,
    }
}

fn ask(gate: Gate, case: &mut Case<'_>) -> Step {
    match gate {
        Gate::Eligible => eligible::check(case),
        Gate::KillSwitch => kill_switch::check(case),
        Gate::Budget => budget::check(case),
        Gate::Dnc => dnc::check(case),
        Gate::Suppression => suppression::check(case),
        Gate::QuietHours => quiet::check(case),
        Gate::Rate => rate::check(case),
        Gate::Warmup => warmup::check(case),
    }
}
