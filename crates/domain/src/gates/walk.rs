//! The walk through the gates in their order. It ends at the first gate that does not pass, or goes
//! on to list what the others say.

use jiff::Timestamp;

use super::{
    applies,
    capacity::windows::Windows,
    evaluation::{Evaluation, Rejection, Ruling, Step},
    model::{Gate, GateAnswer, GateResult},
    rules::{budget, dnc, eligible, kill_switch, quiet_hours, rate, suppression, warmup},
};
use crate::ids::SenderId;

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
    Stopped(Gate, Rejection),
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
pub(super) fn walk(mut evaluation: Evaluation<'_>, depth: Depth) -> Walk {
    let mut gates = Vec::with_capacity(Gate::ORDER.len());
    let mut stopped: Option<(Gate, Rejection)> = None;
    for gate in Gate::ORDER {
        let asked = applies(gate, evaluation.candidate.class);
        match if asked { ask(gate, &mut evaluation) } else { Step::NotAsked } {
            Step::Pass => gates.push(GateResult::plain(gate, GateAnswer::Pass)),
            Step::NotAsked => gates.push(GateResult::plain(gate, GateAnswer::NotAsked)),
            Step::Moot => gates.push(GateResult::moot(gate, "no_sender_left", NO_SENDER_LEFT)),
            Step::Reject(stop) => {
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
    let Some(sender) = evaluation.senders.first().copied() else {
        let reason = "no sender fits this recipient".into();
        let stop = Rejection::new(Ruling::Block(None), "no_sender", reason);
        gates[0] = stop.result(Gate::Eligible);
        return Walk { gates, end: End::Stopped(Gate::Eligible, stop) };
    };
    let sender_day = evaluation.sender_day(sender).start;
    let (sendable_until, windows) = (evaluation.sendable_until(), evaluation.windows);
    let passed = Passed { sender: sender.id, sender_day, sendable_until, windows };
    Walk { gates, end: End::Passed(passed) }
}

/// No gate can be asked without facts: the first says so.
pub(super) fn unreadable(stop: Rejection, depth: Depth) -> Walk {
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

pub(super) fn ask(gate: Gate, evaluation: &mut Evaluation<'_>) -> Step {
    match gate {
        Gate::Eligible => eligible::check(evaluation),
        Gate::KillSwitch => kill_switch::check(evaluation),
        Gate::Budget => budget::check(evaluation),
        Gate::Dnc => dnc::check(evaluation),
        Gate::Suppression => suppression::check(evaluation),
        Gate::QuietHours => quiet_hours::check(evaluation),
        Gate::Rate => rate::check(evaluation),
        Gate::Warmup => warmup::check(evaluation),
    }
}
