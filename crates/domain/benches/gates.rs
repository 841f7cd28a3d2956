//! What the gates decide about a full batch of one tenant: 256 promotions, folded one after the
//! other as the gate stage does.

use divan::{Bencher, black_box, counter::ItemsCount};
use domain::{
    address::Address,
    country::Country,
    gates::{
        Candidate, Counters, Decision, Facts, Memo, RecipientStatus, SenderFacts, TenantFacts,
        Verdict, counter_keys, evaluate, examine,
    },
    health::SenderHealth,
    ids::{MessageId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    money::Micros,
    zones::{Candidates, Evidence, Place, Zone},
};
use jiff::Timestamp;
use uuid::Uuid;

/// Messages of a batch.
const BATCH: u128 = 256;

/// Monday noon in New York, and the night before.
const NOON: &str = "2026-03-02T17:00:00Z";
const NIGHT: &str = "2026-03-02T04:00:00Z";

/// Decides one message.
type Ask = fn(&Candidate<'_>, &Facts, &mut Counters, &mut Memo) -> Decision;

fn main() {
    divan::main();
}

#[divan::bench]
fn a_batch_is_admitted(bencher: Bencher<'_, '_>) {
    measure(bencher, NOON, evaluate, "admit");
}

#[divan::bench]
fn a_batch_is_deferred_at_night(bencher: Bencher<'_, '_>) {
    measure(bencher, NIGHT, evaluate, "defer");
}

#[divan::bench]
fn a_batch_is_explained(bencher: Bencher<'_, '_>) {
    measure(bencher, NOON, examine, "admit");
}

#[divan::bench]
fn the_counters_of_a_batch_are_named(bencher: Bencher<'_, '_>) {
    let batch = Batch::at(NOON);
    bencher.counter(ItemsCount::new(BATCH as usize)).bench_local(|| {
        let mut memo = Memo::new(batch.now);
        let keys = |address| counter_keys(&batch.candidate(address), &batch.facts, &mut memo).len();
        batch.addresses.iter().enumerate().map(keys).sum::<usize>()
    });
}

/// Measures how a batch is decided, once it is seen to be decided like this.
fn measure(bencher: Bencher<'_, '_>, now: &str, ask: Ask, says: &str) {
    let batch = Batch::at(now);
    let verdicts = batch.decide(ask, &mut Counters::default());
    assert!(verdicts.iter().all(|verdict| verdict.as_str() == says), "{:?}", verdicts.first());

    bencher
        .counter(ItemsCount::new(BATCH as usize))
        .with_inputs(Counters::default)
        .bench_local_values(|mut counters| black_box(&batch).decide(ask, &mut counters));
}

/// A batch with its facts: everybody consents, the sender has room, the policy is the default.
struct Batch {
    now: Timestamp,
    tenant: TenantId,
    senders: [SenderId; 1],
    place: Place,
    addresses: Vec<Address>,
    facts: Facts,
}

impl Batch {
    fn at(now: &str) -> Self {
        let now: Timestamp = now.parse().expect("an instant");
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let zone = Zone::parse("America/New_York").expect("a zone");
        let sender = sender(zone);
        let senders = [sender.id];

        let mut of_tenant = TenantFacts::new(zone);
        of_tenant.senders = [(sender.id, sender)].into();
        let number = |index| format!("+1212{:07}", 2_000_000 + index).parse().expect("an address");
        let addresses: Vec<Address> = (0..BATCH).map(number).collect();
        let consents = RecipientStatus {
            marketing_consent_at: Some("2026-01-01T00:00:00Z".parse().expect("an instant")),
            ..RecipientStatus::default()
        };
        let status = |to: &Address| ((tenant.clone(), to.clone(), Channel::Sms), consents.clone());
        let recipients = addresses.iter().map(status).collect();
        let facts =
            Facts { tenants: [(tenant.clone(), of_tenant)].into(), recipients, ..Facts::default() };

        let place = Place {
            zones: Candidates::from(vec![zone]),
            evidence: Evidence::Prefix,
            country: Some(Country::US),
            states: vec!["NY".into()],
        };
        Self { now, tenant, senders, place, addresses, facts }
    }

    fn candidate<'a>(&'a self, (index, address): (usize, &'a Address)) -> Candidate<'a> {
        Candidate {
            id: MessageId(Uuid::from_u128(index as u128 + 1)),
            tenant: &self.tenant,
            class: MessageClass::Promo,
            channel: Channel::Sms,
            is_carrier_template: false,
            address,
            campaign: None,
            submitted_at: self.now,
            expires_at: None,
            on_late: None,
            cost: Micros(7_900),
            segments: 1,
            placed: None,
            place: &self.place,
            senders: &self.senders,
        }
    }

    fn decide(&self, ask: Ask, counters: &mut Counters) -> Vec<Verdict> {
        let mut memo = Memo::new(self.now);
        let decide = |message| ask(&self.candidate(message), &self.facts, counters, &mut memo);
        self.addresses.iter().enumerate().map(decide).map(|decision| decision.verdict).collect()
    }
}

/// A sender past its warm-up.
fn sender(zone: Zone) -> SenderFacts {
    SenderFacts {
        id: SenderId(Uuid::from_u128(1)),
        number: "+12025550100".into(),
        account: "main".into(),
        channel: Channel::Sms,
        weight: 1,
        country: Some(Country::US),
        zone,
        pace: 10_000,
        active_since: "2025-01-01T00:00:00Z".parse().expect("an instant"),
        daily_cap: 1_000_000,
        usable: true,
        health: SenderHealth::default(),
        account_is_held: false,
    }
}
