//! A campaign simulated: the first instant, the days after it, and what always adds up.

use domain::{
    address::Address,
    draft::Draft,
    gates::{Caps, Facts, RecipientStatus},
    ids::{CampaignId, ContactId, MessageId},
    message::class::{Channel, MessageClass},
    money::Micros,
    simulate::{Setting, SimulatedRecipient, Simulation, SimulationReport},
};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::desk::{Desk, at, sender_id, tenant};

/// One sender, warmed up, and so many people in New York.
struct Stage {
    desk: Desk,
    people: Vec<SimulatedRecipient>,
}

fn number(n: usize) -> Address {
    format!("+1212555{n:04}").parse().expect("an address")
}

impl Stage {
    fn new(at: Timestamp, people: usize) -> Self {
        let mut desk = Desk::new();
        desk.now = at;
        desk.senders = vec![sender_id(1)];
        let consent =
            RecipientStatus { marketing_consent_at: Some(at), ..RecipientStatus::default() };
        let all = (0..people).map(number);
        let recipients = all.map(|number| ((tenant(), number, Channel::Sms), consent.clone()));
        desk.facts.recipients = recipients.collect();

        let recipient = |n| SimulatedRecipient {
            contact: ContactId(Uuid::from_u128(n as u128)),
            message: MessageId(Uuid::from_u128(n as u128)),
            address: number(n),
            expires_at: None,
            draft: Draft {
                text: String::new(),
                carrier: None,
                failed: None,
                variant: None,
                segments: 1,
                cost: Micros(7_900),
                place: desk.place.clone(),
                senders: desk.senders.clone(),
            },
        };
        let people = (0..people).map(recipient).collect();
        Self { desk, people }
    }

    fn recipient(&mut self, n: usize) -> &mut RecipientStatus {
        let key = (tenant(), number(n), Channel::Sms);
        self.desk.facts.recipients.get_mut(&key).expect("a recipient")
    }

    fn run(self) -> SimulationReport {
        let mut simulation = Simulation::new(Setting {
            at: self.desk.now,
            tenant: tenant(),
            campaign: CampaignId(Uuid::from_u128(5)),
            class: self.desk.class,
            channel: self.desk.channel,
            is_carrier_template: self.desk.is_carrier_template,
        });
        let Facts { platform, tenants, recipients } = self.desk.facts;

        simulation.learn(Facts { platform, tenants, recipients }, &self.people);
        for one in &self.people {
            simulation.ask(one, false);
        }
        while simulation.follow_on(100) {}
        simulation.report()
    }
}

/// Days and messages of the one sender.
fn days(report: &SimulationReport) -> Vec<(String, u64)> {
    report.senders.iter().map(|total| (total.day.to_string(), total.admitted)).collect()
}

fn day(day: &str, admitted: u64) -> (String, u64) {
    (day.into(), admitted)
}

#[test]
fn everybody_leaves_at_the_pace_of_the_sender() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 21);
    stage.desk.sender(1).pace = 2;
    let report = stage.run();

    assert_eq!((report.answers.admitted, report.sent, report.waiting), (21, 21, 0));
    assert_eq!(report.first_send_at, Some(at("2026-03-02T17:00:00Z")));
    assert_eq!(report.finish_at, Some(at("2026-03-02T17:00:10Z")));
    assert_eq!((report.segments, report.cost), (21, Micros(21 * 7_900)));
    assert_eq!(days(&report), [day("2026-03-02", 21)]);
}

#[test]
fn a_small_cap_takes_as_many_days_as_it_needs() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 5);
    stage.desk.sender(1).daily_cap = 2;
    let report = stage.run();

    assert_eq!((report.answers.admitted, report.answers.deferred), (2, 3));
    assert_eq!(days(&report), [day("2026-03-02", 2), day("2026-03-03", 2), day("2026-03-04", 1)]);
    assert_eq!(report.groups.len(), 1);

    let group = &report.groups[0];
    assert_eq!((group.code, group.verdict, group.count), ("sender_cap", "defer", 3));
    assert_eq!(group.earliest_until, Some(at("2026-03-03T14:00:00Z")));
    assert_eq!(report.finish_at, Some(at("2026-03-04T14:00:00Z")), "when the hours open");
}

