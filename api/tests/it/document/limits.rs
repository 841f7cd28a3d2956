//! Whatever callers fill says how much fits: fields of bodies, values by name, parameters.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{document, operations};

/// Finds the texts, lists and numbers of a schema that may be of any length or size.
fn limits(document: &Value, schema: &Value, place: &str, endless: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let named = document.pointer(reference.trim_start_matches('#')).expect("a schema");
        return limits(document, named, place, endless);
    }

    let is = |kind: &str| {
        let kinds = &schema["type"];
        kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
    };
    let says = |names: &[&str]| names.iter().any(|&name| schema.get(name).is_some());
    let text = says(&["maxLength", "enum", "const", "format", "pattern"]);
    let number = says(&["maximum", "enum", "const", "format"]);
    let is_endless = (is("string") && !text)
        || (is("array") && !says(&["maxItems"]))
        || ((is("integer") || is("number")) && !number);
    if is_endless {
        endless.insert(place.to_owned());
    }

    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        limits(document, field, &format!("{place} {name}"), endless);
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().flat_map(|of| schema[of].as_array());
    let inner = ["items", "additionalProperties"].iter().filter_map(|of| schema.get(of));
    for part in parts.flatten().chain(inner) {
        limits(document, part, place, endless);
    }
}

#[test]
fn every_field_that_callers_fill_says_how_much_fits() {
    let document = document();
    let (mut endless, mut seen) = (BTreeSet::new(), 0);
    for (method, path, operation) in operations(&document) {
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten()
        {
            // What carriers send is limited as a whole, however they write it.
            if operation["tags"][0] != "webhooks" || kind != "application/json" {
                let place = format!("{method} {path} {kind}");
                limits(&document, &content["schema"], &place, &mut endless);
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} bodies");
    assert!(endless.is_empty(), "fields without a limit: {endless:#?}");
}

#[test]
fn every_parameter_says_how_much_fits() {
    let document = document();
    let (mut endless, mut seen) = (BTreeSet::new(), 0);
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{method} {path} {}", parameter["name"]);
            limits(&document, &parameter["schema"], &place, &mut endless);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} parameters");
    assert!(endless.is_empty(), "parameters without a limit: {endless:#?}");
}

#[test]
fn a_text_without_a_limit_is_found_however_deep_it_lies() {
    let document = json!({ "components": { "schemas": {
        "Tag": { "type": ["string", "null"] },
        "Tags": { "type": "array", "maxItems": 3, "items": { "$ref": "#/components/schemas/Tag" } },
    } } });
    let body = json!({ "type": "object", "properties": {
        "id": { "type": "string", "format": "uuid" },
        "tags": { "$ref": "#/components/schemas/Tags" },
        "fields": { "type": "object", "additionalProperties": { "type": "string" } },
        "count": { "type": "integer" },
    } });
    let mut endless = BTreeSet::new();
    limits(&document, &body, "body", &mut endless);
    let expected = ["body count", "body fields", "body tags"].map(str::to_owned);
    assert_eq!(endless, BTreeSet::from(expected));
}
