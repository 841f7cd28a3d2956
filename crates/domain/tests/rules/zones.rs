//! Candidate zones: the best evidence, every zone that it allows, and what stays unknown.

use std::collections::BTreeMap;

use domain::{
    nanp,
    phone::PhoneNumber,
    zones::{Candidates, Evidence, OnFile, Place, Zone, resolve},
};
use serde_json::Value;

fn at(number: &str) -> Place {
    resolve(Some(&PhoneNumber::from_e164(number).expect("E.164")), &OnFile::default())
}

fn with(number: &str, on_file: OnFile<'_>) -> Place {
    resolve(Some(&PhoneNumber::from_e164(number).expect("E.164")), &on_file)
}

fn names(place: &Place) -> Vec<&'static str> {
    place.zones.as_slice().iter().map(|zone| zone.as_str()).collect()
}

#[test]
fn an_area_code_gives_every_zone_that_it_touches() {
    for (number, expected) in [
        ("+12125550100", vec!["America/New_York"]),
        ("+18505550100", vec!["America/Chicago", "America/New_York"]),
        ("+14235550100", vec!["America/Chicago", "America/New_York"]),
        ("+19285550100", vec!["America/Denver", "America/Phoenix"]),
        ("+12085550100", vec!["America/Boise", "America/Denver", "America/Los_Angeles"]),
        ("+14165550100", vec!["America/Toronto"]),
    ] {
        let place = at(number);
        assert_eq!(names(&place), expected, "{number}");
        assert_eq!(place.evidence, Evidence::Prefix);
    }
}

#[test]
fn an_overlay_has_at_least_the_zones_of_the_area_that_it_lies_over() {
    let overlays = [
        (448, 850),
        (364, 270),
        (930, 812),
        (458, 541),
        (581, 418),
        (367, 418),
        (236, 250),
        (672, 250),
        (778, 250),
        (257, 250),
        (531, 402),
        (879, 709),
    ];

    for (overlay, parent) in overlays {
        let [own, inherited] = [overlay, parent].map(|c| &nanp::area(c).expect("an area").zones);
        assert!(inherited.iter().all(|zone| own.contains(zone)), "{overlay} over {parent}");
    }

    assert_eq!(names(&at("+14485550100")), names(&at("+18505550100")));
}

#[test]
fn every_area_code_of_the_data_has_its_zones_and_a_country() {
    let file: Value =
        serde_json::from_str(include_str!("../../data/npa_timezones.json")).expect("the data");
    let mut zones: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (code, zone) in file["single_zone"].as_object().expect("a table") {
        zones.entry(code.parse().expect("a code")).or_default().push(zone.as_str().expect("zone"));
    }
    for (code, list) in file["multi_zone"].as_object().expect("a table") {
        let list = list.as_array().expect("a list").iter().filter_map(Value::as_str);
        zones.entry(code.parse().expect("a code")).or_default().extend(list);
    }

    assert_eq!(zones.len(), 442);

    for (code, zones) in zones {
        let area = nanp::area(code).expect("an area");
        for zone in zones {
            assert!(area.zones.contains(&Zone::parse(zone).expect("a zone")), "{code}");
        }
    }
}

#[test]
fn area_codes_know_their_states() {
    assert_eq!(nanp::states_of_area_code(850), ["FL"]);
    assert_eq!(nanp::states_of_area_code(202), ["DC"]);
    assert_eq!(nanp::states_of_area_code(902), ["NS", "PE"]);
    assert!(nanp::states_of_area_code(800).is_empty());
    assert_eq!(at("+13055550100").states, ["FL"]);
    assert!(at("+14165550100").states.is_empty(), "states are for United States law");
}

