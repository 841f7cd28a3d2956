//! What is wrong with a body that does not decode: all of it at once. The decoder stops at the
//! first field; so each one that it names is put right with a stand-in, and it is asked again.

use domain::json::NamedFields;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

use super::problem::FieldError;

/// How many wrong fields are named at most.
const MOST: usize = 20;

/// The longest value that is repeated in an error, in characters.
const SHORT: usize = 40;

/// Asks a decoder what it objects to first; none where the value decodes.
pub(crate) type Probe = fn(&Value) -> Option<Wrong>;

/// What a decoder objects to.
pub(crate) struct Wrong {
    /// The field that is wrong; for one that is missing or not known, it itself.
    path: Vec<Step>,
    fault: Objection,
    words: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Item(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Objection {
    Missing,
    Unknown,
    Value,
}

/// The first objection of the decoder of `T`.
pub(crate) fn probe<T: DeserializeOwned>(value: &Value) -> Option<Wrong> {
    probe_borrowed::<T>(value)
}

/// The first objection of the decoder of what borrows from the value.
pub(crate) fn probe_borrowed<'v, T: Deserialize<'v>>(value: &'v Value) -> Option<Wrong> {
    let decoded = serde_path_to_error::deserialize::<_, T>(NamedFields(value));
    decoded.err().map(|error| {
        let path = steps(error.path());
        Wrong::new(path, error.into_inner().to_string())
    })
}

/// Everything that is wrong with a body, as far as it can be known: at least one error, at most
/// [`MOST`]. `told` is what the decoder says of the text itself.
pub(super) fn wrong_fields(bytes: &[u8], told: &str, probe: Probe) -> Vec<FieldError> {
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else {
        return vec![error("", "invalid", format!("not JSON: {told}"))];
    };

    let mut errors = Vec::new();
    while errors.len() < MOST
        && let Some(wrong) = probe(&body)
    {
        errors.push(wrong.error(&body));
        if !wrong.put_right(&mut body, probe) {
            break;
        }
    }

    // What a tree of values does not show: a field that is there twice.
    if errors.is_empty() {
        let name = told.split('`').nth(1).unwrap_or_default();
        errors.push(error(name, "duplicate_field", "this field is there twice".into()));
    }
    errors
}

impl Wrong {
    fn new(mut path: Vec<Step>, words: String) -> Self {
        let fault = if words.starts_with("missing field") {
            Objection::Missing
        } else if words.starts_with("unknown field") {
            Objection::Unknown
        } else {
            Objection::Value
        };

        // The path may already end in the field itself.
        if fault != Objection::Value {
            let name = Step::Field(words.split('`').nth(1).unwrap_or_default().to_owned());
            if fault == Objection::Missing || path.last() != Some(&name) {
                path.push(name);
            }
        }
        Self { path, fault, words }
    }

    /// The error that a caller reads.
    fn error(&self, body: &Value) -> FieldError {
        let field = written(&self.path);
        match self.fault {
            Objection::Missing => error(&field, "required", "this field is required".into()),
            Objection::Unknown => {
                let known = self.words.split_once("expected ").map(|(_, names)| plain(names));
                let known = known.map_or(String::new(), |names| format!("; known: {names}"));
                error(&field, "unknown_field", format!("there is no such field{known}"))
            }
            Objection::Value => self.value_error(&field, at(body, &self.path)),
        }
    }

    /// The error of a value that does not fit: what it is, and what would fit.
    fn value_error(&self, field: &str, value: Option<&Value>) -> FieldError {
        let given = value.map_or_else(|| "this".into(), shown);
        let words = self.words.as_str();

        if words.starts_with("unknown variant") {
            let fits = words.split_once("expected ").map_or("another one", |(_, names)| names);
            return error(field, "unknown", format!("{given} is none of them: {}", plain(fits)));
        }
        if words.starts_with("UUID parsing failed") {
            let fits = "expected an id such as 0198c5a2-0000-7000-8000-000000000000";
            return error(field, "invalid_type", format!("{fits}, not {given}"));
        }
        let is_of_decoder = ["invalid type", "invalid value", "invalid length"];
        match words.rsplit_once("expected ") {
            Some((_, fits)) if is_of_decoder.iter().any(|start| words.starts_with(start)) => {
                error(field, "invalid_type", format!("expected {}, not {given}", kind(fits)))
            }
            // A type's own reader says itself what fits.
            _ => error(field, "invalid", format!("{given} does not fit: {words}")),
        }
    }

    /// Puts the field right, so that the decoder goes on to the next. Says whether it could.
    fn put_right(&self, body: &mut Value, probe: Probe) -> bool {
        let Some((last, before)) = self.path.split_last() else { return false };
        if self.fault == Objection::Unknown {
            let object = at_mut(body, before).and_then(Value::as_object_mut);
            return match (object, last) {
                (Some(fields), Step::Field(name)) => fields.remove(name).is_some(),
                _ => false,
            };
        }

        // One that is offered by name comes first.
        let offered =
            self.words.split_once("expected ").and_then(|(_, names)| names.split('`').nth(1));
        let offered = offered.map(|name| json!(name));
        offered.into_iter().chain(stand_ins()).any(|value| {
            let is_there = match (at_mut(body, before), last) {
                (Some(Value::Object(fields)), Step::Field(name)) => {
                    fields.insert(name.clone(), value);
                    true
                }
                (Some(Value::Array(items)), Step::Item(index)) => {
                    items.get_mut(*index).map(|item| *item = value).is_some()
                }
                _ => false,
            };
            is_there && probe(body).is_none_or(|next| !next.path.starts_with(&self.path))
        })
    }
}

/// Values of which one fits nearly every field.
fn stand_ins() -> impl Iterator<Item = Value> {
    let id = "00000000-0000-0000-0000-000000000000";
    let texts = ["", id, "2000-01-01T00:00:00Z", "US", "never"].map(Value::from);
    texts.into_iter().chain([json!(1), json!(false), json!([]), json!({}), Value::Null])
}

fn steps(path: &Path) -> Vec<Step> {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Field(key.clone())),
        Segment::Enum { variant } => Some(Step::Field(variant.clone())),
        Segment::Unknown => None,
    });
    steps.collect()
}