#[test]
fn what_its_sender_cannot_carry_before_the_night_leaves_in_the_morning() {
    let mut stage = Stage::new(at("2026-03-03T01:59:00Z"), 60);
    stage.desk.sender(1).pace = 1;
    stage.desk.sender(1).daily_cap = 60;
    // Enough for each of them once: what is not sent in time is given back.
    stage.desk.tenant().caps = Caps { daily: None, monthly: Some(Micros(60 * 7_900)) };
    let report = stage.run();

    assert_eq!(report.answers.admitted, 60, "all of them are admitted before 21:00");
    // 48 seconds are left before the last call could end after the window.
    assert_eq!(days(&report), [day("2026-03-02", 49), day("2026-03-03", 11)]);
    assert_eq!(report.finish_at, Some(at("2026-03-03T14:00:10Z")));
}

#[test]
fn on_whatsapp_a_template_reaches_everybody_and_a_text_those_who_have_written() {
    for (is_carrier_template, admitted) in [(false, 1), (true, 3)] {
        let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 3);
        stage.desk = stage.desk.on_whatsapp();
        stage.desk.is_carrier_template = is_carrier_template;
        let of_sms = std::mem::take(&mut stage.desk.facts.recipients);
        stage.desk.facts.recipients = of_sms
            .into_iter()
            .map(|((tenant, number, _), status)| ((tenant, number, Channel::Whatsapp), status))
            .collect();
        let one = (tenant(), number(0), Channel::Whatsapp);
        let one = stage.desk.facts.recipients.get_mut(&one).expect("a recipient");
        one.last_inbound_at = Some(at("2026-03-02T16:00:00Z"));

        let report = stage.run();
        let expected = (admitted, 3 - admitted);
        assert_eq!((report.answers.admitted, report.answers.blocked), expected);
        if !is_carrier_template {
            assert_eq!(report.groups[0].code, "whatsapp_window");
        }
    }
}

#[test]
fn who_left_the_program_is_blocked_in_whichever_part_of_the_audience_they_are() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 2);
    let campaign = CampaignId(Uuid::from_u128(5));
    stage.recipient(1).stopped_programs = vec!["vip".into()];
    let recipients = std::mem::take(&mut stage.desk.facts.recipients);
    let mut parts: Vec<Facts> = (0..2)
        .map(|n| {
            let key = (tenant(), number(n), Channel::Sms);
            let recipient = recipients.get(&key).expect("a recipient").clone();
            let (platform, tenants) = (stage.desk.facts.platform, stage.desk.facts.tenants.clone());
            Facts { platform, tenants, recipients: [(key, recipient)].into() }
        })
        .collect();
    // Programs are loaded where somebody of the part has left one.
    let of_second = parts[1].tenants.get_mut(&tenant()).expect("a tenant");
    of_second.programs.insert(campaign, "vip".into());

    let (at, class) = (stage.desk.now, stage.desk.class);
    let (channel, is_carrier_template) = (Channel::Sms, false);
    let setting = Setting { at, tenant: tenant(), campaign, class, channel, is_carrier_template };
    let mut simulation = Simulation::new(setting);
    for (facts, one) in parts.into_iter().zip(&stage.people) {
        simulation.learn(facts, std::slice::from_ref(one));
        simulation.ask(one, false);
    }

    while simulation.follow_on(100) {}

    let report = simulation.report();
    assert_eq!((report.answers.admitted, report.answers.blocked), (1, 1));
    assert_eq!(report.groups[0].code, "program_opted_out");
}

