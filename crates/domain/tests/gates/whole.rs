//! The whole evaluation against the one that stops: the table of classes and gates, and what holds
//! for every message and every state of the facts.

use domain::{
    gates::{
        Caps, Decision, Gate, GateAnswer, GateCause, GateResult, LEAD_TIME, SwitchMode, Verdict,
    },
    ids::CampaignId,
    message::class::MessageClass,
    money::Micros,
    quiet_hours::{self, QuietHours},
    zones::{Candidates, Zone},
};
use jiff::SignedDuration;
use proptest::prelude::*;
use uuid::Uuid;

use crate::desk::{Desk, at, sender_id};

/// Which gates each class is asked, as the architecture has it: promo, journey, conversational,
/// transactional, compliance.
const TABLE: [(Gate, [bool; 5]); 8] = [
    (Gate::Eligible, [true, true, true, true, false]),
    (Gate::KillSwitch, [true, true, true, true, true]),
    (Gate::Budget, [true, true, true, true, false]),
    (Gate::Dnc, [true, true, true, true, false]),
    (Gate::Suppression, [true, false, false, false, false]),
    (Gate::QuietHours, [true, true, false, false, false]),
    (Gate::Rate, [true, true, true, true, false]),
    (Gate::Warmup, [true, true, true, true, false]),
];

fn is_asked(gate: Gate, class: MessageClass) -> bool {
    let row = TABLE.iter().find(|row| row.0 == gate).expect("every gate has a row");
    let index = MessageClass::ALL.iter().position(|known| *known == class).expect("a class");
    row.1[index]
}

/// Everything that a gate looks at, in a state that makes it pass or not.
#[derive(Debug, Clone)]
struct Odds {
    class: usize,
    country: usize,
    hour: i64,
    zone: usize,
    usable: [bool; 2],
    platform: u8,
    tenant: u8,
    campaign: Option<u8>,
    senders: [u8; 2],
    cap: Option<i64>,
    stops: [bool; 3],
    promo_days_ago: Option<i64>,
    marketing_hours_ago: Vec<i64>,
    inbound_hours_ago: Option<i64>,
    per_minute: u32,
    daily_caps: [u32; 2],
    validity: Option<i64>,
    message: u64,
}

fn odds() -> impl Strategy<Value = Odds> {
    let mode = prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    let often = proptest::bool::weighted(0.85);
    let who = (0..5_usize, 0..4_usize, 0..48_i64, 0..3_usize, any::<u64>());
    let switches =
        (mode.clone(), mode.clone(), proptest::option::of(mode.clone()), [mode.clone(), mode]);

    let person = (
        [
            proptest::bool::weighted(0.1),
            proptest::bool::weighted(0.1),
            proptest::bool::weighted(0.2),
        ],
        proptest::option::weighted(0.3, 0..120_i64),
        proptest::collection::vec(0..40_i64, 0..5),
        proptest::option::of(0..40_i64),
    );

    let limits = (
        proptest::option::weighted(0.3, 0..20_000_i64),
        prop_oneof![1 => Just(0_u32), 5 => Just(1_000)],
        [0..3_u32, 0..3_u32],
        proptest::option::weighted(0.3, prop_oneof![0..20_i64, 0..40_000_i64]),
        [often, often],
    );

    (who, switches, person, limits).prop_map(|(who, switches, person, limits)| Odds {
        class: who.0,
        country: who.1,
        hour: who.2,
        zone: who.3,
        message: who.4,
        platform: switches.0,
        tenant: switches.1,
        campaign: switches.2,
        senders: switches.3,
        stops: person.0,
        promo_days_ago: person.1,
        marketing_hours_ago: person.2,
        inbound_hours_ago: person.3,
        cap: limits.0,
        per_minute: limits.1,
        daily_caps: limits.2,
        validity: limits.3,
        usable: limits.4,
    })
}

