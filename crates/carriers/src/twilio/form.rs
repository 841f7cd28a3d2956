//! The parameters that Twilio sends: as `application/x-www-form-urlencoded`, or as an object of
//! JSON with the same names.

use std::collections::BTreeMap;

use serde_json::Value;

/// All parameters, decoded, in the order in which they came. Bytes that are no UTF-8 become
/// U+FFFD, as in every form parser.
pub(super) fn pairs(form: &[u8]) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(form).unwrap_or_default()
}

/// The parameters of a webhook in either form. Which one it is its first byte says: a form has no
/// brace that is not encoded.
pub(super) fn parameters(body: &[u8]) -> Vec<(String, String)> {
    match body.trim_ascii_start().first() {
        Some(b'{') => members(body),
        Some(_) | None => pairs(body),
    }
}

/// The members of an object that are a text, a number or a truth, in the order of their names.
fn members(json: &[u8]) -> Vec<(String, String)> {
    let object: BTreeMap<String, Value> = serde_json::from_slice(json).unwrap_or_default();
    let plain = object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(truth) => Some((name, truth.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    plain.collect()
}

/// The first value of a name; an empty value counts as absent.
pub(super) fn take(pairs: &mut [(String, String)], name: &str) -> Option<String> {
    let (_, value) = pairs.iter_mut().find(|(key, _)| key == name)?;
    let value = std::mem::take(value);
    (!value.is_empty()).then_some(value)
}
