//! Which gate is asked for which class: the table, cell by cell.

use domain::{
    gates::{
        Caps, CounterKey, CounterKind, Gate, GateAnswer, RecipientStatus, Stops, SwitchMode,
        Verdict, Windows,
    },
    message::class::{Channel, MessageClass},
    money::Micros,
};

use crate::desk::{Desk, at, tenant};
use MessageClass::{Compliance, Conversational, Journey, Promo, Transactional};

/// A conversation is open, so that conversational messages pass where nothing else is wrong.
fn desk(class: MessageClass) -> Desk {
    let mut desk = Desk::of(class);
    desk.recipient().last_inbound_at = Some(at("2026-03-02T16:00:00Z"));
    desk
}

/// Breaks one gate, and compares what each class says.
#[track_caller]
fn each(broken: impl Fn(&mut Desk), said: [&str; 5]) {
    for (class, said) in MessageClass::ALL.into_iter().zip(said) {
        let mut desk = desk(class);
        broken(&mut desk);
        assert_eq!(desk.says(), said, "{}", class.as_str());
    }
}

#[test]
fn a_message_with_nothing_against_it_is_admitted_in_every_class() {
    each(|_| {}, ["admit 1"; 5]);
}

#[test]
fn only_these_gates_are_asked() {
    use Gate::{Budget, Dnc, Eligible, KillSwitch, QuietHours, Rate, Suppression, Warmup};
    let asked = |class| {
        let gates = desk(class).decide().gates;
        assert_eq!(gates.iter().map(|gate| gate.gate).collect::<Vec<_>>(), Gate::ORDER);
        let asked = gates.into_iter().filter(|gate| gate.answer != GateAnswer::NotAsked);
        asked.map(|gate| gate.gate).collect::<Vec<_>>()
    };

    assert_eq!(asked(Promo), Gate::ORDER);

    let journey = [Eligible, KillSwitch, Budget, Dnc, QuietHours, Rate, Warmup];
    assert_eq!(asked(Journey), journey);
    assert!(!journey.contains(&Suppression));

    let urgent = [Eligible, KillSwitch, Budget, Dnc, Rate, Warmup];
    assert_eq!(asked(Conversational), urgent);
    assert_eq!(asked(Transactional), urgent);
    assert_eq!(asked(Compliance), [KillSwitch]);
}

#[test]
fn eligible_country() {
    let no = "block eligible country_not_allowed";
    each(|desk| desk.place.country = "KP".parse().ok(), [no, no, no, no, "admit 1"]);
    each(|desk| desk.place.country = None, [no, no, no, no, "admit 1"]);
}

#[test]
fn eligible_sender() {
    let no = "block eligible no_sender";
    each(|desk| desk.senders.clear(), [no; 5]);
    each(
        |desk| {
            desk.sender(1).usable = false;
            desk.sender(2).active_since = at("2026-04-01T00:00:00Z");
        },
        [no, no, no, no, "admit 1"],
    );

    let mut desk = desk(Promo);
    desk.sender(1).usable = false;
    assert_eq!(desk.says(), "admit 2");
}

#[test]
fn eligible_conversation() {
    let closed = "block eligible conversation_closed";
    each(
        |desk| desk.recipient().last_inbound_at = None,
        ["admit 1", "admit 1", closed, "admit 1", "admit 1"],
    );
    let mut desk = desk(Conversational);
    desk.recipient().last_inbound_at = Some(at("2026-03-01T17:00:01Z"));

    assert_eq!(desk.says(), "admit 1");

    desk.recipient().last_inbound_at = Some(at("2026-03-01T17:00:00Z"));
    assert_eq!(desk.says(), closed, "24 hours are over");
}

#[test]
fn what_needs_an_open_conversation_may_be_called_until_it_closes() {
    let closes = |last: &str| {
        let mut desk = desk(Conversational);
        desk.recipient().last_inbound_at = Some(at(last));
        match desk.decide().verdict {
            Verdict::Admit { sendable_until, .. } => sendable_until,
            other => panic!("{other:?}"),
        }
    };

    assert_eq!(closes("2026-03-01T17:00:30Z"), at("2026-03-02T17:00:30Z"));
}

#[test]
fn whatsapp_needs_an_open_window() {
    let mut desk = desk(Transactional).on_whatsapp();
    let key = (tenant(), crate::desk::number(), Channel::Whatsapp);
    desk.facts.recipients.insert(key, Default::default());
    assert_eq!(desk.says(), "block eligible whatsapp_window");

    desk.is_carrier_template = true;
    assert_eq!(desk.says(), "admit 1", "a template goes at any time");
}

#[test]
fn the_window_of_whatsapp_is_a_day_whatever_the_policy_says() {
    for (class, hours_ago, says) in [
        (Transactional, 23, "admit 1"),
        (Transactional, 25, "block eligible whatsapp_window"),
        (Conversational, 25, "block eligible conversation_closed"),
    ] {
        let mut desk = desk(class).on_whatsapp();
        desk.policy().conversation_hours = 72;
        let last = desk.now - jiff::SignedDuration::from_hours(hours_ago);
        let status = RecipientStatus { last_inbound_at: Some(last), ..RecipientStatus::default() };
        let key = (tenant(), crate::desk::number(), Channel::Whatsapp);
        desk.facts.recipients.insert(key, status);
        assert_eq!(desk.says(), says, "{class:?} after {hours_ago} hours");
    }
}

#[test]
fn the_refusal_outside_the_window_says_what_goes_instead() {
    let mut desk = desk(Transactional).on_whatsapp();
    let key = (tenant(), crate::desk::number(), Channel::Whatsapp);
    desk.facts.recipients.insert(key, Default::default());
    let Verdict::Block { cause, .. } = desk.decide().verdict else { panic!("not blocked") };
    assert!(cause.reason.ends_with("send a template"), "{}", cause.reason);
}

