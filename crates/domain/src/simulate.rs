//! A campaign simulated: the gates are asked about every recipient at one instant, and who has to
//! wait is asked again when they would be, until everybody has been sent to. Pure, and the gates'
//! own code: only facts and counters come from outside, and nothing goes back.
//!
//! Not in it: what others send meanwhile, what people answer, and faults of the carrier.

mod forecast;
mod report;

use std::{collections::HashSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};

pub use report::{Answers, SenderTotal, SimulatedGroup, SimulationReport};

use crate::{
    draft::Draft,
    gates::{
        Candidate, CounterKey, Counters, Decision, Facts, GateResult, Memo, Verdict, counter_keys,
        evaluate, examine,
    },
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Stamp,
    },
    money::Micros,
    phone::PhoneNumber,
    zones::Place,
};
use forecast::{Forecast, Interned};

/// How far ahead a simulation looks.
pub const HORIZON: SignedDuration = SignedDuration::from_hours(60 * 24);

/// How many recipients may wait at once. Who comes beyond that is counted, and not followed.
pub const MOST_WAITING: usize = 250_000;

/// How often recipients who wait are asked again, all together. It ends a simulation in which a
/// small cap meets a large audience: each day asks everybody and lets a few pass.
pub const MOST_ASKS: u64 = 2_000_000;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Setting {
    /// When everybody is asked first.
    pub at: Timestamp,
    /// Whose campaign.
    pub tenant: TenantId,
    /// Which.
    pub campaign: CampaignId,
    /// What its messages are for.
    pub class: MessageClass,
}

/// A recipient whose message is complete up to the gates.
#[derive(Debug, Clone)]
pub struct SimulatedRecipient {
    /// Who.
    pub contact: ContactId,
    /// The message's id: as in the real run, as it spreads deferred messages.
    pub message: MessageId,
    /// The number.
    pub number: PhoneNumber,
    /// When the message is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// The message made complete.
    pub draft: Draft,
}

/// What the gates say about one recipient at the first instant.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Who.
    pub contact: ContactId,
    /// The decision as the passport would keep it; of `enrich` for a text that cannot be made.
    pub stamp: Stamp,
    /// What each gate says; up to the one that decides, unless all were asked.
    pub gates: Vec<GateResult>,
}

/// A simulation under way.
#[derive(Debug)]
pub struct Simulation {
    setting: Setting,
    facts: Facts,
    counters: Counters,
    known: HashSet<CounterKey>,
    memo: Memo,
    interned: Interned,
    forecast: Forecast,
    answers: Answers,
}

/// Somebody who waits, or who is admitted and waits for their sender.
#[derive(Debug, Clone)]
struct Waiting {
    /// When they are asked, and their place in the audience.
    due: (Timestamp, u64),
    message: MessageId,
    number: PhoneNumber,
    expires_at: Option<Timestamp>,
    place: Arc<Place>,
    senders: Arc<[SenderId]>,
    segments: u16,
    cost: Micros,
}

impl Simulation {
    /// Nobody has been asked yet.
    pub fn new(setting: Setting) -> Self {
        Self {
            memo: Memo::new(setting.at),
            forecast: Forecast::new(setting.at),
            facts: Facts::default(),
            counters: Counters::default(),
            known: HashSet::new(),
            interned: Interned::default(),
            answers: Answers::default(),
            setting,
        }
    }

    /// Takes over the facts of the next recipients. Policy, caps and switches are those of the
    /// first that came. A number that has no standing is a person of whom nothing is known, as
    /// enrich would write them down.
    pub fn learn(&mut self, facts: Facts, next: &[SimulatedRecipient]) {
        self.facts.platform = self.facts.platform.max(facts.platform);
        self.facts.recipients.extend(facts.recipients);
        for (tenant, new) in facts.tenants {
            let first = self.facts.tenants.entry(tenant).or_insert_with(|| new.clone());
            for (id, sender) in new.senders {
                first.senders.entry(id).or_insert(sender);
            }
            first.switches.senders.extend(new.switches.senders);
            // Loaded only where somebody has left a program.
            first.programs.extend(new.programs);
        }
        for one in next {
            let key = (self.setting.tenant.clone(), one.number, Channel::Sms);
            self.facts.recipients.entry(key).or_default();
        }
    }

