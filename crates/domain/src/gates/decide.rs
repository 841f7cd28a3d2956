//! One message through the gates, in their order. Pure: the same message, facts, counters and
//! instant give the same decision, whoever asks: the gate stage, explain, or a dry run.

use std::{collections::HashMap, fmt};

use jiff::{SignedDuration, Timestamp};

use super::{
    Gate, Verdict,
    ask::{self, Depth, Passed, unreadable, walk},
    case::{Case, Ruling, Stop},
    counters::{CounterKey, CounterKind, Counters, Reserved, Windows, reservation},
    facts::{Facts, SenderFacts, Standing, TenantFacts},
    line::LineKey,
    policy::{OnLate, Policy},
    warmup::SenderDay,
};
use crate::{
    class::{Channel, MessageClass},
    ids::{CampaignId, MessageId, SenderId, TenantId},
    money::Micros,
    phone::PhoneNumber,
    quiet_hours::QuietHours,
    zones::{Place, Zone},
};

/// What must be left of every window when a message is admitted: the claim's `call_by` (300 ms),
/// the request's time-out (10 s), and some for the way to the claim.
pub const LEAD_TIME: SignedDuration = SignedDuration::from_secs(12);

/// How long a compliance answer may wait in the pipe when it says nothing itself.
pub(super) const COMPLIANCE_VALIDITY: SignedDuration = SignedDuration::from_hours(24);

/// What the gates look at in a message.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// Its id: spreads deferred messages.
    pub id: MessageId,
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// What it is for.
    pub class: MessageClass,
    /// How it travels.
    pub channel: Channel,
    /// Who it is for.
    pub number: PhoneNumber,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// When it was submitted: lateness counts from then.
    pub submitted_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// What becomes of it when it is late; none: the policy says.
    pub on_late: Option<OnLate>,
    /// What it costs by the rate card.
    pub cost: Micros,
    /// Where the person may be.
    pub place: &'a Place,
    /// Candidate senders, preferred first.
    pub senders: &'a [SenderId],
}

/// What the gates decided about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// What wakes a message before its time: one that is held, or stands in line.
    pub wake: Option<Wake>,
    /// What each gate said, in order: [`decide`] lists them up to the one that decided,
    /// [`examine`] lists all.
    pub gates: Vec<GateResult>,
    /// What the admission has taken from the counters; empty for every other verdict.
    pub reserved: Vec<(CounterKey, i64)>,
    /// The version of the policy in force; none where the tenant's facts could not be read.
    pub policy_version: Option<i64>,
}

impl Answer {
    /// The name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NotAsked => "not_asked",
            Self::Moot => "moot",
            Self::Defer => "defer",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }

    /// Whether a message gets no further at this gate.
    pub fn stops(self) -> bool {
        match self {
            Self::Defer | Self::Hold | Self::Block => true,
            Self::Pass | Self::NotAsked | Self::Moot => false,
        }
    }
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateResult {
    /// Which gate.
    pub gate: Gate,
    /// Its answer.
    pub answer: Answer,
    /// The reason code of a gate that does not pass, or could not be asked.
    pub code: Option<&'static str>,
    /// The same in an English clause.
    pub reason: Option<String>,
    /// Until when it says so, where that is known.
    pub until: Option<Timestamp>,
}

/// A gate's answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The next gate is asked.
    Pass,
    /// This gate is not for messages of this class.
    NotAsked,
    /// It could not be asked: the gates before it left nothing to ask about.
    Moot,
    /// Wait until an instant.
    Defer,
    /// Wait until the cause goes away.
    Hold,
    /// Never.
    Block,
}

/// What wakes a waiting message: the key of its parked row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The platform's switch.
    Platform,
    /// The tenant's switch.
    Tenant,
    /// A campaign's switch or state.
    Campaign(CampaignId),
    /// A sender's switch.
    Sender(SenderId),
    /// A policy that can be read.
    Policy,
    /// More of a capacity that the message stands in line for.
    Line(LineKey),
}

impl Wake {
    pub(super) fn whose(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Tenant => "tenant",
            Self::Campaign(_) => "campaign",
            Self::Sender(_) => "sender",
            Self::Policy => "policy",
            Self::Line(_) => "capacity",
        }
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("switch:platform"),
            Self::Tenant => f.write_str("switch:tenant"),
            Self::Campaign(id) => write!(f, "switch:campaign:{id}"),
            Self::Sender(id) => write!(f, "switch:sender:{id}"),
            Self::Policy => f.write_str("policy"),
            Self::Line(key) => write!(f, "line:{key}"),
        }
    }
}

/// The instant of a batch, and what has been worked out for it: windows by zone, sender days, hours
/// by place. Make one per batch.
#[derive(Debug)]
pub struct Memo {
    now: Timestamp,
    windows: HashMap<Zone, Windows>,
    senders: HashMap<SenderId, SenderDay>,
    pub(super) hours: QuietHours,
}

impl Memo {
    /// Nothing worked out yet.
    pub fn new(now: Timestamp) -> Self {
        let hours = QuietHours::new(now);
        Self { now, windows: HashMap::new(), senders: HashMap::new(), hours }
    }

    /// The instant that all decisions are made at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The windows in a zone.
    pub fn windows(&mut self, zone: Zone) -> Windows {
        *self.windows.entry(zone).or_insert_with(|| Windows::at(self.now, zone))
    }

