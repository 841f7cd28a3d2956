//! What the gates' verdict means for one message: its state, its stamp, how it waits. Pure.

use domain::{
    gates::{
        Counters, Facts, Gate, GateCause, Judged, Memo, Verdict, Wake, decide, decide::LEAD_TIME,
    },
    passport::{Passport, Stamp},
    state::MessageState,
};
use jiff::Timestamp;
use store::{gate::Admission, parked::Parking};
use wire::Enriched;

/// What is written down about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// `queued`, `deferred`, `held`, `blocked` or `expired`.
    pub state: MessageState,
    /// The gate that did not pass.
    pub gate: Option<Gate>,
    /// Its reason code.
    pub code: Option<&'static str>,
    /// Until when a deferral waits.
    pub due: Option<Timestamp>,
    /// What wakes a message that is held.
    pub wake: Option<Wake>,
    /// How an admitted message leaves.
    pub admission: Option<Admission>,
    /// What the admission took from the counters.
    pub reserved: Vec<(domain::gates::CounterKey, i64)>,
    /// The passport with the stamp of this decision.
    pub passport: Passport,
}

/// The message as the gates see it.
pub fn judged(message: &Enriched) -> Judged<'_> {
    Judged {
        id: message.head.id,
        tenant: &message.head.tenant,
        class: message.head.class,
        channel: message.head.channel,
        number: message.head.to,
        campaign: message.head.campaign,
        expires_at: message.head.expires_at,
        cost: message.cost,
        place: &message.place,
        senders: &message.senders,
    }
}

/// Decides one message and folds it into the counters.
pub fn rule(message: &Enriched, facts: &Facts, counters: &mut Counters, memo: &mut Memo) -> Ruling {
    let now = memo.now();
    let ends = message.head.expires_at;
    if ends.is_some_and(|ends| ends.duration_since(now) < LEAD_TIME) {
        let reason = "it could not be sent before its validity ends";
        return expired(message, now, None, "validity_ended", reason.into());
    }
    let decision = decide(&judged(message), facts, counters, memo);
    match decision.verdict {
        Verdict::Admit { sender, sendable_until } => {
            let tenant = facts.tenants.get(&message.head.tenant);
            let policy_version = tenant.map_or(0, |tenant| tenant.policy_version);
            let reserved = !decision.reserved.is_empty();
            let admission = Admission { sender, policy_version, sendable_until, reserved };
            Ruling {
                admission: Some(admission),
                reserved: decision.reserved,
                ..plain(message, MessageState::Queued, Stamp::plain("gate", now, "admit"))
            }
        }
        Verdict::Defer { until, cause } if ends.is_some_and(|ends| until >= ends) => {
            let reason = format!("{}; it would wait until {until}, beyond its use", cause.reason);
            expired(message, now, Some(cause.gate), cause.code, reason)
        }
        Verdict::Defer { until, cause } => {
            let stamp = Stamp { until: Some(until), ..stamp(now, "defer", &cause) };
            Ruling { due: Some(until), ..stopped(message, MessageState::Deferred, &cause, stamp) }
        }
        Verdict::Hold { cause } => {
            let stamp = stamp(now, "hold", &cause);
            let held = stopped(message, MessageState::Held, &cause, stamp);
            Ruling { wake: decision.wake, ..held }
        }
        Verdict::Block { cause } => {
            let until = decision.gates.last().and_then(|gate| gate.until);
            let stamp = Stamp { until, ..stamp(now, "block", &cause) };
            stopped(message, MessageState::Blocked, &cause, stamp)
        }
    }
}

/// The row that puts a message aside; none for one that does not wait.
pub fn parking<'a>(message: &'a Enriched, ruling: &Ruling) -> Option<Parking<'a>> {
    match ruling.state {
        MessageState::Deferred | MessageState::Held => {}
        MessageState::Queued | MessageState::Blocked | MessageState::Expired => return None,
        MessageState::Accepted
        | MessageState::InDoubt
        | MessageState::Cancelled
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => return None,
    }
    let payload = Enriched { passport: ruling.passport.clone(), ..message.clone() };
    let gate = ruling.gate.map_or("gate", Gate::as_str);
    let held = ruling.state == MessageState::Held;
    Some(Parking {
        tenant: &message.head.tenant,
        message: message.head.id,
        turn: message.head.turn,
        due: if held { message.head.expires_at } else { ruling.due },
        held,
        cause: format!("{gate}:{}", ruling.code.unwrap_or_default()),
        cause_key: ruling.wake.map(|wake| wake.to_string()),
        lane: message.head.class.lane(),
        payload: serde_json::to_string(&payload).expect("payloads are plain data"),
    })
}

fn expired(
    message: &Enriched,
    now: Timestamp,
    gate: Option<Gate>,
    code: &'static str,
    reason: String,
) -> Ruling {
    let mut stamp = Stamp::plain("gate", now, "expire");
    (stamp.gate, stamp.code, stamp.reason) = (gate, Some(code.into()), Some(reason));
    Ruling { gate, code: Some(code), ..plain(message, MessageState::Expired, stamp) }
}

fn stopped(message: &Enriched, state: MessageState, cause: &GateCause, stamp: Stamp) -> Ruling {
    Ruling { gate: Some(cause.gate), code: Some(cause.code), ..plain(message, state, stamp) }
}

fn plain(message: &Enriched, state: MessageState, stamp: Stamp) -> Ruling {
    let mut passport = message.passport.clone();
    passport.stamp(stamp);
    Ruling {
        state,
        gate: None,
        code: None,
        due: None,
        wake: None,
        admission: None,
        reserved: Vec::new(),
        passport,
    }
}

fn stamp(now: Timestamp, verdict: &str, cause: &GateCause) -> Stamp {
    Stamp {
        gate: Some(cause.gate),
        code: Some(cause.code.into()),
        reason: Some(cause.reason.clone()),
        ..Stamp::plain("gate", now, verdict)
    }
}
