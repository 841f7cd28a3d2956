//! Fields that are required are named all at once, in the first answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    document,
    examples::{RESTORE, request_with, world},
    operations,
};
use crate::harness::send;

/// What another field makes necessary, or what is there already: the target, with the scope of a
/// switch; the password that holds, where there is one.
const BY_ANOTHER: [(&str, &str); 2] =
    [("/v1/kill-switch", "target"), ("/v1/me/password", "current")];

/// A schema, where it is named elsewhere looked up.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a schema"),
        None => schema,
    }
}

/// The fields that an answer says are required.
fn named(answer: &Value) -> BTreeSet<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    let required = errors.filter(|error| error["code"] == "required");
    required.filter_map(|error| error["field"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn every_field_that_is_missing_is_named_in_the_first_answer() {
    let (world, caller) = world().await;
    let document = document();
    let (mut wrong, mut seen) = (Vec::new(), 0);

    for (method, path, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/json"];
        let (schema, example) = (resolved(&document, &content["schema"]), &content["example"]);
        let Some(example) = example.as_object().filter(|_| schema["properties"].is_object()) else {
            continue;
        };
        let ask = async |body: &Map<String, Value>| {
            world.run(RESTORE).await;
            let body = Value::Object(body.clone()).to_string();
            send(request_with(&world, &caller, (&method, &path), &operation, &body)).await
        };
        seen += 1;

        // Nothing is given.
        let first = named(&ask(&Map::new()).await.body);
        let told = schema["required"].as_array().into_iter().flatten();
        let told: BTreeSet<String> =
            told.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        for name in told.difference(&first) {
            wrong.push(format!("{method} {path}: {name} is required, and not named at first"));
        }

        // What was named is given, as the example has it.
        let given = example.iter().filter(|(name, _)| first.contains(*name));
        let given: Map<String, Value> =
            given.map(|(name, value)| (name.clone(), value.clone())).collect();
        let later = named(&ask(&given).await.body);
        for name in later.difference(&first) {
            if !BY_ANOTHER.contains(&(path.as_str(), name.as_str())) {
                wrong.push(format!("{method} {path}: {name} is named only after {first:?}"));
            }
        }
    }
    assert!(seen > 25, "{seen} operations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