#[test]
fn better_evidence_wins_over_the_number() {
    let number = "+18505550100";
    let zone = Zone::parse("Pacific/Honolulu").ok();
    let everything = OnFile {
        zone,
        postal_code: Some("10001"),
        state: Some("TX"),
        tenant_default: Zone::parse("Europe/Paris").ok(),
    };
    let place = with(number, everything);
    assert_eq!((names(&place), place.evidence), (vec!["Pacific/Honolulu"], Evidence::Contact));
    assert_eq!(place.states, ["NY", "TX"], "contradicting states both count");

    let place = with(number, OnFile { zone: None, ..everything });
    assert_eq!((names(&place), place.evidence), (vec!["America/New_York"], Evidence::PostalCode));

    let place = with(number, OnFile { zone: None, postal_code: None, ..everything });
    assert_eq!(names(&place), ["America/Chicago", "America/Denver"]);
    assert_eq!((place.evidence, place.states), (Evidence::State, vec!["TX".to_owned()]));
}

#[test]
fn postal_codes_are_read_in_their_country() {
    for (number, code, expected) in [
        ("+12125550100", "32501", vec!["America/Chicago"]),
        ("+12125550100", "33101-1234", vec!["America/New_York"]),
        ("+12125550100", "2138", vec!["America/New_York"]),
        ("+12125550100", "96799", vec!["Pacific/Pago_Pago"]),
        ("+12125550100", "79901", vec!["America/Chicago", "America/Denver"]),
        ("+14165550100", "m5v 2t6", vec!["America/Toronto"]),
        ("+14165550100", "A1A 1A1", vec!["America/Goose_Bay", "America/St_Johns"]),
        ("+61412345678", "2000", vec!["Australia/Sydney"]),
        ("+61412345678", "2880", vec!["Australia/Broken_Hill", "Australia/Sydney"]),
        ("+61412345678", "2898", vec!["Australia/Lord_Howe"]),
        ("+61412345678", "6000", vec!["Australia/Perth"]),
        ("+61412345678", "800", vec!["Australia/Darwin"]),
        ("+61412345678", "2600", vec!["Australia/Sydney"]),
    ] {
        let place = with(number, OnFile { postal_code: Some(code), ..OnFile::default() });
        assert_eq!(names(&place), expected, "{code}");
        assert_eq!(place.evidence, Evidence::PostalCode, "{code}");
    }
}

#[test]
fn postal_codes_at_a_border_have_the_zones_of_their_places() {
    let central = [
        "40111", "40115", "40119", "40140", "40143", "40144", "40145", "40146", "40152", "40153",
        "40170", "40171", "40176", "40178", "37723", "46968",
    ];
    let central = central.map(|code| ("+12125550100", code, vec!["America/Chicago"]));
    let eastern = ["40114", "40117", "40142", "40147", "40175", "40177", "37724", "46967", "46970"];
    let both = ["36854", "36863", "36867", "36868", "36869", "36870", "36874", "36877"];
    let both = both.map(|code| ("+12125550100", code, vec!["America/Chicago", "America/New_York"]));
    let tweed = ["2406", "4375", "4377", "4380", "4383", "4385"];
    let tweed =
        tweed.map(|code| ("+61412345678", code, vec!["Australia/Brisbane", "Australia/Sydney"]));
    let others = [
        ("+12125550100", "36866", vec!["America/Chicago"]),
        ("+61412345678", "4825", vec!["Australia/Brisbane", "Australia/Darwin"]),
        ("+61412345678", "4382", vec!["Australia/Brisbane"]),
        ("+61412345678", "2405", vec!["Australia/Sydney"]),
    ];

    for (number, code, expected) in central.into_iter().chain(both).chain(tweed).chain(others) {
        let place = with(number, OnFile { postal_code: Some(code), ..OnFile::default() });
        assert_eq!(names(&place), expected, "{code}");
    }
    for code in eastern {
        let place = with("+12125550100", OnFile { postal_code: Some(code), ..OnFile::default() });
        let zones = names(&place);
        assert!(
            matches!(zones[..], ["America/New_York" | "America/Indiana/Indianapolis"]),
            "{code}"
        );
    }
}

