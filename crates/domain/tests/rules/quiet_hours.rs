//! Quiet hours: the vectors, the law's edges, the changes of clocks, and properties.

use domain::{
    phone::PhoneNumber,
    quiet_hours::{
        HORIZON_DAYS, HoursDecision, QuietHours, Window, profiles, window_decision, window_for,
    },
    zones::{OnFile, Place, Zone, resolve},
};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    area_code: String,
    candidate_zones: Vec<Zone>,
    #[serde(rename = "now_utc")]
    now: Timestamp,
    window: String,
    allowed: bool,
    #[serde(rename = "next_allowed_utc")]
    next_allowed_at: Timestamp,
}

fn window(text: &str) -> Window {
    text.parse().expect("a window")
}

fn named(name: &str) -> Window {
    window(match name {
        "seed_9_21" => "daily 09:00-21:00",
        "fed_8_21" => "daily 08:00-21:00",
        "fl_ok_wa_8_20" => "daily 08:00-20:00",
        "tx" => "mon-sat 09:00-21:00, sun 12:00-21:00",
        other => panic!("no window {other}"),
    })
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn zones(names: &[&str]) -> Vec<Zone> {
    names.iter().map(|name| Zone::parse(name).expect("a zone")).collect()
}

fn place(number: &str, on_file: OnFile<'_>) -> Place {
    resolve(Some(&PhoneNumber::from_e164(number).expect("E.164")), &on_file)
}

#[test]
fn every_vector_is_decided_as_published() {
    let file: File =
        serde_json::from_str(include_str!("../data/quiet_hours.json")).expect("quiet_hours.json");
    assert_eq!(file.cases.len(), 14, "a case was lost");

    for case in file.cases {
        let id = format!("{} {} {}", case.area_code, case.now, case.window);
        match window_decision(case.now, &case.candidate_zones, &[named(&case.window)]) {
            HoursDecision::Open { until } => {
                assert!(case.allowed && until > case.now, "{id}");
                assert_eq!(case.next_allowed_at, case.now, "{id}");
            }
            HoursDecision::Closed { opens_at } => {
                assert!(!case.allowed, "{id}");
                assert_eq!(opens_at, case.next_allowed_at, "{id}");
            }
            HoursDecision::Never => panic!("{id}"),
        }
        let found = place(&format!("+1{}5550100", case.area_code), OnFile::default());
        assert_eq!(found.zones.as_slice(), case.candidate_zones, "{id}");
    }
}

#[test]
fn the_start_is_included_and_the_end_is_not() {
    let new_york = zones(&["America/New_York"]);
    let day = [window("daily 09:00-21:00")];
    for (now, expected) in [
        (
            "2026-01-15T13:59:59.999Z",
            HoursDecision::Closed { opens_at: at("2026-01-15T14:00:00Z") },
        ),
        ("2026-01-15T14:00:00Z", HoursDecision::Open { until: at("2026-01-16T02:00:00Z") }),
        ("2026-01-16T01:59:59.999Z", HoursDecision::Open { until: at("2026-01-16T02:00:00Z") }),
        ("2026-01-16T02:00:00Z", HoursDecision::Closed { opens_at: at("2026-01-16T14:00:00Z") }),
    ] {
        assert_eq!(window_decision(at(now), &new_york, &day), expected, "{now}");
    }
}

#[test]
fn nine_in_the_morning_stays_nine_when_the_clocks_change() {
    for (zone, evening, opens_at) in [
        ("America/New_York", "2026-03-08T02:00:00Z", "2026-03-08T13:00:00Z"),
        ("America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T14:00:00Z"),
        ("America/Phoenix", "2026-03-08T05:00:00Z", "2026-03-08T16:00:00Z"),
        ("Australia/Sydney", "2026-04-04T10:30:00Z", "2026-04-04T23:00:00Z"),
        ("Australia/Sydney", "2026-10-03T11:30:00Z", "2026-10-03T22:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T10:30:00Z", "2026-04-04T22:30:00Z"),
        ("Pacific/Auckland", "2026-09-26T09:00:00Z", "2026-09-26T20:00:00Z"),
    ] {
        let found = window_decision(at(evening), &zones(&[zone]), &[window("daily 09:00-21:00")]);
        assert_eq!(found, HoursDecision::Closed { opens_at: at(opens_at) }, "{zone} {evening}");
    }
}

#[test]
fn hours_that_the_clock_skips_or_repeats_are_judged_by_the_clock_on_the_wall() {
    let new_york = zones(&["America/New_York"]);
    // 02:30 does not exist on 2026-03-08: the clock goes from 01:59:59 to 03:00, which is after it.
    let skipped = [window("daily 02:30-05:00")];
    let found = window_decision(at("2026-03-08T06:00:00Z"), &new_york, &skipped);
    assert_eq!(found, HoursDecision::Closed { opens_at: at("2026-03-08T07:00:00Z") });

    // 01:30 to 02:00 happens twice on 2026-11-01, with half an hour closed between.
    let repeated = [window("daily 01:30-03:00")];
    let found = window_decision(at("2026-11-01T05:30:00Z"), &new_york, &repeated);
    assert_eq!(found, HoursDecision::Open { until: at("2026-11-01T06:00:00Z") });

    let found = window_decision(at("2026-11-01T06:00:00Z"), &new_york, &repeated);
    assert_eq!(found, HoursDecision::Closed { opens_at: at("2026-11-01T06:30:00Z") });
}

#[test]
fn the_most_restrictive_state_of_the_evidence_counts() {
    let number = "+12125550100";
    let on = |state| place(number, OnFile { state: Some(state), ..OnFile::default() });
    for (state, expected) in [
        ("NY", "daily 09:00-21:00"),
        ("FL", "daily 09:00-20:00"),
        ("TX", "mon-sat 09:00-21:00, sun 12:00-21:00"),
        ("RI", "mon-fri 09:00-18:00, sat-sun 10:00-17:00"),
        ("KY", "daily 10:00-21:00"),
        ("PR", "daily 09:00-21:00"),
    ] {
        assert_eq!(window_for(&on(state), &[]).to_string(), expected, "{state}");
    }

    let names = |place: &Place| profiles(place).iter().map(|p| p.name).collect::<Vec<_>>();

    assert_eq!(names(&on("FL")), ["default", "us_federal", "us:FL"]);
    assert_eq!(names(&on("NY")), ["default", "us_federal"]);
    assert_eq!(names(&place("+61412345678", OnFile::default())), ["default", "au"]);
    assert_eq!(names(&place("+447400123456", OnFile::default())), ["default"]);
}

#[test]
fn a_number_of_an_unknown_state_has_the_hours_that_every_state_allows() {
    let unknown = place("+18002123456", OnFile::default());
    let window = window_for(&unknown, &[]);
    assert_eq!(window.to_string(), "mon-fri 10:00-18:00, sat 10:00-17:00, sun 12:00-17:00");
    let found = QuietHours::new(at("2026-01-15T12:00:00Z")).at(&unknown, &[]);
    assert_eq!(found, HoursDecision::Closed { opens_at: at("2026-01-15T20:00:00Z") });
}

#[test]
fn a_tenant_narrows_the_hours_and_never_widens_them() {
    let new_york = place("+12125550100", OnFile::default());
    for (tenant, expected) in [
        ("daily 00:00-24:00", "daily 09:00-21:00"),
        ("mon-fri 10:00-16:00", "mon-fri 10:00-16:00"),
        ("daily 06:00-12:00", "daily 09:00-12:00"),
        ("daily 22:00-23:00", "never"),
    ] {
        assert_eq!(window_for(&new_york, &[window(tenant)]).to_string(), expected, "{tenant}");
    }
}

#[test]
fn a_closed_day_is_waited_out() {
    let found = window_decision(
        at("2026-01-16T22:00:00Z"), // a Friday evening in London
        &zones(&["Europe/London"]),
        &[window("mon-fri 09:00-21:00")],
    );
    assert_eq!(found, HoursDecision::Closed { opens_at: at("2026-01-19T09:00:00Z") });
}

#[test]
fn what_never_opens_says_so_and_an_unknown_zone_never_opens() {
    let now = at("2026-01-15T12:00:00Z");
    let day = window("daily 09:00-21:00");
    assert_eq!(window_decision(now, &[], &[day]), HoursDecision::Never);

    let apart = zones(&["Pacific/Kiritimati", "Pacific/Pago_Pago"]);
    assert_eq!(window_decision(now, &apart, &[window("daily 09:00-09:30")]), HoursDecision::Never);

    let both = [window("mon 09:00-10:00"), window("tue 09:00-10:00")];
    assert_eq!(window_decision(now, &zones(&["Europe/Paris"]), &both), HoursDecision::Never);

    let satellite = place("+870773111632", OnFile::default());
    assert_eq!(QuietHours::new(now).at(&satellite, &[]), HoursDecision::Never);
}

#[test]
fn a_window_that_never_closes_is_open_to_the_horizon() {
    let now = at("2026-03-01T00:00:00Z");
    let until = now + SignedDuration::from_hours(24 * HORIZON_DAYS);
    let found = window_decision(now, &zones(&["America/New_York"]), &[]);
    assert_eq!(found, HoursDecision::Open { until });
}

#[test]
fn windows_have_one_text_and_bad_ones_are_refused() {
    for text in
        ["daily 09:00-21:00", "mon-sat 09:00-21:00, sun 12:00-21:00", "wed 00:00-24:00", "never"]
    {
        assert_eq!(window(text).to_string(), text);
        let json = serde_json::to_string(&window(text)).expect("json");
        assert_eq!(serde_json::from_str::<Window>(&json).expect("a window"), window(text));
    }

    for bad in [
        "",
        "daily",
        "daily 9:00-21:00",
        "daily 09:00",
        "daily 21:00-09:00",
        "daily 09:00-09:00",
        "mon 09:00-10:00, mon 11:00-12:00",
        "fun 09:00-10:00",
        "sat-mon 09:00-10:00",
        "daily 09:60-10:00",
        "daily 09:00-24:01",
        "daily -9:00-10:00",
    ] {
        assert!(bad.parse::<Window>().is_err(), "{bad:?}");
    }
}

#[test]
fn the_memory_of_a_batch_gives_the_same_answers() {
    let now = at("2026-01-15T12:00:00Z");
    let mut batch = QuietHours::new(now);
    for _ in 0..3 {
        for number in ["+18505550100", "+12125550100", "+61412345678", "+19285550100"] {
            let place = place(number, OnFile::default());
            let expected = window_decision(now, place.zones.as_slice(), &[window_for(&place, &[])]);
            assert_eq!(batch.at(&place, &[]), expected, "{number}");
        }
    }
}

/// The rule as it is written, asked for one instant: no steps, no boundaries.
fn allowed(now: Timestamp, zones: &[Zone], from: u16, to: u16) -> bool {
    let minute = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    zones.iter().all(|zone| {
        let tz = TimeZone::get(zone.as_str()).expect("a zone");
        let local = minute(now.to_zoned(tz).time());
        i32::from(from) <= local && local < i32::from(to)
    })
}

fn any_zones() -> impl Strategy<Value = Vec<Zone>> {
    let names = [
        "America/New_York",
        "America/Chicago",
        "America/Phoenix",
        "America/Denver",
        "Pacific/Honolulu",
        "Australia/Sydney",
        "Australia/Perth",
        "Australia/Lord_Howe",
        "Europe/London",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "America/St_Johns",
    ];
    let zone = prop::sample::select(names.to_vec()).prop_map(|n| Zone::parse(n).expect("a zone"));
    prop::collection::vec(zone, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_said_of_an_instant_holds_for_every_minute_until_it_changes(
        zones in any_zones(),
        // Any minute of 2026, and more often a night on which clocks change.
        second in prop_oneof![
            1_767_225_600i64..1_798_761_600,
            1_772_900_000i64..1_773_100_000,
            1_793_400_000i64..1_793_600_000,
        ],
        from in 0u16..1400,
        length in 1u16..900,
    ) {
        let to = (from + length).min(1440);
        let now = Timestamp::from_second(second - second % 60).expect("an instant");
        let text = format!("daily {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60);
        let minutes = |count: i64| SignedDuration::from_mins(count);

        match window_decision(now, &zones, &[window(&text)]) {
            HoursDecision::Open { until } => {
                let mut instant = now;
                while instant < until {
                    prop_assert!(allowed(instant, &zones, from, to), "{instant}");
                    instant += minutes(1);
                }
                prop_assert!(!allowed(until, &zones, from, to), "{until}");
            }
            HoursDecision::Closed { opens_at } => {
                let mut instant = now;
                while instant < opens_at {
                    prop_assert!(!allowed(instant, &zones, from, to), "{instant}");
                    instant += minutes(1);
                }
                prop_assert!(allowed(opens_at, &zones, from, to), "{opens_at}");
            }
            HoursDecision::Never => {
                for minute in (0..HORIZON_DAYS * 24 * 60).step_by(7) {
                    prop_assert!(!allowed(now + minutes(minute), &zones, from, to));
                }
            }
        }
    }

    #[test]
    fn another_zone_or_window_never_allows_more(
        zones in any_zones(), second in 1_767_225_600i64..1_798_761_600,
    ) {
        let now = Timestamp::from_second(second).expect("an instant");
        let wide = [window("daily 08:00-21:00")];
        let both = [wide[0], window("mon-sat 09:00-20:00")];
        let is_open = |d| matches!(d, HoursDecision::Open { .. });
        let all = window_decision(now, &zones, &wide);
        if is_open(all) {
            prop_assert!(is_open(window_decision(now, &zones[..1], &wide)));
        }
        if is_open(window_decision(now, &zones, &both)) {
            prop_assert!(is_open(all));
        }
    }
}
