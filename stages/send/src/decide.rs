//! What the claim makes of one message: a pure function of the message, what is stored about it,
//! and the facts of this instant. The last look before the carrier call, and the only one that an
//! opt-out or a switch turned off a moment ago can still stop.

use std::{collections::HashMap, time::Duration};

use domain::{
    class::MessageClass,
    gates::{Gate, SwitchMode},
    state::MessageState,
};
use jiff::{SignedDuration, Timestamp};
use store::messages::claim::{Claim, Current, SenderFacts, Standing, SwitchKey};
use wire::Admitted;

use crate::pace::{Pace, Slot};

/// Waits up to this long stay in the pipe, asked again every [`MAX_WAIT`]; longer ones are parked.
/// A park costs a release, a row and a second pass through the gates, so a stall of a moment should
/// not cause one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The longest wait that a stage may ask for at once.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(1);

/// How soon another look is worth it at a message that somebody else has.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What is known at the instant of the claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// Business time.
    pub(crate) now: Timestamp,
    /// How long a claimed call may take to begin.
    pub(crate) call_by: Duration,
    /// How long it may take from there.
    pub(crate) request_timeout: Duration,
    /// The message's row.
    pub(crate) current: Option<&'a Current>,
    /// Where the number stands.
    pub(crate) standing: Option<Standing>,
    /// The sender that the gates chose.
    pub(crate) sender: Option<&'a SenderFacts>,
    /// Why the sender's account cannot be called, if it cannot.
    pub(crate) account_fault: Option<&'static str>,
    /// Switches that are not on.
    pub(crate) switches: &'a HashMap<SwitchKey, SwitchMode>,
}

/// What the claim does with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Claim it and call the carrier.
    Call,
    /// Look again after this long.
    Wait(Duration),
    /// Record this end of its turn.
    End(Ending),
    /// It was decided before: say that again.
    SayAgain,
    /// A later turn has begun, or its tenant withdrew it: whoever did that says so.
    Nothing,
    /// It does not fit what is stored.
    Dead(&'static str),
}

/// How a message's turn ends here without a carrier call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// `deferred`, `held`, `blocked`, `expired` or `in_doubt`.
    pub(crate) state: MessageState,
    /// The gate whose rule it is, where it is one's.
    pub(crate) gate: Option<Gate>,
    /// The reason.
    pub(crate) code: &'static str,
    /// The reason in English.
    pub(crate) reason: String,
    /// When it goes back to the gates; business time.
    pub(crate) due: Option<Timestamp>,
    /// What wakes it, while it is held.
    pub(crate) wake: Option<String>,
}

/// Decides about one message. Asks `pace` last, because asking moves the sender's line.
pub(crate) fn decide(message: &Admitted, facts: &Facts<'_>, pace: &mut Pace) -> Decision {
    let Some(current) = facts.current else { return Decision::Dead("message_without_row") };
    let stored = &current.message;
    if stored.turn > message.message.head.turn {
        return Decision::Nothing;
    }
    if stored.turn < message.message.head.turn {
        return Decision::Dead("turn_ahead_of_row");
    }
    match stored.state {
        MessageState::Queued => match current.claim {
            Some(claim) => claimed(&claim, facts.request_timeout, pace.now()),
            None => last_look(message, facts, pace),
        },
        MessageState::Accepted => Decision::Dead("not_admitted"),
        MessageState::Cancelled => Decision::Nothing,
        MessageState::Deferred
        | MessageState::Held
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => Decision::SayAgain,
    }
}

/// Somebody has it. Until its call must be over it is theirs; after that nobody knows.
fn claimed(claim: &Claim, request_timeout: Duration, now: Timestamp) -> Decision {
    let mine = claim.call_by.duration_since(now) + signed(request_timeout);
    if mine >= SignedDuration::ZERO {
        return Decision::Wait(LOOK_AGAIN);
    }
    let reason = "its carrier call was begun, and whoever made it never said how it ended";
    Decision::End(Ending {
        state: MessageState::InDoubt,
        gate: None,
        code: "call_unanswered",
        reason: reason.into(),
        due: None,
        wake: None,
    })
}

fn last_look(message: &Admitted, facts: &Facts<'_>, pace: &mut Pace) -> Decision {
    let checks = [switches, standing, window, policy, consent, sender];
    if let Some(ending) = checks.iter().find_map(|check| check(message, facts)) {
        return Decision::End(ending);
    }
    let head = &message.message.head;
    let (Some(sender), segments) = (facts.sender, message.message.segments) else {
        return Decision::End(back_to_gates(facts, "sender_gone", "the sender no longer exists"));
    };
    let keys = (message.route.sender, sender.account.as_str());
    match pace.ask(&head.tenant, keys, segments, sender.pace) {
        Slot::Now => Decision::Call,
        Slot::After(wait) if wait <= PATIENCE => Decision::Wait(wait.min(MAX_WAIT)),
        Slot::After(wait) => {
            let due = facts.now.checked_add(signed(wait)).unwrap_or(Timestamp::MAX);
            let reason = "the sender has texts before this one for longer than a moment";
            Decision::End(Ending { due: Some(due), ..back_to_gates(facts, "pace", reason) })
        }
    }
}

