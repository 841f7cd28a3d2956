//! The last look before a call, against the walk through all gates.

use domain::{
    gates::{Basis, Gate, Needed, Recheck, SwitchMode, Verdict, Wake},
    ids::CampaignId,
    message::class::MessageClass,
    zones::{Candidates, Zone},
};
use jiff::SignedDuration;
use proptest::{prelude::*, strategy::ValueTree};
use uuid::Uuid;

use crate::desk::{Desk, at, sender_id};

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(5));
const MODES: [SwitchMode; 3] = [SwitchMode::On, SwitchMode::Paused, SwitchMode::Stopped];

/// What the gates that are asked again look at, in a state that makes them pass or not.
#[derive(Debug, Clone)]
struct Odds {
    class: usize,
    minute: i64,
    zone: usize,
    in_campaign: bool,
    switches: [usize; 4],
    opted_out: bool,
    listed: bool,
    program_left: bool,
    consent: Option<(usize, Option<i64>)>,
    needed: usize,
}

fn odds() -> impl Strategy<Value = Odds> {
    let mode = || prop_oneof![8 => Just(0_usize), 1 => Just(1), 1 => Just(2)];
    let rarely = || proptest::bool::weighted(0.1);
    let when = (0..5_usize, 0..3 * 24 * 60_i64, 0..3_usize, any::<bool>());
    let switches = [mode(), mode(), mode(), mode()];
    let consent =
        proptest::option::weighted(0.9, (0..5_usize, proptest::option::weighted(0.3, -90..90_i64)));
    let person = (rarely(), rarely(), rarely(), consent, 0..4_usize);

    (when, switches, person).prop_map(|(when, switches, person)| {
        let (class, minute, zone, in_campaign) = when;
        let (opted_out, listed, program_left, consent, needed) = person;

        Odds {
            class,
            minute,
            zone,
            in_campaign,
            switches,
            opted_out,
            listed,
            program_left,
            consent,
            needed,
        }
    })
}

/// A message that every other gate lets pass.
fn desk(odds: &Odds) -> Desk {
    let mut desk = Desk::of(MessageClass::ALL[odds.class]);
    desk.senders = vec![sender_id(1)];
    // Half past a minute: no day ends within the longest call.
    let offset = SignedDuration::from_secs(odds.minute * 60 + 30);
    desk.now = at("2026-03-07T00:00:00Z") + offset;
    desk.submitted_at = desk.now;
    let zone = ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"][odds.zone];
    desk.place.zones = Candidates::from(vec![Zone::parse(zone).expect("a zone")]);
    desk.campaign = odds.in_campaign.then_some(CAMPAIGN);

    let [platform, tenant, campaign, sender] = odds.switches.map(|mode| MODES[mode]);
    desk.facts.platform = platform;
    desk.tenant().switches.tenant = tenant;
    desk.tenant().switches.campaigns.insert(CAMPAIGN, campaign);
    desk.tenant().switches.senders.insert(sender_id(1), sender);
    desk.tenant().programs.insert(CAMPAIGN, "spring".into());
    let needed = [Needed::None, Needed::Any, Needed::Express, Needed::ExpressWritten];
    desk.policy().consent.promo = needed[odds.needed];
    desk.policy().consent.transactional = needed[odds.needed];

    let now = desk.now;
    let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
    let recipient = desk.recipient();
    recipient.last_inbound_at = Some(ago(10));
    recipient.opted_out_at = odds.opted_out.then(|| ago(5));
    recipient.do_not_contact_at = odds.listed.then(|| ago(5));
    recipient.stopped_programs =
        if odds.program_left { vec!["spring".into(), "transactional".into()] } else { vec![] };
    recipient.marketing_consent_at = odds.consent.map(|_| ago(500));
    recipient.consent_basis = odds.consent.and_then(|(basis, _)| Basis::ALL.get(basis).copied());
    recipient.consent_expires_at =
        odds.consent.and_then(|(_, minutes)| minutes).map(|minutes| ago(-minutes));
    desk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Over the gates that are asked again, whatever their facts: the last look lets a call begin
    /// exactly when the gates would admit the message, its own reservation left out.
    #[test]
    fn the_last_look_admits_exactly_what_the_gates_admit(odds in odds()) {
        let admitted = matches!(desk(&odds).decide().verdict, Verdict::Admit { .. });
        let may_call = desk(&odds).recheck(0) == Recheck::Admit;
        prop_assert_eq!(may_call, admitted, "{:?}", desk(&odds).says());
    }

    /// What is held or blocked is so by the same gate, code and words; only what the gates could
    /// solve in another way goes back to them.
    #[test]
    fn the_last_look_gives_the_gates_own_reasons(odds in odds()) {
        let verdict = desk(&odds).decide().verdict;
        match desk(&odds).recheck(0) {
            Recheck::Admit => {}
            Recheck::Hold { cause, .. } => prop_assert_eq!(verdict, Verdict::Hold { cause }),
            Recheck::Block { cause } => {
                let same = matches!(&verdict, Verdict::Block { cause: of, .. } if *of == cause);
                prop_assert!(same, "{:?}, not {:?}", verdict, cause);
            }
            Recheck::Anew { gate, .. } => {
                let others = [Some(Gate::KillSwitch), Some(Gate::QuietHours)];
                prop_assert!(others.contains(&gate), "{:?}", gate);
            }
        }
    }
}

#[test]
fn both_outcomes_are_common_among_the_odds() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let admitted = (0..500).filter(|_| {
        let odds = odds().new_tree(&mut runner).expect("odds").current();
        desk(&odds).recheck(0) == Recheck::Admit
    });
    let admitted = admitted.count();
    assert!((100..400).contains(&admitted), "{admitted} of 500 are admitted");
}

#[test]
fn another_policy_sends_a_message_back_to_the_gates() {
    let Recheck::Anew { gate, code, .. } = Desk::new().recheck(-1) else { panic!("not anew") };
    assert_eq!((gate, code), (None, "policy_changed"));
}

#[test]
fn a_sender_that_is_switched_off_may_be_replaced() {
    for mode in [SwitchMode::Paused, SwitchMode::Stopped] {
        let mut desk = Desk::new();
        desk.tenant().switches.senders.insert(sender_id(1), mode);
        let Recheck::Anew { gate, .. } = desk.recheck(0) else { panic!("not anew") };
        assert_eq!(gate, Some(Gate::KillSwitch));
    }
}

#[test]
fn nothing_goes_by_facts_that_cannot_be_read() {
    let mut desk = Desk::new();
    desk.tenant().policy = None;
    assert!(matches!(desk.recheck(0), Recheck::Hold { wake: Wake::Policy, .. }));
    let mut desk = Desk::new();
    desk.facts.tenants.clear();
    assert!(matches!(desk.recheck(0), Recheck::Hold { wake: Wake::Policy, .. }));
}
