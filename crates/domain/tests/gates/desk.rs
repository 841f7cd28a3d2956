//! A message that every gate lets pass, to be changed by each test.

use domain::{
    address::Address,
    country::Country,
    gates::{
        Candidate, ClaimFacts, Counters, Decision, Facts, Gate, GateAnswer, LEAD_TIME, Memo,
        OnLate, Policy, Recheck, RecipientStatus, SenderFacts, TenantFacts, Verdict, evaluate,
        examine, recheck,
    },
    health::SenderHealth,
    ids::{CampaignId, MessageId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    money::Micros,
    zones::{Candidates, Evidence, Place, Zone},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A message, its facts and its counters.
pub struct Desk {
    pub now: Timestamp,
    pub class: MessageClass,
    pub channel: Channel,
    pub is_carrier_template: bool,
    pub address: Address,
    pub message: u128,
    pub campaign: Option<CampaignId>,
    pub submitted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// How long a claim and its call may take.
    pub lead: SignedDuration,
    pub on_late: Option<OnLate>,
    pub cost: Micros,
    pub placed: Option<SenderId>,
    pub place: Place,
    pub senders: Vec<SenderId>,
    pub facts: Facts,
    pub counters: Counters,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub fn tenant() -> TenantId {
    "acme".parse().expect("a tenant")
}

pub fn number() -> Address {
    "+12125550123".parse().expect("an address")
}

pub fn sender_id(n: u128) -> SenderId {
    SenderId(Uuid::from_u128(n))
}

pub fn sender(n: u128) -> SenderFacts {
    SenderFacts {
        id: sender_id(n),
        number: "+12125550100".into(),
        account: "main".into(),
        channel: Channel::Sms,
        weight: 1,
        country: Some(Country::US),
        zone: Zone::parse("America/New_York").expect("a zone"),
        pace: 10,
        active_since: at("2025-01-01T00:00:00Z"),
        daily_cap: 1_000,
        usable: true,
        health: SenderHealth::default(),
        account_is_held: false,
    }
}

impl Desk {
    /// Monday noon in New York; consent, two senders, the default policy without spread.
    pub fn new() -> Self {
        let zone = Zone::parse("America/New_York").expect("a zone");
        let mut facts = TenantFacts::new(zone);
        facts.policy = Some(Policy::default());
        facts.senders = [1, 2].map(|n| (sender_id(n), sender(n))).into();

        let consent = at("2026-01-01T00:00:00Z");
        let recipient =
            RecipientStatus { marketing_consent_at: Some(consent), ..RecipientStatus::default() };
        let key = (tenant(), number(), Channel::Sms);

        let mut desk = Self {
            now: at("2026-03-02T17:00:00Z"),
            class: MessageClass::Promo,
            channel: Channel::Sms,
            is_carrier_template: false,
            address: number(),
            message: 7,
            campaign: None,
            submitted_at: at("2026-03-02T17:00:00Z"),
            expires_at: None,
            lead: LEAD_TIME,
            on_late: None,
            cost: Micros(7_900),
            placed: None,
            place: Place {
                zones: Candidates::from(vec![zone]),
                evidence: Evidence::Prefix,
                country: Some(Country::US),
                states: vec!["NY".into()],
            },
            senders: vec![sender_id(1), sender_id(2)],
            facts: Facts {
                tenants: [(tenant(), facts)].into(),
                recipients: [(key, recipient)].into(),
                ..Facts::default()
            },
            counters: Counters::default(),
        };
        desk.policy().quiet_hours.spread_seconds = 0;
        desk
    }

    pub fn of(class: MessageClass) -> Self {
        Self { class, ..Self::new() }
    }

    /// On WhatsApp, with senders of it.
    pub fn on_whatsapp(mut self) -> Self {
        self.channel = Channel::Whatsapp;
        for sender in self.tenant().senders.values_mut() {
            sender.channel = Channel::Whatsapp;
        }
        self
    }

    pub fn tenant(&mut self) -> &mut TenantFacts {
        self.facts.tenants.get_mut(&tenant()).expect("the tenant")
    }

    pub fn policy(&mut self) -> &mut Policy {
        self.tenant().policy.as_mut().expect("a policy")
    }

    pub fn recipient(&mut self) -> &mut RecipientStatus {
        let key = (tenant(), self.address.clone(), self.channel);
        self.facts.recipients.get_mut(&key).expect("the recipient")
    }

    pub fn sender(&mut self, n: u128) -> &mut SenderFacts {
        self.tenant().senders.get_mut(&sender_id(n)).expect("the sender")
    }

    pub fn decide(&mut self) -> Decision {
        self.ask(evaluate)
    }

    /// Every gate asked.
    pub fn examine(&mut self) -> Decision {
        self.ask(examine)
    }

    /// The last look, for the first sender, as if admitted under this policy version.
    pub fn recheck(&mut self, admitted_under: i64) -> Recheck {
        let tenant = tenant();
        let candidate = Candidate { senders: &self.senders[..1], ..self.candidate(&tenant) };
        let claim = ClaimFacts { facts: &self.facts, admitted_under, longest_call: self.lead };
        recheck(&candidate, &claim, &mut Memo::new(self.now))
    }

    fn ask(
        &mut self,
        ask: fn(&Candidate<'_>, &Facts, &mut Counters, &mut Memo) -> Decision,
    ) -> Decision {
        let (tenant, mut counters) = (tenant(), std::mem::take(&mut self.counters));
        let mut memo = Memo::new(self.now).with_lead(self.lead);

        let decision = ask(&self.candidate(&tenant), &self.facts, &mut counters, &mut memo);
        self.counters = counters;
        decision
    }

    fn candidate<'a>(&'a self, tenant: &'a TenantId) -> Candidate<'a> {
        Candidate {
            id: MessageId(Uuid::from_u128(self.message)),
            tenant,
            class: self.class,
            channel: self.channel,
            is_carrier_template: self.is_carrier_template,
            address: &self.address,
            campaign: self.campaign,
            submitted_at: self.submitted_at,
            expires_at: self.expires_at,
            on_late: self.on_late,
            cost: self.cost,
            segments: 1,
            placed: self.placed,
            place: &self.place,
            senders: &self.senders,
        }
    }

    /// The decision as one line: `admit 1`, `block dnc opted_out`, `defer rate frequency <until>`.
    pub fn says(&mut self) -> String {
        let decision = self.decide();
        match decision.verdict {
            Verdict::Admit { sender, .. } => format!("admit {}", sender.0.as_u128()),
            Verdict::AwaitPace { until } => format!("await pace until {until}"),
            Verdict::Defer { until, cause } => {
                format!("defer {} {} {until}", cause.gate.as_str(), cause.code)
            }
            Verdict::Hold { cause } => {
                let wake = decision.wake.expect("something wakes it");
                format!("hold {} {} {wake}", cause.gate.as_str(), cause.code)
            }
            Verdict::Block { cause, .. } => {
                let said = decision.gates.iter().find(|gate| gate.gate == cause.gate);
                assert_eq!(said.expect("the gate").answer, GateAnswer::Block);
                format!("block {} {}", cause.gate.as_str(), cause.code)
            }
            Verdict::Expire { gate, code, .. } => {
                format!("expire {} {code}", gate.map_or("-", Gate::as_str))
            }
        }
    }

    /// Why the gate that decides says so.
    pub fn reason(&mut self) -> String {
        let stamp = self.decide().stamp(self.now);
        stamp.reason.expect("a reason")
    }

    pub fn sendable_until(&mut self) -> Timestamp {
        match self.decide().verdict {
            Verdict::Admit { sendable_until, .. } => sendable_until,
            other => panic!("not admitted: {other:?}"),
        }
    }
}