    /// A sender's day.
    pub fn sender_day(&mut self, sender: &SenderFacts, policy: &Policy) -> SenderDay {
        if let Some(day) = self.senders.get(&sender.id) {
            return *day;
        }
        let windows = self.windows(sender.zone);
        let day = SenderDay::of(sender, policy, self.now, &windows);
        self.senders.insert(sender.id, day);
        day
    }
}

/// Every counter that deciding this message may read or raise: to be locked, in key order over the
/// whole batch, before the fold begins.
pub fn counter_keys(judged: &Judged<'_>, facts: &Facts, memo: &mut Memo) -> Vec<CounterKey> {
    let tenant = facts.tenants.get(judged.tenant);
    let Some((tenant, policy)) = tenant.and_then(|t| Some((t, t.policy.as_ref()?))) else {
        return Vec::new();
    };
    let windows = memo.windows(tenant.zone);
    let mut keys = Vec::with_capacity(8 + judged.senders.len());
    for sender in judged.senders.iter().filter_map(|id| tenant.senders.get(id)) {
        let what = Reserved {
            tenant: judged.tenant,
            class: judged.class,
            campaign: judged.campaign,
            sender: sender.id,
            cost: judged.cost,
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
pub fn decide(
    judged: &Judged<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    judge(judged, facts, counters, memo, Depth::ToTheFirstStop)
}

/// The same decision by the same gates, with every gate asked: explain and simulate list what each
/// says, also behind the one that decides.
pub fn examine(
    judged: &Judged<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    judge(judged, facts, counters, memo, Depth::All)
}

fn judge(
    judged: &Judged<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
    depth: Depth,
) -> Decision {
    let now = memo.now;
    let tenant = facts.tenants.get(judged.tenant);
    let policy_version = tenant.map(|tenant| tenant.policy_version);
    let ends = End::of(judged, tenant.and_then(|tenant| tenant.policy.as_ref()));
    let ended = ends.filter(|ends| ends.at.duration_since(now) < LEAD_TIME);
    if let (Some(end), Depth::ToTheFirstStop) = (ended, depth) {
        return Decision { policy_version, ..end.reached(Vec::new()) };
    }
    let key = (judged.tenant.clone(), judged.number, judged.channel);
    let walk = match read(tenant, facts.standings.get(&key)) {
        Ok((tenant, policy, standing)) => walk(
            Case {
                now,
                judged,
                platform: facts.platform,
                tenant,
                policy,
                standing,
                windows: memo.windows(tenant.zone),
                senders: judged.senders.iter().filter_map(|id| tenant.senders.get(id)).collect(),
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
        ask::End::Passed(passed) => passed,
        ask::End::Stopped(gate, stop) => {
            if let Some(line) = &stop.line {
                counters.stand_in(judged.tenant, line);
            }
            let decision = stop.decide(gate, walk.gates, ends.map(|end| end.at));
            return Decision { policy_version, ..decision };
        }
    };
    let Passed { sender, sender_day, sendable_until, windows } = passed;
    let (tenant, class) = (judged.tenant, judged.class);
    let what = Reserved { tenant, class, campaign: judged.campaign, sender, cost: judged.cost };
    let reserved = reservation(&what, &windows, sender_day);
    counters.take(&reserved);
    if let Some(standing) = facts.standings.get(&key).filter(|_| class.is_marketing()) {
        counters.market(key, standing, class, now);
    }
    let verdict = Verdict::Admit { sender, sendable_until };
    Decision { verdict, wake: None, gates: walk.gates, reserved, policy_version }
}

/// The facts that every gate needs. Where they cannot be read, nothing is sent and nothing is lost.
fn read<'a>(
    tenant: Option<&'a TenantFacts>,
    standing: Option<&'a Standing>,
) -> Result<(&'a TenantFacts, &'a Policy, &'a Standing), Stop> {
    let hold = |code, reason: &str| Stop::new(Ruling::Hold(Wake::Policy), code, reason.into());
    let read = tenant.and_then(|tenant| Some((tenant, tenant.policy.as_ref()?)));
    let (tenant, policy) =
        read.ok_or_else(|| hold("policy_unreadable", "the tenant's policy cannot be read"))?;
    let unknown = || hold("standing_unreadable", "where the number stands is not known");
    Ok((tenant, policy, standing.ok_or_else(unknown)?))
}

/// When a message is of no use any more: its validity ends, or its tenant drops what is late.
pub fn ends_at(judged: &Judged<'_>, policy: Option<&Policy>) -> Option<Timestamp> {
    End::of(judged, policy).map(|end| end.at)
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
    fn of(judged: &Judged<'_>, policy: Option<&Policy>) -> Option<Self> {
        let validity = judged.expires_at.map(|at| Self {
            at,
            code: "validity_ended",
            reason: "it could not be sent before its validity ends",
        });
        let late = policy.map(|policy| policy.lateness).and_then(|lateness| {
            match judged.on_late.unwrap_or(lateness.on_late) {
                OnLate::Send => None,
                OnLate::Drop => {
                    let after = SignedDuration::from_secs(lateness.max_seconds.into());
                    let at = judged.submitted_at.saturating_add(after).ok()?;
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
