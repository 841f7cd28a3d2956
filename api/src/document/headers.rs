//! The headers that many answers share: described once, and named where an answer has them.

use serde_json::{Map, Value, json};

/// The header that names a request.
const REQUEST_ID: &str = "X-Request-Id";

/// The headers that say what is left to a caller.
const LEFT: [&str; 3] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

/// The header of an answer that was given before.
const REPLAYED: &str = "Idempotent-Replayed";

/// Describes the shared headers, and names them at every answer of a document that has them: its
/// request's id each; what is left to their caller those to callers that succeed; that it is a
/// repeat those to creations under a key. What an answer says of a header itself stays.
pub(super) fn name_headers(document: &mut Value) {
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    // The health address is another server's, and names no requests.
    for item in items.filter(|item| item.get("servers").is_none()) {
        for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            let (is_callers, is_creation) =
                (operation.get("security").is_some(), is_creation(operation));
            for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
                if answer.get("$ref").is_some() {
                    continue;
                }
                let is_fine = status.starts_with('2');
                let left = LEFT.into_iter().filter(|_| is_fine && is_callers);
                let replayed = Some(REPLAYED).filter(|_| is_fine && is_creation);
                name(answer, left.chain(replayed).chain([REQUEST_ID]));
            }
        }
    }

    let shared = document["components"]["responses"].as_object_mut();
    for answer in shared.into_iter().flat_map(|shared| shared.values_mut()) {
        name(answer, [REQUEST_ID]);
    }
    document["components"]["headers"] = described();
}

/// Whether an operation answers repeats under a key as it did first. A message is the same message
/// instead: its answer does not say whether it is the first.
fn is_creation(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array();
    let has_key = parameters.into_iter().flatten().any(|one| one["name"] == "Idempotency-Key");
    has_key && operation["tags"][0] != "messages"
}

fn name<'a>(answer: &mut Value, headers: impl IntoIterator<Item = &'a str>) {
    let Some(answer) = answer.as_object_mut() else { return };
    let own = answer.entry("headers").or_insert_with(|| Map::new().into());
    for header in headers {
        if own.get(header).is_none() {
            own[header] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
    }
}

fn described() -> Value {
    let count = |about: &str| {
        json!({
            "description": about, "required": true,
            "schema": { "type": "integer", "format": "uint64", "minimum": 0 },
        })
    };
    json!({
        REQUEST_ID: {
            "description": "The request's id: its own where it has one of this form, else a new one.",
            "required": true,
            "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" },
        },
        LEFT[0]: count("Requests that may come at once from the caller's key or person."),
        LEFT[1]: count("How many of these are left."),
        LEFT[2]: count("Seconds until all of them are there."),
        REPLAYED: {
            "description": "`true` where this is the first answer once more.",
            "schema": { "type": "string", "enum": ["true"] },
        },
    })
}