#[test]
fn a_monthly_budget_waits_for_the_next_month() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 5);
    stage.desk.tenant().caps = Caps { daily: None, monthly: Some(Micros(3 * 7_900)) };
    let report = stage.run();
    assert_eq!((report.answers.admitted, report.answers.cost), (3, Micros(3 * 7_900)));
    assert_eq!(days(&report), [day("2026-03-02", 3), day("2026-04-01", 2)]);
}

#[test]
fn who_would_wait_beyond_the_validity_is_dropped_when_that_is_known() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 3);
    stage.desk.sender(1).daily_cap = 1;
    for one in &mut stage.people {
        one.expires_at = Some(at("2026-03-03T14:00:01Z"));
    }
    let report = stage.run();

    assert_eq!(
        (report.answers.admitted, report.answers.deferred),
        (1, 1),
        "the third's place is a day later"
    );
    assert_eq!((report.sent, report.dropped, report.waiting), (1, 1, 0));
}

#[test]
fn a_cap_that_takes_longer_than_the_horizon_has_no_finish() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 70);
    stage.desk.sender(1).daily_cap = 1;
    let report = stage.run();
    assert_eq!(report.finish_at, None);
    assert_eq!(report.sent + report.waiting, 70);
    assert_eq!(report.sent, 61, "one today, and one on each of sixty days");
}

#[test]
fn verdicts_are_counted_by_gate_and_code() {
    let mut stage = Stage::new(at("2026-03-02T17:00:00Z"), 6);
    stage.recipient(1).opted_out_at = Some(at("2026-02-01T00:00:00Z"));
    stage.recipient(2).last_promo_at = Some(at("2026-02-20T00:00:00Z"));
    stage.recipient(3).marketing_consent_at = None;
    stage.people[4].draft.failed = Some("missing_variable");
    let report = stage.run();
    let groups: Vec<_> =
        report.groups.iter().map(|group| (group.verdict, group.code, group.count)).collect();
    let expected = [
        ("fail", "missing_variable", 1),
        ("block", "no_consent", 1),
        ("block", "opted_out", 1),
        ("block", "suppressed", 1),
    ];

    assert_eq!(groups, expected);

    let passes_again = report.groups[3].latest_until;
    assert_eq!(passes_again, Some(at("2026-05-21T00:00:00Z")));
    assert_eq!((report.answers.audience(), report.sent), (6, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn everybody_is_counted_once_and_no_day_passes_its_cap(
        people in 1..120_usize, cap in 0..40_u32, pace in 1..5_u32, hour in 0..24_i64,
        budget in proptest::option::of(0..60_i64),
        stops in proptest::collection::vec(0..120_usize, 0..9),
        quota in 1..50_u32, journey in any::<bool>(),
    ) {
        let start = at("2026-03-02T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
        let mut stage = Stage::new(start, people);
        if journey {
            stage.desk.class = MessageClass::Journey;
        }
        stage.desk.sender(1).daily_cap = cap;
        stage.desk.sender(1).pace = pace;
        stage.desk.policy().quota.per_hour = quota;
        stage.desk.tenant().caps.daily = budget.map(|n| Micros(n * 7_900));
        for n in stops.into_iter().filter(|n| *n < people) {
            stage.recipient(n).opted_out_at = Some(start);
        }

        let report = stage.run();
        let answers = &report.answers;
        let grouped: u64 = report.groups.iter().map(|group| group.count).sum();

        prop_assert_eq!(answers.audience(), people as u64);
        prop_assert_eq!(answers.admitted + grouped, people as u64);

        let ended = answers.held + answers.blocked + answers.expired + answers.failed;
        prop_assert_eq!(report.sent + report.dropped + report.waiting + ended, people as u64);
        prop_assert_eq!(report.senders.iter().map(|day| day.admitted).sum::<u64>(), report.sent);

        for day in &report.senders {
            prop_assert!(day.admitted <= u64::from(cap));
            prop_assert!(budget.is_none_or(|n| day.admitted <= n as u64));
        }

        prop_assert_eq!(report.finish_at.is_some(), report.waiting == 0 && report.sent > 0);
    }
}
