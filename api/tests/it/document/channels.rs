//! The document of the subjects: every type of event and every scope of totals is a channel, and
//! what is said there fits.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use wire::EventKind;

use super::{fields, schemas::faults};

fn document() -> Value {
    serde_json::from_str(&api::documents::asyncapi_json()).expect("JSON")
}

/// A golden file of `wire`.
fn golden(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/tests/golden");
    let file = std::fs::read_to_string(folder.join(name)).expect("a golden file");
    serde_json::from_str(&file).expect("JSON")
}

/// A subject without the names of its variables: `events.*.message.sent`.
fn shape(subject: &str) -> String {
    let tokens = subject.split('.').map(|token| match token.chars().next() {
        Some('<' | '{') => "*",
        _ => token,
    });
    tokens.collect::<Vec<_>>().join(".")
}

#[test]
fn every_subject_that_subscribers_read_is_a_channel_that_an_operation_reads() {
    let document = document();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../subjects.md");
    let page = std::fs::read_to_string(page).expect("subjects.md");
    let rows =
        page.lines().filter_map(|row| row.split('`').nth(1).filter(|_| row.starts_with('|')));
    let totals = rows.filter(|subject| subject.starts_with("analytics."));
    let events = EventKind::ALL.iter().map(|kind| format!("events.{{tenant}}.{}", kind.as_str()));
    let expected: BTreeSet<String> =
        totals.map(str::to_owned).chain(events).map(|one| shape(&one)).collect();
    assert!(expected.iter().any(|one| one.starts_with("analytics.")), "{expected:?}");

    let channels = document["channels"].as_object().expect("channels");
    let addresses: BTreeSet<String> = channels
        .values()
        .map(|channel| shape(channel["address"].as_str().expect("an address")))
        .collect();
    assert_eq!(addresses, expected);

    let operations = document["operations"].as_object().expect("operations").values();
    let read: BTreeSet<&str> = operations
        .filter(|operation| operation["action"] == "receive")
        .filter_map(|operation| operation["channel"]["$ref"].as_str()?.strip_prefix("#/channels/"))
        .collect();
    assert_eq!(read, channels.keys().map(String::as_str).collect());
}

#[test]
fn every_field_of_what_is_said_there_says_what_it_is() {
    let document = document();
    let mut silent = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        fields(schema, &mut |field, said| {
            let parts = ["oneOf", "anyOf", "allOf"].iter().flat_map(|of| said[of].as_array());
            let mut all = parts.flatten().chain([said]);
            if !all.any(|part| part["description"].is_string() || part["$ref"].is_string()) {
                silent.push(format!("{name}.{field}"));
            }
        });
    }
    assert!(silent.is_empty(), "fields without a sentence: {}", silent.join(", "));
}

#[test]
fn every_channel_shows_an_example_that_fits() {
    let document = document();
    for (name, channel) in document["channels"].as_object().expect("channels") {
        for message in channel["messages"].as_object().expect("messages").values() {
            let shown = &message["examples"][0]["payload"];
            assert!(!shown.is_null(), "{name} shows nothing");
            let wrong = faults(&document, &message["payload"], shown);
            assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
        }
    }
}

#[test]
fn every_golden_event_fits_the_schema_of_its_channel() {
    let document = document();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/tests/golden");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("golden files") {
        let name = file.expect("a file").file_name();
        let name = name.to_str().expect("a name");
        if !name.starts_with("event_") {
            continue;
        }
        let event = golden(name);
        let kind = event["type"].as_str().expect("a type");
        let channel = &document["channels"][kind];
        assert!(channel.is_object(), "{name}: there is no channel {kind}");

        let payload = &channel["messages"]["frame"]["payload"];
        let wrong = faults(&document, payload, &json!([event]));
        assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
        seen += 1;
    }
    assert!(seen >= 6, "{seen} events");
}

#[test]
fn golden_totals_fit_the_schema_of_their_channel() {
    let document = document();
    for (file, channel) in [
        ("totals_campaign.json", "analytics.campaign"),
        ("totals_dashboard.json", "analytics.dashboard"),
    ] {
        let payload = &document["channels"][channel]["messages"]["totals"]["payload"];
        assert!(payload.is_object(), "there is no channel {channel}");
        let wrong = faults(&document, payload, &golden(file));
        assert!(wrong.is_empty(), "{file}: {}", wrong.join("\n"));
    }
}
