//! What the gates' verdict means for one message: its state, its stamp, how it waits. Pure.

use domain::{
    gates::{Counters, Decision, Facts, Gate, Memo, Verdict, Wake, ends_at, evaluate},
    message::{passport::Passport, state::MessageState},
};
use jiff::Timestamp;
use store::{messages::gate::Admission, parked::park::Parking};
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
    /// When it is of no use any more.
    pub ends_at: Option<Timestamp>,
    /// How an admitted message leaves.
    pub admission: Option<Admission>,
    /// What the admission took from the counters.
    pub reserved: Vec<(domain::gates::CounterKey, i64)>,
    /// The passport with the stamp of this decision.
    pub passport: Passport,
}

/// Decides one message and folds it into the counters.
pub fn rule(message: &Enriched, facts: &Facts, counters: &mut Counters, memo: &mut Memo) -> Ruling {
    let candidate = message.candidate();
    let decision = evaluate(&candidate, facts, counters, memo);
    let tenant = facts.tenants.get(candidate.tenant);
    let ends_at = ends_at(&candidate, tenant.and_then(|tenant| tenant.policy.as_ref()));
    let mut passport = message.passport.clone();
    passport.stamp(decision.stamp(memo.now()));
    let policy_version = decision.policy_version.unwrap_or(0);
    let (state, gate, code) = match &decision.verdict {
        Verdict::Admit { .. } => (MessageState::Queued, None, None),
        Verdict::Defer { cause, .. } => {
            (MessageState::Deferred, Some(cause.gate), Some(cause.code))
        }
        Verdict::Hold { cause } => (MessageState::Held, Some(cause.gate), Some(cause.code)),
        Verdict::Block { cause, .. } => (MessageState::Blocked, Some(cause.gate), Some(cause.code)),
        Verdict::Expire { gate, code, .. } => (MessageState::Expired, *gate, Some(*code)),
    };
    let (due, admission) = match decision.verdict {
        Verdict::Admit { sender, sendable_until } => {
            let reserved = !decision.reserved.is_empty();
            (None, Some(Admission { sender, policy_version, sendable_until, reserved }))
        }
        Verdict::Defer { until, .. } => (Some(until), None),
        Verdict::Hold { .. } | Verdict::Block { .. } | Verdict::Expire { .. } => (None, None),
    };
    let Decision { wake, reserved, .. } = decision;
    Ruling { state, gate, code, due, wake, ends_at, admission, reserved, passport }
}

/// The row that puts a message aside; none for one that does not wait.
pub fn parking<'a>(message: &'a Enriched, ruling: &Ruling) -> Option<Parking<'a>> {
    if !ruling.state.is_parked() {
        return None;
    }
    let payload = Enriched { passport: ruling.passport.clone(), ..message.clone() };
    let gate = ruling.gate.map_or("gate", Gate::as_str);
    let held = ruling.state == MessageState::Held;
    Some(Parking {
        tenant: &message.head.tenant,
        message: message.head.id,
        turn: message.head.turn,
        due: if held { ruling.ends_at } else { ruling.due },
        held,
        cause: format!("{gate}:{}", ruling.code.unwrap_or_default()),
        cause_key: ruling.wake.map(|wake| wake.to_string()),
        lane: message.head.class.lane(),
        payload: serde_json::to_string(&payload).expect("payloads are plain data"),
    })
}