#[test]
fn an_abbreviation_of_the_united_states_is_the_zone_of_its_people() {
    for (written, expected) in [
        ("EST", "America/New_York"),
        ("edt", "America/New_York"),
        ("CST", "America/Chicago"),
        ("CDT", "America/Chicago"),
        ("MDT", "America/Denver"),
        ("PST", "America/Los_Angeles"),
        ("PDT", "America/Los_Angeles"),
        ("AKST", "America/Anchorage"),
        (" HST ", "Pacific/Honolulu"),
        ("US/Eastern", "US/Eastern"),
        ("america/new_york", "America/New_York"),
    ] {
        assert_eq!(Zone::read(written).map(Zone::as_str), Ok(expected), "{written}");
    }
    let why = Zone::read("mst").expect_err("one of two").to_string();
    assert!(why.contains("America/Denver or America/Phoenix"), "{why}");
    let why = Zone::read("gmt").expect_err("an hour off in a British summer").to_string();
    assert!(why.contains("Europe/London"), "{why}");

    // What was stored before is read as what it is: a payload must not fail.
    assert_eq!(serde_json::from_str::<Zone>("\"MST\"").map(Zone::as_str).ok(), Some("MST"));
}

#[test]
fn a_postal_code_or_state_that_cannot_be_read_counts_as_none() {
    for code in ["", "n/a", "SW1A 1AA", "09012", "96201", "123456"] {
        let on_file =
            OnFile { postal_code: Some(code), state: Some("Narnia"), ..OnFile::default() };
        assert_eq!(with("+12125550100", on_file).evidence, Evidence::Prefix, "{code}");
    }
}

#[test]
fn states_are_known_by_code_and_by_name_in_any_case() {
    for (number, state, expected) in [
        ("+12125550100", "az", vec!["America/Denver", "America/Phoenix"]),
        ("+12125550100", " Florida ", vec!["America/Chicago", "America/New_York"]),
        ("+61412345678", "wa", vec!["Australia/Perth"]),
        ("+12065550100", "wa", vec!["America/Los_Angeles"]),
        ("+61412345678", "Queensland", vec!["Australia/Brisbane"]),
        (
            "+14165550100",
            "Quebec",
            vec!["America/Blanc-Sablon", "America/Halifax", "America/Toronto"],
        ),
    ] {
        let place = with(number, OnFile { state: Some(state), ..OnFile::default() });
        assert_eq!(names(&place), expected, "{state}");
    }
}

#[test]
fn an_australian_mobile_may_be_anywhere_in_the_country_and_a_landline_may_not() {
    let mobile = at("+61412345678");
    let expected = [
        "Australia/Adelaide",
        "Australia/Brisbane",
        "Australia/Darwin",
        "Australia/Lord_Howe",
        "Australia/Perth",
        "Australia/Sydney",
    ];

    assert_eq!((names(&mobile), mobile.evidence), (expected.to_vec(), Evidence::Country));
    assert_eq!(names(&at("+61291234567")), ["Australia/Sydney"]);
    assert_eq!(names(&at("+61391234567")), ["Australia/Hobart", "Australia/Melbourne"]);
    assert_eq!(names(&at("+61731234567")), ["Australia/Brisbane"]);
    assert!(names(&at("+61881234567")).contains(&"Australia/Perth"));
}

#[test]
fn other_countries_have_their_zones() {
    for (number, expected) in [
        ("+447400123456", vec!["Europe/London"]),
        ("+353850123456", vec!["Europe/Dublin"]),
        ("+33612345678", vec!["Europe/Paris"]),
        ("+4915123456789", vec!["Europe/Berlin"]),
        ("+393123456789", vec!["Europe/Rome"]),
        ("+34612345678", vec!["Atlantic/Canary", "Europe/Madrid"]),
        ("+34922123456", vec!["Atlantic/Canary"]),
        ("+64211234567", vec!["Pacific/Auckland", "Pacific/Chatham"]),
        ("+6493456789", vec!["Pacific/Auckland"]),
        ("+919876543210", vec!["Asia/Kolkata"]),
        ("+5511987654321", vec!["America/Sao_Paulo"]),
        ("+5592987654321", vec!["America/Manaus"]),
    ] {
        assert_eq!(names(&at(number)), expected, "{number}");
    }

    assert_eq!(names(&at("+525512345678")).len(), 6);
}