/// A path as errors write it: `variants[0].bodies.en`.
fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Item(index) => text.push_str(&format!("[{index}]")),
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.push_str(&format!(".{name}")),
        }
    }
    text
}

fn at<'v>(body: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(body, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}

fn at_mut<'v>(body: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(body, |value, step| match step {
        Step::Field(name) => value.get_mut(name),
        Step::Item(index) => value.get_mut(index),
    })
}

/// A value in words, repeated where it is short.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > SHORT => "this text".into(),
        scalar => format!("`{scalar}`"),
    }
}

/// What the decoder calls a kind of value, in the words of JSON.
fn kind(fits: &str) -> String {
    let fits = fits.split(" at line").next().unwrap_or(fits);
    let unsigned = |bits: u32| format!("a whole number from 0 to {}", u64::MAX >> (64 - bits));
    match fits {
        "u8" => unsigned(8),
        "u16" => unsigned(16),
        "u32" => unsigned(32),
        "u64" | "usize" => "a whole number, 0 or more".into(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "an array".into(),
        "a map" => "an object".into(),
        "a string" | "a borrowed string" | "a formatted UUID string" => "a text".into(),
        fits if fits.starts_with("struct ") || fits.starts_with("enum ") => "an object".into(),
        fits => plain(fits),
    }
}

/// Names without the marks around them and the words before them.
fn plain(names: &str) -> String {
    names.trim_start_matches("one of ").replace('`', "")
}

fn error(field: &str, code: &'static str, detail: String) -> FieldError {
    FieldError { field: field.into(), code, detail }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is the errors")]
    struct Form {
        name: String,
        size: u8,
        id: Uuid,
        #[serde(default)]
        inner: Option<Inner>,
        #[serde(default)]
        shapes: Vec<Shape>,
        #[serde(default)]
        notes: BTreeMap<String, String>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is the errors")]
    struct Inner {
        country: domain::country::Country,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Round,
        Square,
    }

    fn errors(body: &str) -> Vec<(String, &'static str, String)> {
        let errors = wrong_fields(body.as_bytes(), "duplicate field `name`", probe::<Form>);
        errors.into_iter().map(|error| (error.field, error.code, error.detail)).collect()
    }

    /// Fields with their codes.
    fn named(body: &str) -> Vec<(String, &'static str)> {
        errors(body).into_iter().map(|(field, code, _)| (field, code)).collect()
    }

    #[test]
    fn every_field_that_is_missing_is_named() {
        let missing = ["name", "size", "id"].map(|field| (field.to_owned(), "required"));
        assert_eq!(named("{}"), missing);
        assert_eq!(named(r#"{"size": 1}"#), [missing[0].clone(), missing[2].clone()]);
    }

    #[test]
    fn what_is_missing_wrong_and_unknown_is_named_at_once() {
        let body = r#"{"nmae": "Ann", "size": "big", "inner": {"country": "USA"},
                       "shapes": ["round", "flat"], "notes": {"a": 1}}"#;
        let expected = [
            ("nmae", "unknown_field"),
            ("size", "invalid_type"),
            ("inner.country", "invalid"),
            ("shapes[1]", "unknown"),
            ("notes.a", "invalid_type"),
            ("name", "required"),
            ("id", "required"),
        ];
        let mut found = named(body);
        let mut expected = expected.map(|(field, code)| (field.to_owned(), code)).to_vec();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_says_what_was_given_and_what_fits() {
        let told = |body: &str| errors(body).remove(0).2;
        let with = |field: &str| {
            let id = Uuid::nil();
            told(&format!(r#"{{"name": "a", "size": 1, "id": "{id}", {field}}}"#))
        };

        assert_eq!(with(r#""inner": [1]"#), "expected an object, not an array");
        assert_eq!(
            with(r#""inner": {"country": "USA"}"#),
            "`\"USA\"` does not fit: a country is two letters, such as US or AU"
        );
        assert_eq!(with(r#""shapes": ["flat"]"#), "`\"flat\"` is none of them: round or square");
        assert_eq!(
            told(r#"{"name": "a", "size": 256}"#),
            "expected a whole number from 0 to 255, not `256`"
        );
        assert!(told(r#"{"name": "a", "size": 1, "id": "x"}"#).starts_with("expected an id"));
        assert_eq!(told("[]"), "expected an object, not an array");

        let long = told(&format!(r#"{{"name": "a", "size": "{}"}}"#, "x".repeat(41)));
        assert!(long.ends_with("not this text"), "{long}");
    }

    #[test]
    fn a_field_that_is_there_twice_is_named() {
        let id = Uuid::nil();
        let body = format!(r#"{{"name": "a", "name": "b", "size": 1, "id": "{id}"}}"#);
        assert_eq!(named(&body), [("name".to_owned(), "duplicate_field")]);
    }
}
