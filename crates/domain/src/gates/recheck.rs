//! The last look before a carrier call: the gates whose facts may have changed since the admission
//! are asked again, by the rules that the walk through all of them uses.

use jiff::SignedDuration;

use super::{
    capacity::counters::Counters,
    classes::applies,
    evaluation::{Evaluation, Rejection, Ruling, Step, readable},
    facts::{Facts, TenantFacts},
    memo::Memo,
    model::{Candidate, Gate, GateCause},
    wake::Wake,
    walk::ask,
};

/// The gates that are asked again, in their order. The others count: what they let pass is reserved
/// for the message, and the time up to which it holds travels with it as `sendable_until`.
pub const ASKED_AGAIN: [Gate; 3] = [Gate::KillSwitch, Gate::Dnc, Gate::QuietHours];

/// What the claim knows.
#[derive(Debug)]
pub struct ClaimFacts<'a> {
    /// Switches, policies, programs, senders and recipients, as they are under the claim's locks.
    pub facts: &'a Facts,
    /// The policy version under which the message was admitted.
    pub admitted_under: i64,
    /// How long the call may take from now to its end: no window may close before.
    pub longest_call: SignedDuration,
}

/// What the last look says about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recheck {
    /// The call may begin.
    Admit,
    /// What the gates went by has changed, and they may find another way: another sender, a later
    /// hour. They decide anew.
    Anew {
        /// The gate that does not pass; none where the policy has changed.
        gate: Option<Gate>,
        /// The reason code.
        code: &'static str,
        /// The same in an English clause.
        reason: String,
    },
    /// It waits until its cause goes away.
    Hold {
        /// What ends the wait.
        wake: Wake,
        /// The gate, and why.
        cause: GateCause,
    },
    /// It is never sent.
    Block {
        /// The gate, and why.
        cause: GateCause,
    },
}

/// Asks about an admitted message, whose one candidate sender is the one that it was admitted for:
/// kill switch, whether the policy is still the same, do-not-contact, and quiet hours. The first
/// that does not pass decides.
pub fn recheck(candidate: &Candidate<'_>, claim: &ClaimFacts<'_>, memo: &mut Memo) -> Recheck {
    let (tenant, policy, recipient) = match readable(candidate, claim.facts) {
        Ok(found) => found,
        Err(rejection) => return Recheck::rejected(Gate::Eligible, rejection),
    };

    let nothing_counted = Counters::default();
    let mut evaluation = Evaluation {
        now: memo.now(),
        lead: claim.longest_call,
        candidate,
        platform: claim.facts.platform,
        tenant,
        policy,
        recipient,
        windows: memo.windows(tenant.zone),
        senders: candidate.senders.iter().filter_map(|id| tenant.senders.get(id)).collect(),
        counters: &nothing_counted,
        marketing: None,
        memo,
        sendable_until: None,
    };

    let [kill_switch, dnc, quiet_hours] = ASKED_AGAIN;
    look(kill_switch, &mut evaluation)
        .or_else(|| policy_changed(tenant, claim.admitted_under))
        .or_else(|| look(dnc, &mut evaluation))
        .or_else(|| look(quiet_hours, &mut evaluation))
        .unwrap_or(Recheck::Admit)
}

/// One gate, by its own rule; none when it passes.
fn look(gate: Gate, evaluation: &mut Evaluation<'_>) -> Option<Recheck> {
    if !applies(gate, evaluation.candidate.class) {
        return None;
    }

    let had_sender = !evaluation.senders.is_empty();
    match ask(gate, evaluation) {
        Step::Pass | Step::NotAsked | Step::Moot => None,
        // The gate has ruled the sender out, and another one may take its place.
        Step::Reject(rejection) if had_sender && evaluation.senders.is_empty() => {
            Some(Recheck::anew(gate, rejection))
        }
        Step::Reject(rejection) => Some(Recheck::rejected(gate, rejection)),
    }
}

fn policy_changed(tenant: &TenantFacts, admitted_under: i64) -> Option<Recheck> {
    (tenant.policy_version != admitted_under).then(|| Recheck::Anew {
        gate: None,
        code: "policy_changed",
        reason: "another policy is in force by now".into(),
    })
}

impl Recheck {
    fn rejected(gate: Gate, rejection: Rejection) -> Self {
        match (gate, rejection.ruling) {
            // What opens later is found by the gates, which know the other capacities too.
            (Gate::QuietHours, _) | (_, Ruling::Defer(_)) => Self::anew(gate, rejection),
            (_, Ruling::Hold(wake)) => Self::Hold { wake, cause: rejection.cause(gate) },
            (_, Ruling::Block(_)) => Self::Block { cause: rejection.cause(gate) },
        }
    }

    fn anew(gate: Gate, Rejection { code, reason, .. }: Rejection) -> Self {
        Self::Anew { gate: Some(gate), code, reason }
    }
}
