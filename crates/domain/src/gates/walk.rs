//! The walk through the gates in their order. It ends at the first gate that does not pass, or goes
//! on to list what the others say.

use super::{
    capacity::{line::CapacityLine, windows::Windows},
    classes::applies,
    evaluation::{Evaluation, Rejection, Ruling, Step},
    facts::SenderFacts,
    model::{Gate, GateAnswer, GateResult},
    pace::{self, PassedSender, Turn},
    rules::{budget, dnc, eligible, kill_switch, quiet_hours, rate, suppression, warmup},
};

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
    /// They do, and it waits in this line for its sender's pace.
    InLine(CapacityLine),
    /// The first gate that does not, and why.
    Rejected(Gate, Rejection),
}

/// How a message passes.
pub(super) struct Passed {
    /// The sender that carries it.
    pub(super) sender: PassedSender,
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
                let rejection = within_hours(gate, &evaluation, rejection);
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

/// What a gate says. Where it makes the message wait, the recipient's hours are looked at too: they
/// are asked after most gates, and would make it wait again.
fn within_hours(gate: Gate, evaluation: &Evaluation<'_>, rejection: Rejection) -> Rejection {
    let has_hours = applies(Gate::QuietHours, evaluation.candidate.class);
    if gate == Gate::QuietHours || !has_hours {
        return rejection;
    }
    quiet_hours::within_hours(evaluation, rejection)
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

/// The end of a walk that no gate has ended.
fn pass(mut evaluation: Evaluation<'_>, mut gates: Vec<GateResult>) -> Walk {
    let left = std::mem::take(&mut evaluation.senders);
    let senders: Vec<PassedSender> =
        left.into_iter().map(|sender| passed(&mut evaluation, sender)).collect();
    let Some(turn) = pace::turn(&evaluation, &senders) else {
        // A compliance answer: the gates that look at its senders were not asked.
        let reason = "no sender fits this recipient".into();
        let rejection = Rejection::new(Ruling::Block(None), "no_sender", reason);
        gates[0] = rejection.result(Gate::Eligible);
        return Walk { gates, end: WalkEnd::Rejected(Gate::Eligible, rejection) };
    };

    let end = match turn {
        Turn::Now(sender) => WalkEnd::Passed(Passed { sender, windows: evaluation.windows }),
        Turn::InLine(line) => WalkEnd::InLine(line),
    };
    Walk { gates, end }
}

/// How long a sender may carry the message: in its day, where the last gate counts in it.
fn passed(evaluation: &mut Evaluation<'_>, sender: &SenderFacts) -> PassedSender {
    let day = evaluation.sender_day(sender);
    let until = evaluation.sendable_until();
    let is_counted = applies(Gate::Warmup, evaluation.candidate.class);
    let sendable_until = if is_counted { until.min(day.end) } else { until };
    PassedSender { id: sender.id, day_start: day.start, sendable_until }
}
