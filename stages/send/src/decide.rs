//! What the claim makes of one message: a pure function of the message, what is stored about it,
//! and the facts of this instant. It is the last look before the carrier call, and the only one
//! that sees an opt-out or a switch of a moment ago.

use std::time::Duration;

use domain::{
    draft::{self, NO_PHONE_NUMBER},
    gates::{self, ClaimFacts, Gate, Memo, PACE_CODE, PACE_REASON, Recheck, Wake, recheck},
    gcra::Slot,
    message::{
        class::MessageClass,
        state::{CALL_UNANSWERED, CALL_UNANSWERED_REASON, MessageState},
    },
};
use jiff::{SignedDuration, Timestamp};
use stage::MAX_WAIT;
use store::{
    capacity::pairs::PacedPair,
    messages::claim::{Claim, Current},
};
use wire::Admitted;

use crate::pace::Paces;

/// Waits up to this long stay in the pipe, asked again every [`MAX_WAIT`]; longer ones are parked.
/// A park costs a release, a row and a second pass through the gates, so a stall of a moment should
/// not cause one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// How soon to look again at a message that another process has claimed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The reason code of a message that waits for the one before it to the same person.
const PAIR_CODE: &str = "pair_pace";

/// What is known at the instant of the claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The business time of the claim.
    pub(crate) now: Timestamp,
    /// How long a claimed call may take to begin.
    pub(crate) call_by: Duration,
    /// How long the call may take from there.
    pub(crate) request_timeout: Duration,
    /// The message's row; none where nobody has looked, too.
    pub(crate) current: Option<&'a Current>,
    /// Whether the recipient has a row, which is locked.
    pub(crate) recipient_is_locked: bool,
    /// The sender that the gates chose.
    pub(crate) sender: Option<&'a gates::SenderFacts>,
    /// Whether a call may be made now: a permit has been found.
    pub(crate) has_permit: bool,
    /// The reason code of an account that cannot be called as it is set up.
    pub(crate) account_fault: Option<&'static str>,
    /// For the gates that are asked again.
    pub(crate) gates: &'a gates::Facts,
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
    /// `deferred`, `held`, `blocked`, `cancelled`, `expired` or `in_doubt`.
    pub(crate) state: MessageState,
    /// The gate whose rule ends it; none where it is no gate's.
    pub(crate) gate: Option<Gate>,
    /// The reason code, of the code table.
    pub(crate) code: &'static str,
    /// The reason in English.
    pub(crate) reason: String,
    /// When it goes back to the gates; business time.
    pub(crate) due: Option<Timestamp>,
    /// What wakes it, while it is held.
    pub(crate) wake: Option<String>,
}

/// Decides about one message. Asks `paces` last, because asking takes the sender's time.
pub(crate) fn decide(
    message: &Admitted,
    facts: &Facts<'_>,
    memo: &mut Memo,
    paces: &mut Paces,
) -> Decision {
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
            Some(claim) => claimed(&claim, facts.request_timeout, paces.now()),
            None => last_look(message, facts, memo, paces),
        },
        MessageState::Accepted => Decision::Dead("not_admitted"),
        // Cancelled with its campaign, here or by the gates, which name the reason.
        MessageState::Cancelled if stored.code.is_some() => Decision::SayAgain,
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

/// Decides about a message that is taken for queued in its turn, and nobody's, without a look at
/// its row: what makes the claim sees whether it is.
pub(crate) fn decide_queued(
    message: &Admitted,
    facts: &Facts<'_>,
    memo: &mut Memo,
    paces: &mut Paces,
) -> Decision {
    last_look(message, facts, memo, paces)
}

/// Another process, or an earlier hand-over, has claimed it. Until its call must be over the
/// message is left to that claim; after that nobody knows how the call ended.
fn claimed(claim: &Claim, request_timeout: Duration, now: Timestamp) -> Decision {
    let left = claim.call_by.duration_since(now) + signed(request_timeout);
    if left >= SignedDuration::ZERO {
        return Decision::Wait(LOOK_AGAIN);
    }

    Decision::End(Ending {
        state: MessageState::InDoubt,
        gate: None,
        code: CALL_UNANSWERED,
        reason: CALL_UNANSWERED_REASON.into(),
        due: None,
        wake: None,
    })
}

