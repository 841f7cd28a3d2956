//! What the examples are answered, as the document shows it: kept in a file from which
//! `scripts/document --answers` takes it. Of lists it shows two, and of what is longer than a page
//! nothing.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

/// How long an answer may be that is shown, in bytes: the documents themselves are longer.
pub(super) const LONGEST: usize = 20_000;

/// How much of a list is shown.
const SHOWN: usize = 2;

/// The answers by operation and status, without what is secret.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<String, BTreeMap<String, Value>>);

impl Answers {
    /// Notes an answer.
    pub(super) fn note(&mut self, operation: &Value, status: u16, mut answer: Value) {
        let id = operation["operationId"].as_str().expect("a name").to_owned();
        hide(&mut answer);
        self.0.entry(id).or_default().insert(status.to_string(), answer);
    }

    /// Writes all of them into a file among what is built.
    pub(super) fn keep(&self) {
        let json = serde_json::to_string_pretty(&self.0).expect("JSON");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers.json");
        std::fs::write(path, json + "\n").expect("the file is written");
    }
}

/// Puts zeros into whatever somebody could sign in with, and cuts lists off.
fn hide(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("-----BEGIN") => *text = "-----BEGIN...".into(),
        Value::String(text) if text.starts_with("mr_") => {
            let begun = text.rfind('_').map_or(0, |last| last + 1);
            *text = format!("{}{}", &text[..begun], "0".repeat(text.len() - begun));
        }
        // The carrier of the examples is at another port each time.
        Value::String(text) if text.starts_with("http://127.0.0.1:") => {
            *text = "http://127.0.0.1:8090".into();
        }
        Value::String(text) if text.starts_with("eyJ") => {
            *text = "eyJ0eXAiOiJKV1QifQ.e30.c2lnbmF0dXJl".into();
        }
        Value::Array(all) => {
            all.truncate(SHOWN);
            all.iter_mut().for_each(hide);
        }
        Value::Object(fields) => fields.values_mut().for_each(hide),
        _ => {}
    }
}
