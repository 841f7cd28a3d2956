//! JSON of the sandbox's own answers. They are plain data with string keys, so encoding them cannot
//! fail, and nobody who encodes one needs to say what would happen then.

use serde::Serialize;
use serde_json::Value;

/// Why no function here gives an error.
const PLAIN: &str = "our answers are plain data with string keys";

/// The JSON of a value, as bytes.
pub(crate) fn to_vec<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect(PLAIN)
}

/// The JSON of a value, as a tree.
pub(crate) fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect(PLAIN)
}

/// Appends the JSON of a value to a text of lines, as one line.
pub(crate) fn write_line<T: Serialize>(lines: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(&mut *lines, value).expect(PLAIN);
    lines.push(b'\n');
}
