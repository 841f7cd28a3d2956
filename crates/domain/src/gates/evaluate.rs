//! One message through the gates, in their order. Pure: the same message, facts, counters and
//! instant give the same decision, whoever asks: the gate stage, explain, or a dry run.

use jiff::{SignedDuration, Timestamp};

use super::{
    capacity::counters::{CounterKey, Counters, Reserved, meter_key, metered, reservation},
    evaluation::{Evaluation, readable},
    facts::Facts,
    memo::Memo,
    model::{Candidate, Decision, GateResult, Verdict},
    pace::{self, PassedSender},
    policy::{OnLate, Policy},
    walk::{Depth, Passed, Walk, WalkEnd, unreadable, walk},
};
use crate::message::class::Lane;

/// Decides one message and, when it is admitted, lowers what the next one sees. No gate is asked
/// after one that does not pass.
pub fn evaluate(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    decide(candidate, facts, counters, memo, Depth::ToTheFirstRejection)
}

/// The same decision by the same gates, with every gate asked: explain and simulate list what each
/// says, also behind the one that decides.
pub fn examine(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    decide(candidate, facts, counters, memo, Depth::All)
}

/// Every counter that deciding this message may read or raise: to be locked, in key order over the
/// whole batch, before the fold begins. Text, person and cost make no difference. Where the
/// tenant's policy cannot be read, only what the message may have to give back.
pub fn counter_keys(candidate: &Candidate<'_>, facts: &Facts, memo: &mut Memo) -> Vec<CounterKey> {
    let lane = candidate.class.lane();
    let placed = candidate.placed.map(|sender| meter_key(candidate.tenant, sender, lane));
    let mut keys: Vec<CounterKey> = placed.into_iter().collect();

    let tenant = facts.tenants.get(candidate.tenant);
    let Some((tenant, policy)) = tenant.and_then(|t| Some((t, t.policy.as_ref()?))) else {
        return keys;
    };

    let windows = memo.windows(tenant.zone);
    keys.reserve(8 + 3 * candidate.senders.len());
    let mut is_first = true;
    for sender in candidate.senders.iter().filter_map(|id| tenant.senders.get(id)) {
        let what = Reserved {
            tenant: candidate.tenant,
            class: candidate.class,
            campaign: candidate.campaign,
            sender: sender.id,
            cost: candidate.cost,
            segments: candidate.segments,
        };
        let day = memo.sender_day(sender, policy).start;
        let taken = reservation(&what, &windows, day).into_iter().map(|(key, _)| key);

        // Further senders add their own day and meter alone: the other counters are the same.
        keys.extend(taken.filter(|key| is_first || key.kind.is_of_a_sender()));
        is_first = false;

        // Bulk leaves room for what is urgent.
        if lane == Lane::Bulk {
            keys.push(meter_key(candidate.tenant, sender.id, Lane::Urgent));
        }
    }
    keys
}

/// When a message is of no use any more: its validity ends, or its tenant drops what is late. None
/// where it is of use at any time.
pub fn ends_at(candidate: &Candidate<'_>, policy: Option<&Policy>) -> Option<Timestamp> {
    EndOfUse::of(candidate, policy).map(|end| end.at)
}

/// The end of a message's use decides before any gate does; else the first gate that does not pass.
fn decide(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
    depth: Depth,
) -> Decision {
    let tenant = facts.tenants.get(candidate.tenant);
    let end = EndOfUse::of(candidate, tenant.and_then(|tenant| tenant.policy.as_ref()));
    let reached = end.filter(|end| end.at.duration_since(memo.now()) < memo.lead());
    let of_use_until = end.map(|end| end.at);

    let mut decision = match reached {
        Some(end) => {
            // Whoever lists every gate does so for a message that is of no use any more, too.
            let gates = match depth {
                Depth::ToTheFirstRejection => Vec::new(),
                Depth::All => {
                    ask_gates(candidate, facts, counters, memo, of_use_until, depth).gates
                }
            };
            end.expire(gates)
        }
        None => {
            let walk = ask_gates(candidate, facts, counters, memo, of_use_until, depth);
            match walk.end {
                WalkEnd::Passed(passed) => {
                    admit(candidate, facts, counters, memo.now(), passed, walk.gates)
                }
                WalkEnd::InLine(line) => {
                    counters.join_line(candidate.tenant, &line);
                    pace::wait(&line, walk.gates)
                }
                WalkEnd::Rejected(gate, rejection) => {
                    // What waits for a capacity joins its line.
                    if let Some(line) = &rejection.line {
                        counters.join_line(candidate.tenant, line);
                    }
                    rejection.decide(gate, walk.gates, of_use_until)
                }
            }
        }
    };
    give_back_place(candidate, counters, &mut decision);
    Decision { policy_version: tenant.map(|tenant| tenant.policy_version), ..decision }
}

