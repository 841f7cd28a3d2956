//! JSON of our own data. Payloads, events and rows are plain data with string keys, so encoding
//! them cannot fail, and nobody who encodes one needs to say what would happen then.
//!
//! A type whose `Serialize` can fail, or a map whose keys are not strings, does not belong here:
//! these functions panic on it.

use serde::Serialize;
use serde_json::value::{RawValue, Value};

/// Why no function here gives an error.
const PLAIN: &str = "our data is plain data with string keys";

/// The JSON of a value, as bytes for the wire.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect(PLAIN)
}

/// The JSON of a value, as text for a row.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect(PLAIN)
}

/// The JSON of a value as a tree, for what is compared, merged or put into other JSON.
pub fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect(PLAIN)
}

/// The JSON of a value, to be carried inside another payload without being read again.
pub fn to_raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect(PLAIN)
}

/// Adds the JSON of a value as a line of its own (NDJSON).
pub fn push_line<T: Serialize + ?Sized>(lines: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(&mut *lines, value).expect(PLAIN);
    lines.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_four_forms_of_one_value_are_the_same_json() {
        let value = BTreeMap::from([("sent", 3), ("failed", 0)]);
        let text = r#"{"failed":0,"sent":3}"#;

        assert_eq!(to_string(&value), text);
        assert_eq!(to_vec(&value), text.as_bytes());
        assert_eq!(to_value(&value).to_string(), text);
        assert_eq!(to_raw(&value).get(), text);
    }
}
