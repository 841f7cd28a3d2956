//! Where a request holds a text that Postgres cannot store. Every body of JSON and every query is
//! looked through here, so that no handler has to.

use domain::storable::{UNSTORABLE_TEXT, is_storable};
use serde_json::Value;

use super::problem::FieldError;

/// The first field of a JSON body whose text cannot be stored. JSON has U+0000 only as an escape:
/// bodies without one are not read again.
pub(super) fn unstorable(json: &[u8]) -> Option<FieldError> {
    let escapes = json.split(|byte| *byte == b'\\').skip(1);
    if !escapes.into_iter().any(|rest| rest.starts_with(b"u0000")) {
        return None;
    }
    let read: Value = serde_json::from_slice(json).ok()?;
    let field = field(&read, String::new())?;
    Some(FieldError { field, code: "invalid_character", detail: UNSTORABLE_TEXT.into() })
}

/// The path of the first text that cannot be stored. A name that cannot is its object's fault.
fn field(value: &Value, path: String) -> Option<String> {
    match value {
        Value::String(text) => (!is_storable(text)).then_some(path),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| field(item, format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if !is_storable(name) {
                return Some(path.clone());
            }
            let separator = if path.is_empty() { "" } else { "." };
            field(value, format!("{path}{separator}{name}"))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The first parameter of a query whose text cannot be stored.
pub(super) fn unstorable_parameter(query: &str) -> Option<String> {
    if !query.contains("%00") {
        return None;
    }
    let parameters: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let refused = |(name, value): &(String, String)| !is_storable(name) || !is_storable(value);
    let (name, _) = parameters.into_iter().find(refused)?;
    Some(if is_storable(&name) { name } else { "query".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_cannot_be_stored_is_found_wherever_it_is() {
        let found = |json: &str| unstorable(json.as_bytes()).map(|error| error.field);
        assert_eq!(found(r#"{"name": "a\\u0000"}"#), None, "an escaped backslash");
        assert_eq!(found(r#"{"name": "a\u0000"}"#), Some("name".into()));
        assert_eq!(found(r#"{"a": [{"b": 1}, {"c": "\u0000"}]}"#), Some("a[1].c".into()));
        assert_eq!(found(r#"{"fields": {"\u0000": 1}}"#), Some("fields".into()));
        assert_eq!(found(r#""\u0000""#), Some(String::new()));
        assert_eq!(found(r#"{"a": "\u0001\n"}"#), None);
    }

    #[test]
    fn a_parameter_that_cannot_be_stored_is_named() {
        assert_eq!(unstorable_parameter("a=1&tag=x%00"), Some("tag".into()));
        assert_eq!(unstorable_parameter("a%00=1"), Some("query".into()));
        assert_eq!(unstorable_parameter("a=%2500"), None);
    }
}