/// Looks at everything that may have changed since the gates admitted it, then asks for its turn.
fn last_look(
    message: &Admitted,
    facts: &Facts<'_>,
    memo: &mut Memo,
    paces: &mut Paces,
) -> Decision {
    let ending = check_address(message)
        .or_else(|| check_lock(message, facts))
        .or_else(|| check_gates(message, facts, memo))
        .or_else(|| check_window(message, facts))
        .or_else(|| check_sender(message, facts));
    if let Some(ending) = ending {
        return Decision::End(ending);
    }

    let Some(sender) = facts.sender else {
        return Decision::End(back_to_gates(facts, "sender_gone", "the sender no longer exists"));
    };
    if !facts.has_permit {
        return in_line(message, facts, SignedDuration::ZERO);
    }
    let pair = pair_of(message);
    let wait = pair.as_ref().and_then(|(pair, _)| paces.wait_of_pair(pair));
    if let Some(wait) = wait {
        return after_the_last(facts, wait);
    }
    let tenant = &message.message.head.tenant;
    let keys = (message.route.sender, sender.account.as_str());
    match paces.ask(tenant, keys, message.message.segments, sender.pace) {
        Slot::Now => {
            if let Some((pair, interval)) = pair {
                paces.take_pair(pair, interval);
            }
            Decision::Call
        }
        Slot::After(wait) if wait <= signed(PATIENCE) => {
            Decision::Wait(Duration::try_from(wait).unwrap_or(MAX_WAIT).min(MAX_WAIT))
        }
        Slot::After(wait) => in_line(message, facts, wait),
    }
}

/// The sender and the person, and how long they wait between two messages; none where
/// nobody limits that.
pub(crate) fn pair_of(message: &Admitted) -> Option<(PacedPair, Duration)> {
    let head = &message.message.head;
    let interval = head.channel.pair_interval()?;
    Some(((head.tenant.clone(), message.route.sender, message.message.contact), interval))
}

/// Parks the message until the person may have another one of its sender: it keeps no place that
/// messages to others need.
fn after_the_last(facts: &Facts<'_>, wait: SignedDuration) -> Decision {
    let due = facts.now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let reason = "the carrier takes one message in a few seconds from a sender to one person";
    Decision::End(Ending { due: Some(due), ..back_to_gates(facts, PAIR_CODE, reason) })
}

/// Puts the message in the line of its sender, from where it comes back when there is room.
fn in_line(message: &Admitted, facts: &Facts<'_>, wait: SignedDuration) -> Decision {
    let due = facts.now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let wake = Some(Wake::Line(message.line()).to_string());
    let ending = back_to_gates(facts, PACE_CODE, PACE_REASON);
    Decision::End(Ending { due: Some(due), wake, ..ending })
}

/// Enrich fails a message to an address that its channel does not reach, and no carrier is ever
/// called with one.
fn check_address(message: &Admitted) -> Option<Ending> {
    let head = &message.message.head;
    let is_reached = head.channel.reaches(&head.to);
    let reason = draft::reason(NO_PHONE_NUMBER);
    (!is_reached).then(|| blocked(Gate::Eligible, NO_PHONE_NUMBER, reason.into()))
}

/// An address without a row has no lock that an opt-out would wait for, so nothing goes to it but
/// what no opt-out stops.
fn check_lock(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let needs_lock = match message.message.head.class {
        MessageClass::Compliance => false,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => true,
    };

    let unlocked = needs_lock && !facts.recipient_is_locked;
    unlocked.then(|| {
        blocked(Gate::Dnc, "standing_unknown", "nothing is stored about the address".into())
    })
}

/// Asks the gates again about kill switch, do-not-contact, policy and quiet hours.
fn check_gates(message: &Admitted, facts: &Facts<'_>, memo: &mut Memo) -> Option<Ending> {
    let claim = ClaimFacts {
        facts: facts.gates,
        admitted_under: message.route.policy_version,
        longest_call: signed(facts.call_by + facts.request_timeout),
    };

    match recheck(&message.candidate(), &claim, memo) {
        Recheck::Admit => None,
        Recheck::Anew { gate, code, reason } => {
            Some(Ending { gate, ..back_to_gates(facts, code, &reason) })
        }
        Recheck::Hold { wake, cause } => Some(Ending {
            state: MessageState::Held,
            gate: Some(cause.gate),
            code: cause.code,
            reason: cause.reason,
            due: None,
            wake: Some(wake.to_string()),
        }),
        Recheck::Block { cause } => {
            let state = cause.ends_as();
            Some(Ending { state, ..blocked(cause.gate, cause.code, cause.reason) })
        }
    }
}

/// No call begins that could end after what the gates allowed.
fn check_window(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
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

/// The sender must still be the one that the gates chose, with an account that can be called.
fn check_sender(message: &Admitted, facts: &Facts<'_>) -> Option<Ending> {
    let Some(sender) = facts.sender.filter(|sender| sender.usable) else {
        return Some(back_to_gates(facts, "sender_gone", "the sender is not usable any more"));
    };

    // Throttle gave the message its turn among those of the account that the gates saw.
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

fn blocked(gate: Gate, code: &'static str, reason: String) -> Ending {
    Ending { state: MessageState::Blocked, gate: Some(gate), code, reason, due: None, wake: None }
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
