//! What a parameter of a query looks like, as its schema in the document says it: numbers, ids,
//! instants and words. Whatever cannot be read is told with what fits, in one form for all routes.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// The longest value that is repeated in an error, in characters.
const SHORT: usize = 40;

/// How the values of a parameter are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// A whole number from the first to the last.
    Number(i64, i64),
    /// An id, which is a UUID.
    Id,
    /// An instant of RFC 3339.
    Instant,
    /// `true` or `false`.
    Boolean,
    /// One of these words; nothing counts as not said.
    Word(Vec<String>),
    /// Text of so many characters at most, of which the route says more.
    Text(Option<u64>),
}

impl Form {
    /// What a schema says.
    pub(super) fn of(schema: &Value) -> Self {
        let types = &schema["type"];
        let is = |name: &str| {
            types == name || types.as_array().is_some_and(|types| types.iter().any(|t| t == name))
        };
        let format = schema["format"].as_str().unwrap_or_default();
        let words = schema["enum"].as_array().map(|words| words.iter().filter_map(Value::as_str));

        match (words, format) {
            _ if is("integer") => {
                let most = if format.ends_with("32") { i64::from(i32::MAX) } else { i64::MAX };
                let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                Self::Number(least, schema["maximum"].as_i64().unwrap_or(most))
            }
            _ if is("boolean") => Self::Boolean,
            (Some(words), _) => Self::Word(words.map(str::to_owned).collect()),
            (None, "uuid") => Self::Id,
            (None, "date-time") => Self::Instant,
            (None, _) => Self::Text(schema["maxLength"].as_u64()),
        }
    }

    /// What is wrong with a value: the code and the sentence. None where it can be read.
    pub(super) fn fault(&self, value: &str) -> Option<(&'static str, String)> {
        let (fits, code) = match self {
            Self::Number(least, most) => {
                let number = value.parse::<i64>();
                (number.is_ok_and(|number| (*least..=*most).contains(&number)), "out_of_range")
            }
            Self::Id => (Uuid::parse_str(value).is_ok(), "invalid"),
            Self::Instant => (value.parse::<Timestamp>().is_ok(), "invalid_time"),
            Self::Boolean => (matches!(value, "true" | "false"), "invalid"),
            Self::Word(words) => {
                (value.is_empty() || words.iter().any(|word| word == value), "unknown")
            }
            Self::Text(most) => {
                let fits = |most: &u64| value.chars().count() as u64 <= *most;
                (most.as_ref().is_none_or(fits), "too_long")
            }
        };
        (!fits).then(|| (code, format!("expected {self}, not {}", shown(value))))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(i64::MIN, i64::MAX) => f.write_str("a whole number"),
            Self::Number(least, i64::MAX) => write!(f, "a whole number, {least} or more"),
            Self::Number(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Id => f.write_str("an id such as 0198c5a2-0000-7000-8000-000000000000"),
            Self::Instant => f.write_str(
                "an instant such as 2026-05-01T15:00:00Z (in an address, a plus sign is %2B)",
            ),
            Self::Boolean => f.write_str("true or false"),
            Self::Word(words) => f.write_str(&words.join(" or ")),
            Self::Text(None) => f.write_str("a text"),
            Self::Text(Some(most)) => write!(f, "a text of at most {most} characters"),
        }
    }
}

/// A value as an error repeats it.
fn shown(value: &str) -> String {
    match value.chars().count() {
        0 => "nothing".to_owned(),
        1..=SHORT => format!("`{value}`"),
        _ => "this text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_told_what_fits() {
        let limit = json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 1000 });
        let after = json!({ "type": "integer", "format": "int64", "minimum": 0 });
        let id = json!({ "type": "string", "format": "uuid" });
        let since = json!({ "type": "string", "format": "date-time" });
        let channel = json!({ "type": "string", "enum": ["sms", "whatsapp"] });

        let tag = json!({ "type": "string", "maxLength": 3 });

        for (schema, good, bad, code, says) in [
            (&limit, "1000", "1001", "out_of_range", "a whole number from 1 to 1000, not `1001`"),
            (&limit, "1", "", "out_of_range", "a whole number from 1 to 1000, not nothing"),
            (&after, "0", "last", "out_of_range", "a whole number, 0 or more, not `last`"),
            (&after, "7", "9223372036854775808", "out_of_range", "0 or more"),
            (&id, "0198c5a2-0000-7000-8000-000000000000", "spring", "invalid", "an id such as"),
            (&since, "2026-05-01T15:00:00+02:00", "yesterday", "invalid_time", "%2B), not `yes"),
            (&channel, "sms", "fax", "unknown", "expected sms or whatsapp, not `fax`"),
            (&json!({ "type": "boolean" }), "true", "yes", "invalid", "true or false"),
            (&tag, "vip", "vips", "too_long", "a text of at most 3 characters, not `vips`"),
        ] {
            let form = Form::of(schema);
            assert_eq!(form.fault(good), None, "{schema}");
            let (told, detail) = form.fault(bad).expect("does not fit");
            assert!(told == code && detail.contains(says), "{bad}: {told} {detail}");
        }
        assert_eq!(Form::of(&json!({ "type": "string" })).fault("anything"), None);
        let long = "x".repeat(41);
        assert!(Form::Id.fault(&long).expect("too long").1.ends_with("not this text"));
    }
}