#[test]
fn a_message_leaves_by_senders_of_its_channel_alone() {
    let mut desk = desk(Transactional);
    desk.sender(1).channel = Channel::Whatsapp;
    assert_eq!(desk.says(), "admit 2");
    desk.sender(2).channel = Channel::Whatsapp;
    assert_eq!(desk.says(), "block eligible no_sender");
}

#[test]
fn kill_switch_paused_holds_and_stopped_blocks() {
    let held = "hold kill_switch platform_paused switch:platform";
    each(|desk| desk.facts.platform = SwitchMode::Paused, [held; 5]);
    let stopped = "block kill_switch platform_stopped";
    each(|desk| desk.facts.platform = SwitchMode::Stopped, [stopped; 5]);

    let held = "hold kill_switch tenant_paused switch:tenant";
    each(
        |desk| desk.tenant().switches.tenant = SwitchMode::Paused,
        [held, held, held, held, "admit 1"],
    );
    let stopped = "block kill_switch tenant_stopped";
    each(
        |desk| desk.tenant().switches.tenant = SwitchMode::Stopped,
        [stopped, stopped, stopped, stopped, "admit 1"],
    );
}

#[test]
fn of_an_archived_company_everything_is_blocked() {
    let blocked = "block kill_switch tenant_archived";
    each(|desk| desk.tenant().archived = true, [blocked; 5]);
}

#[test]
fn budget_defers_what_can_wait_and_blocks_what_cannot() {
    let defer = "defer budget daily_budget 2026-03-03T14:00:00Z";
    let block = "block budget daily_budget";
    each(
        |desk| desk.tenant().caps = Caps { daily: Some(Micros(7_899)), monthly: None },
        [defer, defer, block, block, "admit 1"],
    );
    each(
        |desk| desk.tenant().caps = Caps { daily: Some(Micros(7_900)), monthly: None },
        ["admit 1"; 5],
    );
}

#[test]
fn dnc_blocks_always_and_asks_each_class_what_it_needs() {
    let since = Some(at("2026-02-01T00:00:00Z"));
    let out = "block dnc opted_out";
    each(|desk| desk.recipient().opted_out_at = since, [out, out, out, out, "admit 1"]);

    let dnc = "block dnc do_not_contact";
    each(|desk| desk.recipient().do_not_contact_at = since, [dnc, dnc, dnc, "admit 1", "admit 1"]);
    for (stops, transactional) in [(Stops::Marketing, "admit 1"), (Stops::All, dnc)] {
        each(
            |desk| {
                desk.recipient().do_not_contact_at = since;
                desk.recipient().do_not_contact_stops = Some(stops);
            },
            [dnc, dnc, dnc, transactional, "admit 1"],
        );
    }

    let no = "block dnc no_consent";
    each(
        |desk| desk.recipient().marketing_consent_at = None,
        [no, no, "admit 1", "admit 1", "admit 1"],
    );
    each(
        |desk| {
            desk.recipient().marketing_consent_at = None;
            desk.policy().require_consent = false;
        },
        ["admit 1"; 5],
    );
}

#[test]
fn suppression_concerns_promotions_alone() {
    let last = at("2025-12-02T17:00:01Z");
    let block = "block suppression suppressed";
    each(
        |desk| desk.recipient().last_promo_at = Some(last),
        [block, "admit 1", "admit 1", "admit 1", "admit 1"],
    );
}

#[test]
fn quiet_hours_concern_marketing_alone() {
    let defer = "defer quiet_hours quiet_hours 2026-03-03T14:00:00Z";
    each(
        |desk| {
            desk.now = at("2026-03-03T03:00:00Z");
            desk.recipient().last_inbound_at = Some(desk.now);
        },
        [defer, defer, "admit 1", "admit 1", "admit 1"],
    );
}

#[test]
fn rate_is_quota_for_everyone_and_frequency_for_marketing() {
    let quota = "defer rate quota_minute 2026-03-02T17:01:00Z";
    each(
        |desk| {
            desk.policy().quota.per_minute = 0;
            // The place within the next minute comes from the id: this one's is its start.
            desk.message = 61;
        },
        [quota, quota, quota, quota, "admit 1"],
    );

    let often = "defer rate frequency 2026-03-02T23:00:00Z";
    let three = ["2026-03-01T23:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"];
    each(
        |desk| desk.recipient().marketing_at = three.map(at).to_vec(),
        [often, often, "admit 1", "admit 1", "admit 1"],
    );
}

#[test]
fn warmup_counts_for_every_class_but_compliance() {
    let full = "defer warmup sender_cap 2026-03-03T05:00:00Z";
    let marketing = "defer warmup sender_cap 2026-03-03T14:00:00Z";
    each(
        |desk| {
            let zone = desk.sender(1).zone;
            let window_start = Windows::at(desk.now, zone).day_start;
            for n in [1, 2] {
                let target = Some(desk.sender(n).id.0);
                let kind = CounterKind::SenderDay;
                let key = CounterKey { tenant: tenant(), kind, target, window_start };
                desk.counters.load(key, 1_000);
            }
        },
        [marketing, marketing, full, full, "admit 1"],
    );
}

#[test]
fn facts_that_cannot_be_read_admit_nobody() {
    let held = "hold eligible policy_unreadable policy";
    each(|desk| desk.tenant().policy = None, [held; 5]);
    each(|desk| desk.facts.tenants.clear(), [held; 5]);
    let unknown = "hold eligible standing_unreadable policy";
    each(|desk| desk.facts.recipients.clear(), [unknown; 5]);
}
