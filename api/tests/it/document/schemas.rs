//! The schemas of a document as a validator takes them. Answers are held to them closely: a field
//! that is not documented is a fault.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What is wrong with a value, by a schema of the document; nothing where it fits.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let parts = parts(&document["components"]["schemas"].to_string());
    for (name, component) in root["components"]["schemas"].as_object_mut().into_iter().flatten() {
        close(component, parts.contains(name));
    }
    close(&mut root, false);
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .expect("a schema");
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The schemas that are parts of others: what these have beside them is listed there.
fn parts(schemas: &str) -> BTreeSet<String> {
    let lists = schemas.split("\"allOf\":[").skip(1).filter_map(|rest| rest.split(']').next());
    let names = lists.flat_map(|list| {
        list.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next())
    });
    names.map(str::to_owned).collect()
}

/// Forbids what is not listed, in objects that list their fields.
fn close(schema: &mut Value, is_part: bool) {
    match schema {
        Value::Object(object) => {
            let lists = object.contains_key("properties") || object.contains_key("allOf");
            let is_open = object.contains_key("additionalProperties");
            if lists && !is_open && !is_part {
                object.insert("unevaluatedProperties".into(), json!(false));
            }

            for (key, inner) in object.iter_mut() {
                match (key.as_str(), inner) {
                    ("allOf", Value::Array(parts)) => {
                        parts.iter_mut().for_each(|part| close(part, true));
                    }
                    // Names of fields are no keywords.
                    ("properties", Value::Object(fields)) => {
                        fields.values_mut().for_each(|field| close(field, false));
                    }
                    ("components" | "example" | "examples" | "default" | "const" | "enum", _) => {}
                    (_, inner) => close(inner, false),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, false)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
