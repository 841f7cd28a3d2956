//! One message through the gates, in their order. Pure: the same message, facts, counters and
//! instant give the same decision, whoever asks: the gate stage, explain, or a dry run.

use jiff::{SignedDuration, Timestamp};

use super::{
    capacity::{
        counters::{CounterKey, Counters, Reserved, reservation},
        kind::CounterKind,
    },
    evaluation::{Evaluation, Rejection, Ruling},
    facts::{Facts, RecipientStatus, TenantFacts},
    memo::Memo,
    model::{Candidate, Decision, GateResult, Verdict},
    policy::{OnLate, Policy},
    wake::Wake,
    walk::{self, Depth, Passed, unreadable, walk},
};

/// What must be left of every window when a message is admitted: the claim's `call_by` (300 ms),
/// the request's time-out (10 s), and some for the way to the claim.
pub const LEAD_TIME: SignedDuration = SignedDuration::from_secs(12);

/// Every counter that deciding this message may read or raise: to be locked, in key order over the
/// whole batch, before the fold begins.
pub fn counter_keys(candidate: &Candidate<'_>, facts: &Facts, memo: &mut Memo) -> Vec<CounterKey> {
    let tenant = facts.tenants.get(candidate.tenant);
    let Some((tenant, policy)) = tenant.and_then(|t| Some((t, t.policy.as_ref()?))) else {
        return Vec::new();
    };
    let windows = memo.windows(tenant.zone);
    let mut keys = Vec::with_capacity(8 + candidate.senders.len());
    for sender in candidate.senders.iter().filter_map(|id| tenant.senders.get(id)) {
        let what = Reserved {
            tenant: candidate.tenant,
            class: candidate.class,
            campaign: candidate.campaign,
            sender: sender.id,
            cost: candidate.cost,
        };
        let day = memo.sender_day(sender, policy).start;
        let taken = reservation(&what, &windows, day).into_iter().map(|(key, _)| key);
        let of_sender = |key: &CounterKey| key.kind == CounterKind::SenderDay;
        if keys.is_empty() {
            keys.extend(taken);
        } else {
            keys.extend(taken.filter(of_sender));
        }
    }
    keys
}

/// Decides one message and, when it is admitted, lowers what the next one sees. No gate is asked
/// after one that does not pass.
pub fn evaluate(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    judge(candidate, facts, counters, memo, Depth::ToTheFirstStop)
}

/// The same decision by the same gates, with every gate asked: explain and simulate list what each
/// says, also behind the one that decides.
pub fn examine(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    judge(candidate, facts, counters, memo, Depth::All)
}

fn judge(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
    depth: Depth,
) -> Decision {
    let now = memo.now();
    let tenant = facts.tenants.get(candidate.tenant);
    let policy_version = tenant.map(|tenant| tenant.policy_version);
    let ends = End::of(candidate, tenant.and_then(|tenant| tenant.policy.as_ref()));
    let ended = ends.filter(|ends| ends.at.duration_since(now) < LEAD_TIME);
    if let (Some(end), Depth::ToTheFirstStop) = (ended, depth) {
        return Decision { policy_version, ..end.reached(Vec::new()) };
    }
    let key = candidate.recipient();
    let walk = match read(tenant, facts.recipients.get(&key)) {
        Ok((tenant, policy, recipient)) => walk(
            Evaluation {
                now,
                lead: LEAD_TIME,
                candidate,
                platform: facts.platform,
                tenant,
                policy,
                recipient,
                windows: memo.windows(tenant.zone),
                senders: candidate.senders.iter().filter_map(|id| tenant.senders.get(id)).collect(),
                sendable_until: ends.map(|end| end.at),
                marketing: counters.marketing(&key),
                counters,
                memo,
            },
            depth,
        ),
        Err(stop) => unreadable(stop, depth),
    };
    if let Some(end) = ended {
        return Decision { policy_version, ..end.reached(walk.gates) };
    }
    let passed = match walk.end {
        walk::End::Passed(passed) => passed,
        walk::End::Stopped(gate, stop) => {
            if let Some(line) = &stop.line {
                counters.stand_in(candidate.tenant, line);
            }
            let decision = stop.decide(gate, walk.gates, ends.map(|end| end.at));
            return Decision { policy_version, ..decision };
        }
    };
    let Passed { sender, sender_day, sendable_until, windows } = passed;
    let (tenant, class) = (candidate.tenant, candidate.class);
    let what =
        Reserved { tenant, class, campaign: candidate.campaign, sender, cost: candidate.cost };
    let reserved = reservation(&what, &windows, sender_day);
    counters.take(&reserved);
    if let Some(recipient) = facts.recipients.get(&key).filter(|_| class.is_marketing()) {
        counters.market(key, recipient, class, now);
    }
    let verdict = Verdict::Admit { sender, sendable_until };
    Decision { verdict, wake: None, gates: walk.gates, reserved, policy_version }
}

/// The facts that every gate needs. Where they cannot be read, nothing is sent and nothing is lost.
pub(super) fn read<'a>(
    tenant: Option<&'a TenantFacts>,
    recipient: Option<&'a RecipientStatus>,
) -> Result<(&'a TenantFacts, &'a Policy, &'a RecipientStatus), Rejection> {
    let hold = |code, reason: &str| Rejection::new(Ruling::Hold(Wake::Policy), code, reason.into());
    let read = tenant.and_then(|tenant| Some((tenant, tenant.policy.as_ref()?)));
    let (tenant, policy) =
        read.ok_or_else(|| hold("policy_unreadable", "the tenant's policy cannot be read"))?;
    let unknown = || hold("standing_unreadable", "where the number stands is not known");
    Ok((tenant, policy, recipient.ok_or_else(unknown)?))
}

/// When a message is of no use any more: its validity ends, or its tenant drops what is late.
pub fn ends_at(candidate: &Candidate<'_>, policy: Option<&Policy>) -> Option<Timestamp> {
    End::of(candidate, policy).map(|end| end.at)
}

/// When a message is of no use any more, and why.
#[derive(Debug, Clone, Copy)]
struct End {
    at: Timestamp,
    code: &'static str,
    reason: &'static str,
}

impl End {
    /// The end of its validity, or of the time after which its tenant does not want it sent.
    fn of(candidate: &Candidate<'_>, policy: Option<&Policy>) -> Option<Self> {
        let validity = candidate.expires_at.map(|at| Self {
            at,
            code: "validity_ended",
            reason: "it could not be sent before its validity ends",
        });
        let late = policy.map(|policy| policy.lateness).and_then(|lateness| {
            match candidate.on_late.unwrap_or(lateness.on_late) {
                OnLate::Send => None,
                OnLate::Drop => {
                    let after = SignedDuration::from_secs(lateness.max_seconds.into());
                    let at = candidate.submitted_at.saturating_add(after).ok()?;
                    let reason = "it could not be sent before it is late, and is dropped then";
                    Some(Self { at, code: "too_late", reason })
                }
            }
        });
        validity.into_iter().chain(late).min_by_key(|end| end.at)
    }

    /// The decision about a message that has come to its end.
    fn reached(self, gates: Vec<GateResult>) -> Decision {
        let Self { code, reason, .. } = self;
        let verdict = Verdict::Expire { gate: None, code, reason: reason.into() };
        Decision { verdict, wake: None, gates, reserved: Vec::new(), policy_version: None }
    }
}
