//! Quiet hours, the spread after the opening, and until when an admission holds.

use domain::{
    message::class::MessageClass,
    zones::{Candidates, Zone},
};
use jiff::SignedDuration;

use crate::desk::{Desk, at};

#[test]
fn an_admission_holds_until_the_first_of_window_day_and_validity() {
    let mut desk = Desk::new();
    assert_eq!(desk.sendable_until(), at("2026-03-03T02:00:00Z"), "21:00 in New York");

    let mut desk = Desk::of(MessageClass::Transactional);
    assert_eq!(desk.sendable_until(), at("2026-03-03T05:00:00Z"), "the budget's and sender's day");

    desk.sender(1).zone = Zone::parse("Asia/Tokyo").expect("a zone");
    assert_eq!(desk.sendable_until(), at("2026-03-03T05:00:00Z").min(at("2026-03-03T15:00:00Z")));

    desk.expires_at = Some(at("2026-03-02T17:05:00Z"));
    assert_eq!(desk.sendable_until(), at("2026-03-02T17:05:00Z"));

    let mut desk = Desk::of(MessageClass::Compliance);
    assert_eq!(desk.sendable_until(), at("2026-03-03T17:00:00Z"));
}

#[test]
fn what_a_long_call_would_carry_past_the_window_is_not_admitted() {
    let says = |now: &str, lead: Option<i64>| {
        let mut desk = Desk::new();
        desk.now = at(now);
        desk.lead = lead.map_or(desk.lead, SignedDuration::from_secs);
        desk.says()
    };
    assert_eq!(says("2026-03-03T01:59:30Z", None), "admit 1", "thirty seconds are left");

    // As the last look has it, which would send it back.
    let long = says("2026-03-03T01:59:30Z", Some(60));
    assert!(long.starts_with("defer quiet_hours window_closing 2026-03-03T14:"), "{long}");
    let short = says("2026-03-03T01:59:50Z", Some(1));
    assert_ne!(short, "admit 1", "the way to the claim takes some, however short the call");
}

#[test]
fn the_senders_day_ends_in_the_senders_zone() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.sender(1).zone = Zone::parse("UTC").expect("a zone");
    assert_eq!(desk.sendable_until(), at("2026-03-03T00:00:00Z"));
}

#[test]
fn a_deferred_message_comes_back_at_its_place_in_the_first_minutes() {
    let mut desk = Desk::new();
    desk.now = at("2026-03-03T03:00:00Z");
    desk.policy().quiet_hours.spread_seconds = 300;
    let opening = at("2026-03-03T14:00:00Z").as_second();
    let mut places = Vec::new();
    for message in [0, 1, 299, 300, 301, 5_000_000_000] {
        desk.message = message;
        let says = desk.says();
        assert_eq!(says, desk.says(), "the same place every time");
        let until = says.rsplit(' ').next().map(at).expect("an instant");
        places.push(until.as_second() - opening);
    }

    assert_eq!(places, [0, 1, 299, 300, 0, 5_000_000_000 % 301]);
}

#[test]
fn the_first_minutes_of_a_short_window_end_before_it_closes() {
    let (opening, lead) = (at("2026-03-03T15:00:00Z"), 12);
    for message in [0, 1, 119, 250, 300] {
        let mut desk = Desk::new();
        desk.policy().quiet_hours.spread_seconds = 300;
        desk.policy().quiet_hours.window = "daily 10:00-10:02".parse().expect("a window");
        desk.message = message;
        desk.now = at("2026-03-03T03:00:00Z");
        let says = desk.says();
        let until = says.rsplit(' ').next().map(at).expect("an instant");
        assert!(until.as_second() <= opening.as_second() + 120 - lead, "{message}: {says}");
        desk.now = until;
        assert_eq!(desk.says(), "admit 1", "{message}");
    }
}

#[test]
fn a_window_that_a_states_law_leaves_nothing_of_is_named_with_the_state() {
    let mut desk = Desk::new();
    desk.place.states = vec!["RI".into()];
    desk.policy().quiet_hours.window = "daily 18:00-20:00".parse().expect("a window");
    assert_eq!(desk.says(), "block quiet_hours no_allowed_hour");
    let reason = desk.reason();
    assert!(reason.contains("(daily 18:00-20:00) leaves no hour of the law's in RI"), "{reason}");
}