fn mode(n: u8) -> SwitchMode {
    [SwitchMode::On, SwitchMode::Paused, SwitchMode::Stopped][usize::from(n)]
}

/// The same odds make the same desk.
fn desk(odds: &Odds) -> Desk {
    let mut desk = Desk::of(MessageClass::ALL[odds.class]);
    desk.now = at("2026-03-02T17:00:00Z") + SignedDuration::from_hours(odds.hour);
    let now = desk.now;
    desk.message = u128::from(odds.message);
    desk.facts.platform = mode(odds.platform);
    desk.expires_at = odds.validity.map(|seconds| now + SignedDuration::from_secs(seconds));

    desk.place.country =
        [Some("US"), Some("US"), Some("KP"), None][odds.country].and_then(|code| code.parse().ok());
    let zones = ["America/New_York", "Pacific/Honolulu", "Europe/London"];
    let zone = Zone::parse(zones[odds.zone]).expect("a zone");
    desk.place.zones = Candidates::from(vec![zone]);

    let campaign = CampaignId(Uuid::from_u128(5));
    desk.campaign = odds.campaign.map(|_| campaign);
    let tenant = desk.tenant();
    tenant.switches.tenant = mode(odds.tenant);
    tenant.switches.campaigns.extend(odds.campaign.map(|n| (campaign, mode(n))));
    tenant.caps = Caps { daily: odds.cap.map(Micros), monthly: None };
    for (n, mode_of) in (1..).zip(odds.senders) {
        tenant.switches.senders.insert(sender_id(n), mode(mode_of));
    }

    desk.policy().quota.per_minute = odds.per_minute;
    for (n, (usable, cap)) in (1..).zip(odds.usable.into_iter().zip(odds.daily_caps)) {
        desk.sender(n).usable = usable;
        desk.sender(n).daily_cap = cap;
    }

    let ago = |hours: i64| now - SignedDuration::from_hours(hours);
    let [opted_out, listed, no_consent] = odds.stops;
    let recipient = desk.recipient();
    recipient.opted_out_at = opted_out.then(|| ago(1));
    recipient.do_not_contact_at = listed.then(|| ago(1));
    if no_consent {
        recipient.marketing_consent_at = None;
    }
    recipient.last_promo_at = odds.promo_days_ago.map(|days| ago(days * 24));
    recipient.marketing_at = odds.marketing_hours_ago.iter().map(|hours| ago(*hours)).collect();
    recipient.last_inbound_at = odds.inbound_hours_ago.map(ago);
    desk
}

fn first_stop(decision: &Decision) -> Option<&GateResult> {
    decision.gates.iter().find(|gate| gate.answer.stops())
}

#[test]
fn each_class_is_asked_what_the_table_says() {
    for class in MessageClass::ALL {
        let whole = Desk::of(class).examine();
        assert_eq!(whole.gates.iter().map(|gate| gate.gate).collect::<Vec<_>>(), Gate::ORDER);
        for said in whole.gates {
            let asked = said.answer != GateAnswer::NotAsked;
            assert_eq!(asked, is_asked(said.gate, class), "{:?} {}", said.gate, class.as_str());
        }
    }
}

#[test]
fn every_gate_is_asked_behind_the_one_that_decides() {
    let mut desk = Desk::new();
    desk.tenant().switches.tenant = SwitchMode::Paused;
    desk.recipient().opted_out_at = Some(at("2026-02-01T00:00:00Z"));
    desk.recipient().last_promo_at = Some(at("2026-02-20T00:00:00Z"));
    desk.now = at("2026-03-03T03:00:00Z");
    let whole = desk.examine();
    assert!(matches!(whole.verdict, Verdict::Hold { .. }));

    let said: Vec<_> = whole.gates.iter().map(|gate| (gate.answer.as_str(), gate.code)).collect();
    let expected = [
        ("pass", None),
        ("hold", Some("tenant_paused")),
        ("pass", None),
        ("block", Some("opted_out")),
        ("block", Some("suppressed")),
        ("defer", Some("quiet_hours")),
        ("pass", None),
        ("pass", None),
    ];

    assert_eq!(said, expected);
}

