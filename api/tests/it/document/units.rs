//! A number says what it counts or measures, in its name or in its sentence.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, fields};

/// What is measured, and what is counted here.
const UNITS: [&str; 50] = [
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "bytes",
    "segments",
    "septets",
    "hundred",
    "percent",
    "message",
    "messages",
    "text",
    "texts",
    "contact",
    "contacts",
    "people",
    "recipients",
    "row",
    "rows",
    "line",
    "lines",
    "item",
    "items",
    "entry",
    "entries",
    "number",
    "numbers",
    "senders",
    "keys",
    "brands",
    "orders",
    "calls",
    "answers",
    "frames",
    "promotions",
    "changes",
    "often",
    "version",
    "place",
    "position",
    "index",
    "code",
    "tokens",
    "templates",
    "milliseconds",
    "millionths",
];

/// Numbers that are no quantities: they count up, or stand for themselves.
const NO_QUANTITIES: [&str; 4] = ["seq", "sequence", "status", "campaign"];

/// A schema, and those that it is put together from.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let parts = ["oneOf", "anyOf", "allOf"].iter().flat_map(move |of| schema[of].as_array());
    parts.flatten().chain([schema])
}

fn is_number(schema: &Value) -> bool {
    let is_one = |kind: &Value| kind == "integer" || kind == "number";
    parts(schema)
        .map(|part| &part["type"])
        .any(|kind| is_one(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is_one)))
}

/// The words of a field's name and sentence.
fn words(name: &str, schema: &Value) -> BTreeSet<String> {
    let said = parts(schema).filter_map(|part| part["description"].as_str());
    let words = said.chain([name]).flat_map(|text| text.split(|c: char| !c.is_alphabetic()));
    words.map(str::to_lowercase).collect()
}

#[test]
fn every_number_says_what_it_counts_or_measures() {
    let document = document();
    let (mut silent, mut seen) = (Vec::new(), 0);
    for (owner, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        fields(schema, &mut |name, said| {
            if !is_number(said) {
                return;
            }
            seen += 1;
            let words = words(name, said);
            if !UNITS.iter().chain(&NO_QUANTITIES).any(|unit| words.contains(*unit)) {
                silent.push(format!("{owner}.{name}"));
            }
        });
    }
    assert!(seen > 100, "{seen} numbers");
    assert!(silent.is_empty(), "of what are these so many: {}", silent.join(", "));
}

#[test]
fn a_number_without_its_unit_is_found() {
    let silent = serde_json::json!({ "type": ["integer", "null"], "description": "How long." });
    assert!(is_number(&silent));
    assert!(!UNITS.iter().any(|unit| words("validity", &silent).contains(*unit)));
    assert!(words("validity_seconds", &silent).contains("seconds"));
}
