//! One message through the gates, in their order. Pure: the same message, facts, counters and
//! instant give the same decision, whoever asks: the gate stage, explain, or a dry run.

use std::{collections::HashMap, fmt};

use jiff::{SignedDuration, Timestamp};

use super::{
    Gate, Verdict, budget,
    case::{Case, Ruling, Step, Stop},
    counters::{CounterKey, CounterKind, Counters, Reserved, Windows, reservation},
    dnc, eligible,
    facts::{Facts, SenderFacts},
    kill_switch,
    policy::Policy,
    quiet, rate, suppression,
    warmup::{self, SenderDay},
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
    /// When it is of no use any more.
    pub expires_at: Option<Timestamp>,
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
    /// What wakes a message that is held.
    pub wake: Option<Wake>,
    /// What each gate said, up to the one that decided.
    pub gates: Vec<GateResult>,
    /// What the admission has taken from the counters; empty for every other verdict.
    pub reserved: Vec<(CounterKey, i64)>,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateResult {
    /// Which gate.
    pub gate: Gate,
    /// Its answer.
    pub answer: Answer,
    /// The reason code of a gate that does not pass.
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
    /// Wait until an instant.
    Defer,
    /// Wait until the cause goes away.
    Hold,
    /// Never.
    Block,
}

/// What wakes a held message: the key of its parked row.
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
}

impl Wake {
    pub(super) fn whose(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Tenant => "tenant",
            Self::Campaign(_) => "campaign",
            Self::Sender(_) => "sender",
            Self::Policy => "policy",
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

/// Decides one message and, when it is admitted, lowers what the next one sees.
pub fn decide(
    judged: &Judged<'_>,
    facts: &Facts,
    counters: &mut Counters,
    memo: &mut Memo,
) -> Decision {
    let tenant = facts.tenants.get(judged.tenant);
    let Some((tenant, policy)) = tenant.and_then(|t| Some((t, t.policy.as_ref()?))) else {
        return unreadable("policy_unreadable", "the tenant's policy cannot be read");
    };
    let key = (judged.tenant.clone(), judged.number, judged.channel);
    let Some(standing) = facts.standings.get(&key) else {
        return unreadable("standing_unreadable", "where the number stands is not known");
    };
    let windows = memo.windows(tenant.zone);
    let now = memo.now;
    let case = Case {
        now,
        judged,
        platform: facts.platform,
        tenant,
        policy,
        standing,
        windows,
        senders: judged.senders.iter().filter_map(|id| tenant.senders.get(id)).collect(),
        sendable_until: judged.expires_at,
        marketing: counters.marketing(&key),
        counters,
        memo,
    };
    let passed = match pass(case) {
        Ok(passed) => passed,
        Err(decision) => return *decision,
    };
    let what = Reserved {
        tenant: judged.tenant,
        class: judged.class,
        campaign: judged.campaign,
        sender: passed.sender,
        cost: judged.cost,
    };
    let reserved = reservation(&what, &windows, passed.sender_day);
    counters.take(&reserved);
    if judged.class.is_marketing() {
        counters.market(key, standing, judged.class, now);
    }
    let Passed { sender, sendable_until, gates, .. } = passed;
    Decision { verdict: Verdict::Admit { sender, sendable_until }, wake: None, gates, reserved }
}

/// A message that every gate lets pass.
struct Passed {
    sender: SenderId,
    sender_day: Timestamp,
    sendable_until: Timestamp,
    gates: Vec<GateResult>,
}

/// Asks the gates in their order, until one does not pass.
fn pass(mut case: Case<'_>) -> Result<Passed, Box<Decision>> {
    let mut gates = Vec::with_capacity(Gate::ORDER.len());
    for gate in Gate::ORDER {
        let asked = applies(gate, case.judged.class);
        match if asked { ask(gate, &mut case) } else { Step::NotAsked } {
            Step::Pass => gates.push(GateResult::plain(gate, Answer::Pass)),
            Step::NotAsked => gates.push(GateResult::plain(gate, Answer::NotAsked)),
            Step::Stop(stop) => return Err(Box::new(stop.decide(gate, gates))),
        }
    }
    let Some(sender) = case.senders.first().copied() else {
        let reason = "no sender fits this recipient".into();
        let stop = Stop { ruling: Ruling::Block(None), code: "no_sender", reason };
        return Err(Box::new(stop.decide(Gate::Eligible, gates)));
    };
    let sender_day = case.sender_day(sender).start;
    let sendable_until = case.sendable_until();
    Ok(Passed { sender: sender.id, sender_day, sendable_until, gates })
}

/// Which gates are asked for which class: the table of the seven gates, and eligibility.
fn applies(gate: Gate, class: MessageClass) -> bool {
    use MessageClass::{Compliance, Conversational, Journey, Promo, Transactional};
    match (gate, class) {
        (Gate::KillSwitch, Compliance) => true,
        (
            Gate::Eligible
            | Gate::KillSwitch
            | Gate::Budget
            | Gate::Dnc
            | Gate::Rate
            | Gate::Warmup,
            Promo | Journey | Conversational | Transactional,
        ) => true,
        (Gate::Suppression, Promo) => true,
        (Gate::QuietHours, Promo | Journey) => true,
        (Gate::Suppression, Journey | Conversational | Transactional) => false,
        (Gate::QuietHours, Conversational | Transactional) => false,
        (
            Gate::Eligible
            | Gate::Budget
            | Gate::Dnc
            | Gate::Suppression
            | Gate::QuietHours
            | Gate::Rate
            | Gate::Warmup,
            Compliance,
        ) => false,
    }
}

fn ask(gate: Gate, case: &mut Case<'_>) -> Step {
    match gate {
        Gate::Eligible => eligible::check(case),
        Gate::KillSwitch => kill_switch::check(case),
        Gate::Budget => budget::check(case),
        Gate::Dnc => dnc::check(case),
        Gate::Suppression => suppression::check(case),
        Gate::QuietHours => quiet::check(case),
        Gate::Rate => rate::check(case),
        Gate::Warmup => warmup::check(case),
    }
}

/// Facts that cannot be read: nothing is sent, and nothing is lost.
fn unreadable(code: &'static str, reason: &str) -> Decision {
    let stop = Stop { ruling: Ruling::Hold(Wake::Policy), code, reason: reason.into() };
    stop.decide(Gate::Eligible, Vec::new())
}