#[test]
fn a_gate_that_has_no_sender_left_to_look_at_says_so() {
    let mut desk = Desk::new();
    desk.sender(1).usable = false;
    desk.sender(2).usable = false;
    let whole = desk.examine();
    let last = whole.gates.last().expect("the warm-up");

    assert_eq!((last.answer, last.code), (GateAnswer::Moot, Some("no_sender_left")));
    assert_eq!(first_stop(&whole).map(|gate| gate.code), Some(Some("no_sender")));

    desk.facts.tenants.clear();
    let unread = desk.examine();
    assert_eq!(unread.gates.len(), Gate::ORDER.len());
    assert!(unread.gates[1..].iter().all(|gate| gate.answer == GateAnswer::Moot));
}

#[test]
fn a_message_that_would_wait_beyond_its_use_expires_and_says_at_which_gate() {
    let mut desk = Desk::new();
    desk.now = at("2026-03-03T03:00:00Z");
    desk.expires_at = Some(at("2026-03-03T14:00:00Z"));
    assert_eq!(desk.says(), "expire quiet_hours quiet_hours");

    desk.expires_at = Some(at("2026-03-03T14:00:01Z"));
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-03T14:00:00Z");

    desk.expires_at = Some(at("2026-03-03T03:00:11Z"));
    assert_eq!(desk.says(), "expire - validity_ended");
}

#[test]
fn a_stamp_names_gate_code_facts_policy_and_instant() {
    let mut desk = Desk::new();
    desk.tenant().policy_version = 7;
    let admitted = desk.decide().stamp(desk.now);
    assert_eq!((admitted.verdict.as_str(), admitted.policy_version), ("admit", Some(7)));

    desk.now = at("2026-03-03T03:00:00Z");
    desk.recipient().last_promo_at = None;
    desk.counters = Default::default();
    let stamp = desk.decide().stamp(desk.now);

    assert_eq!((stamp.verdict.as_str(), stamp.gate), ("defer", Some(Gate::QuietHours)));
    assert_eq!(stamp.until, Some(at("2026-03-03T14:00:00Z")));
    assert_eq!(stamp.policy_version, Some(7));

    let reason = stamp.reason.expect("a reason");
    assert!(reason.contains("daily 09:00-21:00 in America/New_York"), "{reason}");
}

/// What breaks one gate, and what its reason then says.
type Broken<'a> = (&'a dyn Fn(&mut Desk), &'a str);

