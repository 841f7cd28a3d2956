//! What a carrier's answer means for a message that the carrier did not take, or may not have:
//! pure.

use std::time::Duration;

use carriers::{Carrier, CarrierReply, Doubt, Refusal, Throttle, ThrottleScope};
use domain::message::state::{MAX_CALLS, MessageState};
use jiff::{SignedDuration, Timestamp};
use stage::machine::backoff;
use store::capacity::pace::Slowed;
use wire::Admitted;

use crate::decide::account_wake;

/// The wait before the second call, doubled for each after it.
const RETRY_BASE: Duration = Duration::from_secs(2);

/// The longest wait between two calls.
const RETRY_CAP: Duration = Duration::from_secs(15 * 60);

/// How long an account rests after it refused our credentials, so that its other messages do not
/// all ask in vain before a person has looked.
const REST: Duration = Duration::from_secs(60);

/// How a call ended that sent nothing, or may have sent nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `failed`, `deferred`, `held` or `in_doubt`.
    pub(crate) state: MessageState,
    /// The carrier's code, or a word for what was seen.
    pub(crate) code: String,
    /// The cause in English.
    pub(crate) reason: &'static str,
    /// When it is tried again; business time.
    pub(crate) due: Option<Timestamp>,
    /// What wakes it, while it is held.
    pub(crate) wake: Option<String>,
    /// The pace row to slow down, and for how long.
    pub(crate) slow: Option<(Slowed, Duration)>,
    /// The carrier's code by which the person wants no more, or no more marketing.
    pub(crate) opt_out: Option<u32>,
    /// One word for metrics.
    pub(crate) label: &'static str,
}

/// Reads an answer to attempt number `attempt`, counted from 1. None for a text that was taken.
pub(crate) fn read(
    answer: &CarrierReply,
    carrier: Carrier,
    message: &Admitted,
    attempt: i16,
    now: Timestamp,
) -> Option<Verdict> {
    match answer {
        CarrierReply::Accepted { .. } => None,
        CarrierReply::Refused { code, reason } => Some(refused(carrier, *code, *reason)),
        CarrierReply::NotSent { code, throttle } => {
            let pause = throttle.map(|asked| pause(message, asked, attempt));
            Some(not_sent(carrier, *code, pause, message, attempt, now))
        }
        CarrierReply::AuthFailed { code } => Some(account_refused(carrier, *code, message)),
        CarrierReply::Unknown { why } => Some(in_doubt(carrier, *why)),
    }
}

/// What a carrier wants that throttled a call.
struct Pause {
    /// The pace row to slow down; none where it is enough to park this message.
    row: Option<Slowed>,
    wait: Duration,
}

fn pause(message: &Admitted, asked: Throttle, attempt: i16) -> Pause {
    let wait = asked.retry_after.unwrap_or_else(|| again_after(message, attempt));
    let wait = match asked.scope {
        ThrottleScope::Pair => growing(wait, attempt),
        ThrottleScope::Account | ThrottleScope::Sender => wait,
    };
    Pause { row: slowed(message, asked.scope), wait }
}

fn refused(carrier: Carrier, code: u32, reason: Refusal) -> Verdict {
    let by_person = match reason {
        Refusal::OptedOut => true,
        Refusal::Recipient | Refusal::Sender | Refusal::Region => false,
        Refusal::Content | Refusal::Request | Refusal::Unlisted => false,
    };

    let opt_out = (by_person || carrier.wish(code).is_some()).then_some(code);
    Verdict { opt_out, ..plain(carrier, MessageState::Failed, code, "refused") }
}

/// The message waits until the account's credentials work, and the account rests meanwhile.
fn account_refused(carrier: Carrier, code: u32, message: &Admitted) -> Verdict {
    let account = &message.route.account;
    Verdict {
        wake: Some(account_wake(account)),
        slow: Some((Slowed::Account(account.clone()), REST)),
        ..plain(carrier, MessageState::Held, code, "account_refused")
    }
}

/// The call surely sent nothing: it is made again later, unless it was the last.
fn not_sent(
    carrier: Carrier,
    code: Option<u32>,
    pause: Option<Pause>,
    message: &Admitted,
    attempt: i16,
    now: Timestamp,
) -> Verdict {
    let verdict = match code {
        Some(code) => plain(carrier, MessageState::Deferred, code, "not_sent"),
        None => Verdict {
            code: "no_connection".into(),
            reason: "no connection to the carrier was made",
            ..plain(carrier, MessageState::Deferred, 0, "not_sent")
        },
    };

    if attempt >= MAX_CALLS {
        return Verdict { state: MessageState::Failed, label: "given_up", ..verdict };
    }

    let wait = pause.as_ref().map_or_else(|| again_after(message, attempt), |pause| pause.wait);
    let signed_wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(1));
    Verdict {
        due: Some(now.checked_add(signed_wait).unwrap_or(Timestamp::MAX)),
        slow: pause.and_then(|pause| Some((pause.row?, pause.wait))),
        ..verdict
    }
}

/// The pace row that a throttle answer slows down; none for a pair of numbers, where it is enough
/// to park this message.
fn slowed(message: &Admitted, scope: ThrottleScope) -> Option<Slowed> {
    match scope {
        ThrottleScope::Account => Some(Slowed::Account(message.route.account.clone())),
        ThrottleScope::Sender => {
            Some(Slowed::Sender(message.message.head.tenant.clone(), message.route.sender))
        }
        ThrottleScope::Pair => None,
    }
}

/// Four times as long after each attempt: what a pair has borrowed from its later quota takes it
/// minutes to pay back (Meta's rule for error 131056).
fn growing(wait: Duration, attempt: i16) -> Duration {
    let attempts_before = u32::from(attempt.unsigned_abs()).saturating_sub(1);
    wait.saturating_mul(4_u32.saturating_pow(attempts_before)).min(RETRY_CAP)
}

/// Grows with the attempts, and differs between messages that failed together.
fn again_after(message: &Admitted, attempt: i16) -> Duration {
    let drawn = (message.message.head.id.0.as_u128() & 0xffff) as f64 / 65_536.0;
    backoff(u32::from(attempt.unsigned_abs()), RETRY_BASE, RETRY_CAP, drawn)
}

/// The call may have sent the text.
fn in_doubt(carrier: Carrier, why: Doubt) -> Verdict {
    let (code, reason) = match why {
        Doubt::TimedOut => ("timed_out".into(), "the carrier did not answer in time"),
        Doubt::Broken => ("connection_broken".into(), "the connection broke during the call"),
        Doubt::Unreadable { status } => {
            (format!("unreadable_{status}"), "the carrier's answer could not be read")
        }
        Doubt::Status { status, code } => {
            let code = code.map_or_else(|| format!("status_{status}"), |code| code.to_string());
            (code, "the carrier's answer says nothing certain")
        }
    };

    Verdict { code, reason, ..plain(carrier, MessageState::InDoubt, 0, "unknown") }
}

/// A verdict by the carrier's code alone.
fn plain(carrier: Carrier, state: MessageState, code: u32, label: &'static str) -> Verdict {
    Verdict {
        state,
        code: code.to_string(),
        reason: carrier.cause(code).cause,
        due: None,
        wake: None,
        slow: None,
        opt_out: None,
        label,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