#[test]
fn a_toll_free_or_new_area_code_gets_the_whole_united_states() {
    let on_file = OnFile { tenant_default: Zone::parse("Asia/Tokyo").ok(), ..OnFile::default() };
    for number in ["+18002123456", "+15002345678", "+15442345678", "+12995550100"] {
        let place = at(number);
        assert_eq!(with(number, on_file), place, "whatever the tenant's zone is");
        assert_eq!(place.evidence, Evidence::None, "{number}");
        assert_eq!(place.zones.as_slice().len(), 7, "{number}");
        assert!(names(&place).contains(&"Pacific/Honolulu"));
    }
}

#[test]
fn a_number_of_no_country_is_unknown_unless_the_tenant_has_a_default() {
    let satellite = "+870773111632";
    assert_eq!(at(satellite).zones, Candidates::Unknown);
    assert_eq!(at(satellite).evidence, Evidence::None);
    let on_file = OnFile { tenant_default: Zone::parse("Asia/Tokyo").ok(), ..OnFile::default() };
    let place = with(satellite, on_file);
    assert_eq!((names(&place), place.evidence), (vec!["Asia/Tokyo"], Evidence::TenantDefault));
}

#[test]
fn without_a_number_only_a_zone_on_file_and_the_tenants_default_are_left() {
    let zone = |name| Zone::parse(name).ok();
    let (code, state) = (Some("10001"), Some("NY"));
    let tenant_default = zone("Asia/Tokyo");
    let on_file = OnFile { postal_code: code, state, tenant_default, ..OnFile::default() };
    let place = resolve(None, &on_file);
    assert_eq!((names(&place), place.evidence), (vec!["Asia/Tokyo"], Evidence::TenantDefault));
    assert_eq!((place.country, place.states.len()), (None, 0), "no country, so no state of one");

    let place = resolve(None, &OnFile { zone: zone("Europe/Paris"), ..on_file });
    assert_eq!((names(&place), place.evidence), (vec!["Europe/Paris"], Evidence::Contact));
    assert_eq!(resolve(None, &OnFile::default()).zones, Candidates::Unknown);
}

#[test]
fn a_place_survives_json_and_unknown_is_the_empty_list() {
    let place = at("+18505550100");
    let json = serde_json::to_string(&place).expect("json");
    assert_eq!(
        json,
        concat!(
            r#"{"zones":["America/Chicago","America/New_York"],"evidence":"prefix","#,
            r#""country":"US","states":["FL"]}"#
        )
    );
    assert_eq!(serde_json::from_str::<Place>(&json).expect("a place"), place);

    let unknown = serde_json::to_string(&at("+870773111632")).expect("json");
    assert_eq!(unknown, r#"{"zones":[],"evidence":"none"}"#);
    assert_eq!(
        serde_json::from_str::<Place>(&unknown).expect("a place").zones,
        Candidates::Unknown
    );
}

#[test]
fn a_zone_is_known_in_any_case_and_an_unknown_one_is_refused() {
    assert_eq!(Zone::parse("america/new_york").map(Zone::as_str), Ok("America/New_York"));
    for name in ["", "Mars/Base", "America", "UTC+10", "America/New_York "] {
        assert!(Zone::parse(name).is_err(), "{name:?}");
    }
    for name in ["Factory", "factory", "Etc/Unknown", "posixrules", "localtime"] {
        assert!(Zone::read(name).is_err(), "{name} is no place's");
    }
    assert!(serde_json::from_str::<Zone>("\"Mars/Base\"").is_err());
}