/// Gate 1. Only the platform's switch stops a compliance answer.
fn switches(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let head = &message.message.head;
    let tenant = || head.tenant.clone();
    let every = match head.class {
        MessageClass::Compliance => false,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => true,
    };
    let mut over = vec![(SwitchKey::Platform, "platform_paused", "platform_stopped")];
    if every {
        over.push((SwitchKey::Tenant(tenant()), "tenant_paused", "tenant_stopped"));
        over.extend(
            head.campaign.map(|id| {
                (SwitchKey::Campaign(tenant(), id), "campaign_paused", "campaign_stopped")
            }),
        );
        let sender = SwitchKey::Sender(tenant(), message.route.sender);
        over.push((sender, "sender_paused", "sender_stopped"));
    }
    let off = over.iter().filter_map(|(key, paused, stopped)| {
        facts.switches.get(key).map(|mode| (*mode, key, *paused, *stopped))
    });
    // A stop is final and a pause is not: the stop decides wherever it stands.
    let (mode, key, paused, stopped) = off.max_by_key(|(mode, ..)| *mode)?;
    let gate = Some(Gate::KillSwitch);
    match mode {
        SwitchMode::On => None,
        // Another sender may take its place: the gates choose again.
        SwitchMode::Paused | SwitchMode::Stopped if matches!(key, SwitchKey::Sender(..)) => {
            Some(Ending { gate, ..back_to_gates(facts, paused, "the sender is switched off") })
        }
        SwitchMode::Paused => Some(Ending {
            state: MessageState::Held,
            gate,
            code: paused,
            reason: "switched off between admission and call".into(),
            due: None,
            wake: Some(key.wake().to_string()),
        }),
        SwitchMode::Stopped => {
            Some(blocked(Gate::KillSwitch, stopped, "stopped between admission and call"))
        }
    }
}

/// Gate 3, by the columns of the gate table. A number without a row has no lock that an opt-out
/// would wait for, so nothing goes to it.
fn standing(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let class = message.message.head.class;
    let do_not_contact = match class {
        MessageClass::Compliance => return None,
        MessageClass::Transactional => false,
        MessageClass::Conversational | MessageClass::Promo | MessageClass::Journey => true,
    };
    let Some(standing) = facts.standing else {
        return Some(blocked(Gate::Dnc, "standing_unknown", "nothing is stored about the number"));
    };
    if standing.opted_out {
        return Some(blocked(Gate::Dnc, "opted_out", "the person opted out before the call"));
    }
    if standing.program_stopped {
        let reason = "the person opted out of its program before the call";
        return Some(blocked(Gate::Dnc, "program_opted_out", reason));
    }
    if do_not_contact && standing.do_not_contact {
        return Some(blocked(Gate::Dnc, "do_not_contact", "on the do-not-contact list"));
    }
    None
}

/// No call begins that could end after what the gates allowed.
fn window(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let longest = signed(facts.call_by + facts.request_timeout);
    let ends = facts.now.checked_add(longest).unwrap_or(Timestamp::MAX);
    if ends < message.route.sendable_until {
        return None;
    }
    if message.message.head.expires_at.is_some_and(|expires| expires <= ends) {
        return Some(Ending {
            state: MessageState::Expired,
            gate: None,
            code: "expired",
            reason: "its validity ended before it could be sent".into(),
            due: None,
            wake: None,
        });
    }
    Some(back_to_gates(facts, "window_closed", "the time in which it was admitted is over"))
}

fn policy(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let admitted_under = message.route.policy_version;
    let changed = facts.sender.is_some_and(|sender| sender.policy_version != admitted_under);
    changed.then(|| back_to_gates(facts, "policy_changed", "another policy is in force by now"))
}

/// Gate 3's consent, under the policy that the gates went by: it may have been none for an hour.
fn consent(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let needed = facts.sender?.consent.of(message.message.head.class);
    let given = facts.standing.and_then(|standing| standing.consent);
    let lacking = needed.lacks(given, facts.now)?;
    Some(blocked(Gate::Dnc, lacking.code(), lacking.reason()))
}

fn sender(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let Some(sender) = facts.sender.filter(|sender| sender.usable) else {
        return Some(back_to_gates(facts, "sender_gone", "the sender is not usable any more"));
    };
    // The account's limits were shared out under its own shard.
    if sender.account != message.route.account {
        return Some(back_to_gates(facts, "sender_moved", "the sender has another account by now"));
    }
    let fault = facts.account_fault?;
    Some(Ending {
        state: MessageState::Held,
        gate: None,
        code: fault,
        reason: "the carrier account cannot be used as it is set up".into(),
        due: None,
        wake: Some(account_wake(&sender.account)),
    })
}

/// What messages wait for while their carrier account does not work.
pub(crate) fn account_wake(account: &str) -> String {
    format!("account:{account}")
}

fn blocked(gate: Gate, code: &'static str, reason: &str) -> Ending {
    Ending {
        state: MessageState::Blocked,
        gate: Some(gate),
        code,
        reason: reason.into(),
        due: None,
        wake: None,
    }
}

/// Parked, due now: the gates decide anew, in the next turn.
fn back_to_gates(facts: &Facts<'_>, code: &'static str, reason: &str) -> Ending {
    Ending {
        state: MessageState::Deferred,
        gate: None,
        code,
        reason: reason.into(),
        due: Some(facts.now),
        wake: None,
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;
