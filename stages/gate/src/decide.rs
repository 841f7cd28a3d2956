//! What the gates' verdict means for one message: its state, its stamp, how it waits. Pure.

use domain::{
    gates::{CounterKey, Decision, Gate, PACE_CODE, Verdict, Wake, ends_at, evaluate},
    message::{passport::Passport, state::MessageState},
};
use jiff::Timestamp;
use store::{messages::gate::Admission, parked::park::Parking};
use wire::Enriched;

use crate::load::{Grounds, Item};

/// A message, and what is to be written down about it.
pub(crate) struct Ruled<'a> {
    pub(crate) item: Item<'a>,
    pub(crate) ruling: Ruling,
}

/// What is written down about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// `queued`, `deferred`, `held`, `blocked`, `cancelled` or `expired`.
    pub(crate) state: MessageState,
    /// The gate that did not pass.
    pub(crate) gate: Option<Gate>,
    /// Its reason code.
    pub(crate) code: Option<&'static str>,
    /// Until when a deferral waits.
    pub(crate) due: Option<Timestamp>,
    /// What wakes a message that is held.
    pub(crate) wake: Option<Wake>,
    /// When it is of no use any more.
    pub(crate) ends_at: Option<Timestamp>,
    /// How an admitted message leaves.
    pub(crate) admission: Option<Admission>,
    /// What the admission took from the counters.
    pub(crate) reserved: Vec<(CounterKey, i64)>,
    /// The passport with the stamp of this decision.
    pub(crate) passport: Passport,
}

/// Decides one message, and counts an admission in the grounds of the next ones.
pub(crate) fn rule<'a>(item: Item<'a>, grounds: &mut Grounds) -> Ruled<'a> {
    let Grounds { facts, counters, memo } = grounds;
    let candidate = item.message.candidate();
    let decision = evaluate(&candidate, facts, counters, memo);

    let tenant = facts.tenants.get(candidate.tenant);
    let ends_at = ends_at(&candidate, tenant.and_then(|tenant| tenant.policy.as_ref()));
    let mut passport = item.message.passport.clone();
    passport.stamp(decision.stamp(memo.now()));

    let (state, gate, code) = state_of(&decision.verdict);
    let due = match decision.verdict {
        Verdict::Defer { until, .. } | Verdict::AwaitPace { until } => Some(until),
        Verdict::Admit { .. }
        | Verdict::Hold { .. }
        | Verdict::Block { .. }
        | Verdict::Expire { .. } => None,
    };
    let admission = admission(&decision);

    let Decision { wake, reserved, .. } = decision;
    let ruling = Ruling { state, gate, code, due, wake, ends_at, admission, reserved, passport };
    Ruled { item, ruling }
}

/// The state that a verdict leads to, the gate that did not pass, and its reason code.
fn state_of(verdict: &Verdict) -> (MessageState, Option<Gate>, Option<&'static str>) {
    match verdict {
        Verdict::Admit { .. } => (MessageState::Queued, None, None),
        Verdict::Defer { cause, .. } => {
            (MessageState::Deferred, Some(cause.gate), Some(cause.code))
        }
        Verdict::AwaitPace { .. } => (MessageState::Deferred, None, Some(PACE_CODE)),
        Verdict::Hold { cause } => (MessageState::Held, Some(cause.gate), Some(cause.code)),
        Verdict::Block { cause, .. } => (cause.ends_as(), Some(cause.gate), Some(cause.code)),
        Verdict::Expire { gate, code, .. } => (MessageState::Expired, *gate, Some(*code)),
    }
}

/// How the message leaves, where it is admitted.
fn admission(decision: &Decision) -> Option<Admission> {
    match decision.verdict {
        Verdict::Admit { sender, sendable_until } => Some(Admission {
            sender,
            policy_version: decision.policy_version.unwrap_or(0),
            sendable_until,
            reserved: !decision.reserved.is_empty(),
        }),
        Verdict::Defer { .. }
        | Verdict::AwaitPace { .. }
        | Verdict::Hold { .. }
        | Verdict::Block { .. }
        | Verdict::Expire { .. } => None,
    }
}

/// The row that puts a message aside; none for one that does not wait.
pub(crate) fn parking<'a>(message: &'a Enriched, ruling: &Ruling) -> Option<Parking<'a>> {
    if !ruling.state.is_parked() {
        return None;
    }

    let passport = ruling.passport.clone();
    let payload = Enriched { passport, placed: None, ..message.clone() };
    let gate = ruling.gate.map_or("gate", Gate::as_str);
    // Who waits for the pace leaves the line when there is room, whatever the time.
    let held = ruling.state == MessageState::Held || ruling.code == Some(PACE_CODE);

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
