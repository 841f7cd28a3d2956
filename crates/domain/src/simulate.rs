//! A campaign simulated: the gates are asked about every recipient at one instant, and who has to
//! wait is asked again when they would be, until everybody has been sent to. Pure, and the gates'
//! own code: only facts and counters come from outside, and nothing goes back.
//!
//! Not in it: what others send meanwhile, what people answer, and faults of the carrier.

mod answers;
mod forecast;
mod report;
mod setting;
mod waiting;

use std::collections::HashSet;

pub use answers::{Answers, SimulatedGroup};
pub use forecast::{HORIZON, MOST_ASKS, MOST_WAITING, SenderTotal};
pub use report::SimulationReport;
pub use setting::{Setting, SimulatedRecipient};

use crate::{
    address::Address,
    draft,
    gates::{
        CounterKey, Counters, Decision, Facts, GateResult, Memo, Verdict, counter_keys, evaluate,
        examine,
    },
    ids::ContactId,
    message::passport::Stamp,
};
use forecast::{Forecast, Load};
use waiting::Interned;

/// A simulation under way. In the order of use: [`learn`](Self::learn),
/// [`unknown_counters`](Self::unknown_counters), [`load`](Self::load) and [`ask`](Self::ask) for
/// each chunk of recipients, then [`follow_on`](Self::follow_on) until it says that there is no
/// more, then [`report`](Self::report).
#[derive(Debug)]
pub struct Simulation {
    setting: Setting,
    facts: Facts,
    counters: Counters,
    /// The counters that were loaded.
    known: HashSet<CounterKey>,
    memo: Memo,
    interned: Interned,
    forecast: Forecast,
    answers: Answers,
}

/// What the gates say about one recipient at the first instant.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The recipient who was asked about.
    pub contact: ContactId,
    /// The decision as the passport would keep it; of `enrich` for a text that cannot be made.
    pub stamp: Stamp,
    /// What each gate says; up to the one that decides, unless all were asked.
    pub gates: Vec<GateResult>,
}

impl Simulation {
    /// A simulation in which nobody has been asked yet.
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
    /// first chunk that came. An address without a recipient status is a person of whom nothing is
    /// known, as enrich would write them down.
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
            let key = (self.setting.tenant.clone(), one.address.clone(), self.setting.channel);
            self.facts.recipients.entry(key).or_default();
        }
    }

    /// The counters that the next recipients may touch and that are not known yet, in key order.
    pub fn unknown_counters(&mut self, next: &[SimulatedRecipient]) -> Vec<CounterKey> {
        let mut keys = Vec::new();
        for one in next {
            let candidate = one.candidate(&self.setting);
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
            return self.unmade(one, code);
        }

        let candidate = one.candidate(&self.setting);
        let decide = if whole { examine } else { evaluate };
        let decision = decide(&candidate, &self.facts, &mut self.counters, &mut self.memo);
        self.counters.forget_marketing();

        self.answers.decided(&decision, one);
        let seq = self.answers.audience();
        self.follow(&decision, one, seq);
        let stamp = decision.stamp(self.setting.at);
        Answered { contact: one.contact, stamp, gates: decision.gates }
    }

    /// Follows those who wait, at most so many asks at once. Says whether there is more to follow.
    pub fn follow_on(&mut self, asks: u32) -> bool {
        let Self { setting, facts, counters, memo, forecast, .. } = self;
        forecast.give_back_unsent(setting, facts, counters, memo);
        (0..asks).all(|_| forecast.step(setting, facts, counters, memo))
    }

    /// What has come of it.
    pub fn report(self) -> SimulationReport {
        let tenant = self.facts.tenants.get(&self.setting.tenant);
        let policy_version = tenant.map(|tenant| tenant.policy_version);
        SimulationReport::of(self.setting.at, policy_version, self.answers, self.forecast)
    }

    /// The answer about a recipient whose text cannot be made: no gate is asked.
    fn unmade(&mut self, one: &SimulatedRecipient, code: draft::Code) -> Answered {
        self.answers.failed(code);
        self.forget(&one.address);
        let stamp = Stamp {
            code: Some(code.into()),
            reason: Some(draft::reason(code).into()),
            ..Stamp::plain("enrich", self.setting.at, "fail")
        };
        Answered { contact: one.contact, stamp, gates: Vec::new() }
    }

    /// Keeps who is still to be sent to. `seq` is their number in the audience.
    fn follow(&mut self, decision: &Decision, one: &SimulatedRecipient, seq: u64) {
        match decision.verdict {
            Verdict::Admit { sender, sendable_until } => {
                let load = Load { segments: one.draft.segments, cost: one.draft.cost };
                let tenant = self.facts.tenants.get(&self.setting.tenant);
                let is_sent = tenant.is_some_and(|tenant| {
                    self.forecast.send(tenant, sender, &mut self.memo, sendable_until, load)
                });
                if is_sent {
                    self.forget(&one.address);
                } else {
                    let waiting = self.interned.waiting(one, (sendable_until, seq));
                    self.forecast.keep_unsent(waiting, sender);
                }
            }
            Verdict::Defer { until, .. } | Verdict::AwaitPace { until } => {
                let waiting = self.interned.waiting(one, (until, seq));
                self.forecast.keep_waiting(waiting);
            }
            Verdict::Hold { .. } | Verdict::Block { .. } | Verdict::Expire { .. } => {
                self.forget(&one.address);
            }
        }
    }

    /// Nobody asks about this recipient again.
    fn forget(&mut self, address: &Address) {
        let key = (self.setting.tenant.clone(), address.clone(), self.setting.channel);
        self.facts.recipients.remove(&key);
    }
}