    /// The counters that the next recipients may touch and that are not known yet, in key order.
    pub fn unknown_counters(&mut self, next: &[SimulatedRecipient]) -> Vec<CounterKey> {
        let mut keys = Vec::new();
        for one in next {
            let candidate = judged_first(&self.setting, one);
            let all = counter_keys(&candidate, &self.facts, &mut self.memo);
            keys.extend(all.into_iter().filter(|key| !self.known.contains(key)));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Sets a counter to what its row holds.
    pub fn load(&mut self, key: CounterKey, used: i64) {
        self.counters.load(key.clone(), used);
        self.known.insert(key);
    }

    /// Asks about one recipient at the first instant. `whole` asks every gate.
    pub fn ask(&mut self, one: &SimulatedRecipient, whole: bool) -> Answered {
        if let Some(code) = one.draft.failed {
            self.answers.failed(code);
            self.forget(one.number);
            let stamp = Stamp {
                code: Some(code.into()),
                reason: Some(crate::draft::reason(code).into()),
                ..Stamp::plain("enrich", self.setting.at, "fail")
            };
            return Answered { contact: one.contact, stamp, gates: Vec::new() };
        }
        let ask = if whole { examine } else { evaluate };
        let candidate = judged_first(&self.setting, one);
        let decision = ask(&candidate, &self.facts, &mut self.counters, &mut self.memo);
        self.counters.forget_marketing();
        self.answers.decided(&decision, one);
        let seq = self.answers.audience();
        self.follow(&decision, one, seq);
        let stamp = decision.stamp(self.setting.at);
        Answered { contact: one.contact, stamp, gates: decision.gates }
    }

    /// Keeps who is still to be sent to.
    fn follow(&mut self, decision: &Decision, one: &SimulatedRecipient, seq: u64) {
        match decision.verdict {
            Verdict::Admit { sender, sendable_until } => {
                let load = (one.draft.segments, one.draft.cost);
                let tenant = self.facts.tenants.get(&self.setting.tenant);
                let sent = tenant.is_some_and(|tenant| {
                    self.forecast.send(tenant, sender, &mut self.memo, sendable_until, load)
                });
                if sent {
                    self.forget(one.number);
                } else {
                    let waiting = self.interned.waiting(one, (sendable_until, seq));
                    self.forecast.not_in_time(waiting, sender);
                }
            }
            Verdict::Defer { until, .. } => {
                let waiting = self.interned.waiting(one, (until, seq));
                self.forecast.wait(waiting);
            }
            Verdict::Hold { .. } | Verdict::Block { .. } | Verdict::Expire { .. } => {
                self.forget(one.number);
            }
        }
    }

    fn forget(&mut self, number: PhoneNumber) {
        self.facts.recipients.remove(&(self.setting.tenant.clone(), number, Channel::Sms));
    }

    /// Follows those who wait, at most so many asks at once. Says whether there is more to follow.
    pub fn follow_on(&mut self, asks: u32) -> bool {
        self.forecast.begin(&self.setting, &self.facts, &mut self.counters, &mut self.memo);
        for _ in 0..asks {
            if !self.forecast.step(
                &self.setting,
                &mut self.facts,
                &mut self.counters,
                &mut self.memo,
            ) {
                return false;
            }
        }
        true
    }

    /// What has come of it.
    pub fn report(self) -> SimulationReport {
        let tenant = self.facts.tenants.get(&self.setting.tenant);
        let policy_version = tenant.map(|tenant| tenant.policy_version);
        report::report(self.setting.at, policy_version, self.answers, self.forecast)
    }
}

/// A recipient as the gates see them first.
fn judged_first<'a>(setting: &'a Setting, one: &'a SimulatedRecipient) -> Candidate<'a> {
    Candidate {
        id: one.message,
        tenant: &setting.tenant,
        class: setting.class,
        channel: Channel::Sms,
        number: one.number,
        campaign: Some(setting.campaign),
        submitted_at: setting.at,
        expires_at: one.expires_at,
        on_late: None,
        cost: one.draft.cost,
        place: &one.draft.place,
        senders: &one.draft.senders,
    }
}