/// A message that comes from a line and does not leave by its sender gives its place back.
fn give_back_place(candidate: &Candidate<'_>, counters: &mut Counters, decision: &mut Decision) {
    let Some(placed) = candidate.placed else { return };
    if matches!(decision.verdict, Verdict::Admit { sender, .. } if sender == placed) {
        return;
    }

    let (key, segments) =
        metered(candidate.tenant, placed, candidate.class.lane(), candidate.segments);
    counters.take(&[(key.clone(), -segments)]);
    decision.reserved.push((key, -segments));
}

/// Walks through the gates. No message may be sent after its end of use: that bounds the walk
/// first.
fn ask_gates(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &Counters,
    memo: &mut Memo,
    of_use_until: Option<Timestamp>,
    depth: Depth,
) -> Walk {
    let (tenant, policy, recipient) = match readable(candidate, facts) {
        Ok(found) => found,
        Err(rejection) => return unreadable(rejection, depth),
    };

    let evaluation = Evaluation {
        now: memo.now(),
        lead: memo.lead(),
        candidate,
        platform: facts.platform,
        tenant,
        policy,
        recipient,
        windows: memo.windows(tenant.zone),
        senders: candidate.senders.iter().filter_map(|id| tenant.senders.get(id)).collect(),
        sendable_until: of_use_until,
        marketing: counters.marketing(&candidate.recipient()),
        counters,
        memo,
    };
    walk(evaluation, depth)
}

/// Admits the message and takes its reservation, so that the next message of the batch sees it.
fn admit(
    candidate: &Candidate<'_>,
    facts: &Facts,
    counters: &mut Counters,
    now: Timestamp,
    passed: Passed,
    gates: Vec<GateResult>,
) -> Decision {
    let Passed { sender: PassedSender { id: sender, day_start, sendable_until }, windows } = passed;
    let what = Reserved {
        tenant: candidate.tenant,
        class: candidate.class,
        campaign: candidate.campaign,
        sender,
        cost: candidate.cost,
        segments: candidate.segments,
    };
    let mut reserved = reservation(&what, &windows, day_start);
    if candidate.placed == Some(sender) {
        reserved.retain(|(key, _)| key.kind.meter_lane().is_none());
    }
    counters.take(&reserved);

    if candidate.class.is_marketing() {
        let key = candidate.recipient();
        if let Some(recipient) = facts.recipients.get(&key) {
            counters.market(key, recipient, candidate.class, now);
        }
    }

    let verdict = Verdict::Admit { sender, sendable_until };
    Decision { verdict, wake: None, gates, reserved, policy_version: None }
}

/// When a message is of no use any more, and why.
#[derive(Debug, Clone, Copy)]
struct EndOfUse {
    at: Timestamp,
    code: &'static str,
    reason: &'static str,
}

impl EndOfUse {
    /// The end of its validity, or of the time after which its tenant does not want it sent:
    /// whichever comes first.
    fn of(candidate: &Candidate<'_>, policy: Option<&Policy>) -> Option<Self> {
        let validity = candidate.expires_at.map(|at| Self {
            at,
            code: "validity_ended",
            reason: "it could not be sent before its validity ends",
        });
        let late = policy.and_then(|policy| Self::late(candidate, policy));
        validity.into_iter().chain(late).min_by_key(|end| end.at)
    }

    /// When it is late, for a tenant that drops what is late.
    fn late(candidate: &Candidate<'_>, policy: &Policy) -> Option<Self> {
        let lateness = policy.lateness;
        match candidate.on_late.unwrap_or(lateness.on_late) {
            OnLate::Send => None,
            OnLate::Drop => {
                let after = SignedDuration::from_secs(lateness.max_seconds.into());
                let at = candidate.submitted_at.saturating_add(after).ok()?;
                let reason = "it could not be sent before it is late, and is dropped then";
                Some(Self { at, code: "too_late", reason })
            }
        }
    }

    /// The decision about a message that has come to its end.
    fn expire(self, gates: Vec<GateResult>) -> Decision {
        let Self { code, reason, .. } = self;
        let verdict = Verdict::Expire { gate: None, code, reason: reason.into() };
        Decision { verdict, wake: None, gates, reserved: Vec::new(), policy_version: None }
    }
}