#[test]
fn every_zone_and_every_state_must_be_open() {
    let mut desk = Desk::new();
    let zones = ["America/New_York", "America/Los_Angeles"];
    let zones = zones.map(|name| Zone::parse(name).expect("a zone")).to_vec();
    desk.place.zones = Candidates::from(zones);
    desk.now = at("2026-03-02T15:00:00Z");
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-02T17:00:00Z");

    desk.place.states = vec!["FL".into()];
    desk.now = at("2026-03-03T01:00:00Z");
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-03T17:00:00Z", "20:00 in FL");

    desk.place.zones = Candidates::Unknown;
    assert_eq!(desk.says(), "block quiet_hours no_allowed_hour");
}

#[test]
fn a_window_that_closes_before_the_call_could_end_is_closed() {
    let mut desk = Desk::new();
    desk.now = at("2026-03-03T01:59:48Z");
    assert_eq!(desk.says(), "admit 1");
    let mut desk = Desk::new();
    desk.now = at("2026-03-03T01:59:49Z");
    assert_eq!(
        desk.says(),
        "defer quiet_hours window_closing 2026-03-03T14:00:00Z",
        "the next opening, and not the instant at which it is closed for the night"
    );
}

#[test]
fn whatever_makes_marketing_wait_it_waits_for_an_hour_at_which_it_may_be_sent() {
    let mut desk = Desk::of(MessageClass::Journey);
    desk.policy().frequency.messages = 1;
    desk.recipient().marketing_at = vec![at("2026-03-02T03:00:00Z")];
    assert_eq!(desk.says(), "defer rate frequency 2026-03-03T14:00:00Z", "not at 22:00");

    desk.recipient().marketing_at = vec![at("2026-03-02T15:00:00Z")];
    assert_eq!(desk.says(), "defer rate frequency 2026-03-03T15:00:00Z", "at 10:00, as it is");

    desk.recipient().marketing_at = vec![at("2026-03-02T01:59:55Z")];
    assert_eq!(desk.says(), "defer rate frequency 2026-03-03T14:00:00Z", "5 s would not do");

    let mut desk = Desk::of(MessageClass::Promo);
    desk.now = at("2026-03-03T01:30:00Z");
    desk.policy().quota.per_hour = 0;
    desk.message = 0;
    assert_eq!(desk.says(), "defer rate quota_hour 2026-03-03T14:00:00Z", "not at 21:00");
}

#[test]
fn what_is_suppressed_names_an_hour_at_which_another_may_be_sent() {
    let mut desk = Desk::new();
    desk.message = 0;
    let mut until = |last: &str| {
        desk.recipient().last_promo_at = Some(at(last));
        desk.decide().gates.last().expect("a gate").until
    };
    assert_eq!(until("2026-02-01T16:00:00Z"), Some(at("2026-05-02T16:00:00Z")), "noon, as it is");
    assert_eq!(until("2026-02-01T03:00:00Z"), Some(at("2026-05-02T13:00:00Z")), "not at 23:00");

    desk.place.zones = Candidates::Unknown;
    assert_eq!(desk.decide().gates.last().expect("a gate").until, None, "at no hour");
}

#[test]
fn a_day_that_ends_before_the_call_could_end_is_over() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.now = at("2026-03-03T04:59:49Z");
    assert_eq!(desk.says(), "defer budget day_ending 2026-03-03T05:00:00Z");

    let mut desk = Desk::of(MessageClass::Transactional);
    desk.now = at("2026-03-02T23:59:49Z");
    desk.sender(1).zone = Zone::parse("UTC").expect("a zone");
    assert_eq!(desk.says(), "admit 2", "the other sender's day goes on");
}

#[test]
fn the_tenants_window_narrows_the_law_and_never_widens_it() {
    let mut desk = Desk::new();
    desk.policy().quiet_hours.window = "daily 13:00-24:00".parse().expect("a window");
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-02T18:00:00Z");
    desk.now = at("2026-03-03T03:00:00Z");
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-03T18:00:00Z");
}