/// Each gate's reason holds the facts that it went by.
#[test]
fn each_reason_names_its_facts() {
    let reason = |broken: &dyn Fn(&mut Desk)| {
        let mut desk = Desk::new();
        broken(&mut desk);
        let whole = desk.examine();
        first_stop(&whole).and_then(|gate| gate.reason.clone()).expect("a reason")
    };

    let campaign = CampaignId(Uuid::from_u128(5));
    let since = at("2026-02-20T00:00:00Z");
    let cases: [Broken<'_>; 9] = [
        (&|desk| desk.place.country = "KP".parse().ok(), "does not allow KP"),
        (&|desk| desk.tenant().switches.tenant = SwitchMode::Stopped, "the tenant is stopped"),
        (
            &|desk| {
                desk.campaign = Some(campaign);
                let caps = Caps { daily: Some(Micros(5_000)), monthly: None };
                desk.tenant().campaign_caps.insert(campaign, caps);
            },
            "the campaign has spent 0.00 of 0.005 for the day, and this costs 0.0079",
        ),
        (&|desk| desk.recipient().opted_out_at = Some(since), "opted out on 2026-02-20"),
        (
            &|desk| desk.recipient().last_promo_at = Some(since),
            "on 2026-02-20T00:00:00Z, less than 90",
        ),
        (&|desk| desk.place.zones = Candidates::Unknown, "in a zone that is not known"),
        (&|desk| desk.policy().quota.per_hour = 0, "the quota of 0 messages a hour"),
        (
            &|desk| desk.recipient().marketing_at = vec![at("2026-03-02T10:00:00Z"); 3],
            "3 marketing messages in 24 hours are the most, and one went out on 2026-03-02T10",
        ),
        (
            &|desk| [1, 2].into_iter().for_each(|n| desk.sender(n).daily_cap = 0),
            "+12125550100 has 0 of 0, +12125550100 has 0 of 0",
        ),
    ];

    for (broken, expected) in cases {
        let said = reason(broken);
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_first_gate_that_does_not_pass_decides_however_far_is_asked(odds in odds()) {
        let (stopping, whole) = (desk(&odds).decide(), desk(&odds).examine());
        prop_assert_eq!(&stopping.verdict, &whole.verdict);
        prop_assert_eq!(stopping.wake, whole.wake);
        prop_assert_eq!(&stopping.reserved, &whole.reserved);
        prop_assert_eq!(&whole.gates[..stopping.gates.len()], &stopping.gates[..]);
        prop_assert_eq!(whole.gates.iter().map(|gate| gate.gate).collect::<Vec<_>>(), Gate::ORDER);

        let stop = first_stop(&whole).map(|gate| (gate.gate, gate.code, gate.answer));
        let by = |cause: &GateCause, answer| Some((cause.gate, Some(cause.code), answer));
        match &whole.verdict {
            Verdict::Admit { .. } | Verdict::AwaitPace { .. } => prop_assert_eq!(stop, None),
            Verdict::Defer { cause, .. } => prop_assert_eq!(stop, by(cause, GateAnswer::Defer)),
            Verdict::Hold { cause } => prop_assert_eq!(stop, by(cause, GateAnswer::Hold)),
            Verdict::Block { cause, .. } => prop_assert_eq!(stop, by(cause, GateAnswer::Block)),
            Verdict::Expire { gate: None, code, .. } => prop_assert_eq!(*code, "validity_ended"),
            Verdict::Expire { gate: Some(gate), code, .. } => {
                prop_assert_eq!(stop, Some((*gate, Some(*code), GateAnswer::Defer)));
            }
        }
    }

    #[test]
    fn no_gate_is_asked_that_is_not_for_the_class(odds in odds()) {
        let class = MessageClass::ALL[odds.class];
        for said in desk(&odds).examine().gates {
            let no_sender = said.code == Some("no_sender") && class == MessageClass::Compliance;
            let asked = said.answer != GateAnswer::NotAsked && !no_sender;
            prop_assert_eq!(asked, is_asked(said.gate, class), "{:?}", said);
        }
    }

    #[test]
    fn the_same_facts_give_the_same_decision(odds in odds()) {
        prop_assert_eq!(desk(&odds).examine(), desk(&odds).examine());
    }

    #[test]
    fn an_admission_can_be_sent_and_holds_no_longer_than_what_it_rests_on(odds in odds()) {
        let mut asked = desk(&odds);
        let decision = asked.decide();
        let Verdict::Admit { sender, sendable_until } = decision.verdict else { return Ok(()) };

        prop_assert!(sendable_until.duration_since(asked.now) >= LEAD_TIME);
        prop_assert!(asked.expires_at.is_none_or(|ends| sendable_until <= ends));
        prop_assert!(asked.senders.contains(&sender));

        if asked.class != MessageClass::Compliance {
            prop_assert!(odds.usable[usize::from(sender == sender_id(2))]);
        }
        if asked.class.is_marketing() {
            match QuietHours::new(asked.now).at(&asked.place, &[]) {
                quiet_hours::HoursDecision::Open { until } => prop_assert!(sendable_until <= until),
                other => prop_assert!(false, "admitted at night: {other:?}"),
            }
        }
    }
}
