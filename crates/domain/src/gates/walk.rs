//! The walk through the gates in their order. It ends at the first gate that does not pass, or goes
//! on to list what the others say.

use jiff::Timestamp;

use super::{
    capacity::windows::Windows,
    classes::applies,
    evaluation::{Evaluation, Rejection, Ruling, Step},
    model::{Gate, GateAnswer, GateResult},
    rules::{budget, dnc, eligible, kill_switch, quiet_hours, rate, suppression, warmup},
};
use crate::ids::SenderId;

const NO_SENDER_LEFT: &str = "the gates before it left no candidate sender";

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Until a gate does not pass: it decides, and the rest is of no interest.
    ToTheFirstRejection,
    /// Through every gate. The first that does not pass still decides.
    All,
}

/// What a walk has found.
pub(super) struct Walk {
    /// What each gate said, in order.
    pub(super) gates: Vec<GateResult>,
    pub(super) end: WalkEnd,
}

/// What a walk comes to.
pub(super) enum WalkEnd {
    /// Every gate lets the message pass.
    Passed(Passed),
    /// The first gate that does not, and why.
    Rejected(Gate, Rejection),
}

/// How a message passes.
pub(super) struct Passed {
    pub(super) sender: SenderId,
    /// Start of the sender's day, for the reservation.
    pub(super) sender_day_start: Timestamp,
    pub(super) sendable_until: Timestamp,
    /// The tenant's windows, for the reservation.
    pub(super) windows: Windows,
}

/// Asks the gates in their order.
pub(super) fn walk(mut evaluation: Evaluation<'_>, depth: Depth) -> Walk {
    let mut gates = Vec::with_capacity(Gate::ORDER.len());
    let mut rejected: Option<(Gate, Rejection)> = None;

    for gate in Gate::ORDER {
        let is_asked = applies(gate, evaluation.candidate.class);
        match if is_asked { ask(gate, &mut evaluation) } else { Step::NotAsked } {
            Step::Pass => gates.push(GateResult::plain(gate, GateAnswer::Pass)),
            Step::NotAsked => gates.push(GateResult::plain(gate, GateAnswer::NotAsked)),
            Step::Moot => gates.push(GateResult::moot(gate, "no_sender_left", NO_SENDER_LEFT)),
            Step::Reject(rejection) => {
                gates.push(rejection.result(gate));
                rejected.get_or_insert((gate, rejection));
                match depth {
                    Depth::ToTheFirstRejection => break,
                    Depth::All => {}
                }
            }
        }
    }

    match rejected {
        Some((gate, rejection)) => Walk { gates, end: WalkEnd::Rejected(gate, rejection) },
        None => pass(evaluation, gates),
    }
}

/// The walk of a message whose facts cannot be read: no gate can be asked, and the first says so.
pub(super) fn unreadable(rejection: Rejection, depth: Depth) -> Walk {
    let mut gates = vec![rejection.result(Gate::Eligible)];
    match depth {
        Depth::ToTheFirstRejection => {}
        Depth::All => gates.extend(Gate::ORDER[1..].iter().map(|gate| {
            GateResult::moot(*gate, "facts_unreadable", "the facts that it needs cannot be read")
        })),
    }
    Walk { gates, end: WalkEnd::Rejected(Gate::Eligible, rejection) }
}

/// What one gate says, by its rule.
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

/// The end of a walk that no gate has ended: the first sender left carries the message.
fn pass(mut evaluation: Evaluation<'_>, mut gates: Vec<GateResult>) -> Walk {
    let Some(sender) = evaluation.senders.first().copied() else {
        // A compliance answer: the gates that look at its senders were not asked.
        let reason = "no sender fits this recipient".into();
        let rejection = Rejection::new(Ruling::Block(None), "no_sender", reason);
        gates[0] = rejection.result(Gate::Eligible);
        return Walk { gates, end: WalkEnd::Rejected(Gate::Eligible, rejection) };
    };

    let passed = Passed {
        sender: sender.id,
        sender_day_start: evaluation.sender_day(sender).start,
        sendable_until: evaluation.sendable_until(),
        windows: evaluation.windows,
    };
    Walk { gates, end: WalkEnd::Passed(passed) }
}
