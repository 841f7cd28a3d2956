//! What is made of the model's answer: it goes out as it is, shorter by whole sentences, or not at
//! all. What is in doubt goes to a person.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::{
    claims,
    rules::{RULES, TOOL_RULES},
    settings::AssistantSettings,
};
use crate::{
    encoding::{measure, smart},
    invisible::is_blank,
};

/// How surely an answer is right, by the model's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It is in what the model was told.
    High,
    /// It follows from it.
    Medium,
    /// It may not be.
    Low,
}

/// Why a person is to go on, by the model's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handoff {
    /// Nobody needs to.
    None,
    /// The person asks for a human.
    AsksForHuman,
    /// What is asked is not in what the model was told.
    Unknown,
    /// What is asked may not be done.
    NotAllowed,
    /// The person is upset, or in danger.
    Upset,
}

/// An answer that may go out. Holds personal data: `Debug` shows lengths.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerDraft {
    /// The text for the person.
    pub body: String,
    /// How surely it is right.
    pub confidence: Confidence,
    /// What the model has found out of the person, by the settings' fields.
    pub qualification: BTreeMap<String, String>,
}

impl fmt::Debug for AnswerDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, found) = (self.body.len(), self.qualification.len());
        write!(f, "AnswerDraft({:?}, {bytes} bytes, {found} found out)", self.confidence)
    }
}

/// Why an answer does not go out, and a person goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerDoubt {
    /// It is not in the form that was asked for, or says nothing.
    Unreadable,
    /// The model wants a person to go on.
    HandedOff,
    /// The model is not sure enough.
    Unsure,
    /// No whole sentence of it fits.
    TooLong,
    /// It names an address or number that it was not told, shows its instructions, or writes marks.
    NotAllowed,
}

/// The longest value of a field that is kept, in characters.
const MOST_FIELD: usize = 200;

impl Confidence {
    /// Every degree, the surest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The name in rows and in the model's answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl AnswerDoubt {
    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "ai_incomplete",
            Self::HandedOff => "ai_hands_off",
            Self::Unsure => "ai_unsure",
            Self::TooLong => "ai_too_long",
            Self::NotAllowed => "ai_not_allowed",
        }
    }
}

impl Handoff {
    /// Every reason, that of no handoff first.
    pub const ALL: [Self; 5] =
        [Self::None, Self::AsksForHuman, Self::Unknown, Self::NotAllowed, Self::Upset];

    /// The name in the model's answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AsksForHuman => "asks_for_human",
            Self::Unknown => "unknown",
            Self::NotAllowed => "not_allowed",
            Self::Upset => "upset",
        }
    }
}

/// The answer in the form that it was asked for.
#[derive(Deserialize)]
struct Said {
    reply: String,
    handoff: Handoff,
    confidence: Confidence,
    #[serde(default)]
    qualification: BTreeMap<String, Value>,
}

/// Decides what becomes of what the model said to the tool. `looked_up` is what the company's own
/// tools have told for it: that may be said as what the settings tell.
///
/// # Errors
/// Why a person is to go on instead.
pub fn judge(
    settings: &AssistantSettings,
    looked_up: &str,
    said: &Value,
) -> Result<AnswerDraft, AnswerDoubt> {
    let said: Said = serde_json::from_value(said.clone()).map_err(|_| AnswerDoubt::Unreadable)?;
    match said.handoff {
        Handoff::None => {}
        Handoff::AsksForHuman | Handoff::Unknown | Handoff::NotAllowed | Handoff::Upset => {
            return Err(AnswerDoubt::HandedOff);
        }
    }
    match said.confidence {
        Confidence::High => {}
        Confidence::Medium if !settings.only_confident => {}
        Confidence::Medium | Confidence::Low => return Err(AnswerDoubt::Unsure),
    }

    let reply = said.reply.trim();
    if is_blank(reply) {
        return Err(AnswerDoubt::Unreadable);
    }
    if !is_allowed(settings, looked_up, reply) {
        return Err(AnswerDoubt::NotAllowed);
    }
    let body = fitting(&smart(reply).text, settings.max_segments).ok_or(AnswerDoubt::TooLong)?;
    let qualification = found(settings, said.qualification);
    Ok(AnswerDraft { body, confidence: said.confidence, qualification })
}

/// What was found out, by the fields that were asked for.
fn found(
    settings: &AssistantSettings,
    mut said: BTreeMap<String, Value>,
) -> BTreeMap<String, String> {
    let value = |name: &String| match said.remove(name)? {
        Value::String(text) if !is_blank(&text) => {
            Some((name.clone(), text.trim().chars().take(MOST_FIELD).collect()))
        }
        _ => None,
    };
    settings.qualification.iter().map(|field| &field.name).filter_map(value).collect()
}

/// What is only in a question and its instructions.
const MARKS: [&str; 6] = ["<text>", "</text>", "<result>", "</result>", "`answer`", "`handoff`"];

/// Whether a reply holds nothing that the model was not told: marks of the question, its
/// instructions, amounts and promises, addresses of the web or of mail, and numbers that could be
/// called or paid to.
fn is_allowed(settings: &AssistantSettings, looked_up: &str, reply: &str) -> bool {
    let told = [&settings.persona, &settings.knowledge, looked_up].join("\n").to_lowercase();
    let reply = reply.to_lowercase();
    if MARKS.iter().any(|mark| reply.contains(mark)) {
        return false;
    }
    let shows_rules = [RULES, TOOL_RULES].iter().any(|rules| claims::shows(rules, &reply));
    if shows_rules || !claims::are_told(&told, &reply) {
        return false;
    }

    let is_told = |word: &str| told.contains(word);
    let mut words = reply.split_whitespace().map(|word| word.trim_matches(is_around));
    words.all(|word| !is_address(word) || is_told(word))
        && numbers(&reply).all(|n| {
            let told: String = told.chars().filter(char::is_ascii_digit).collect();
            told.contains(&n)
        })
}

/// Signs that stand around a word and are no part of it.
fn is_around(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '"' | '\'' | '[' | ']' | '*')
}

/// Whether a word leads somewhere: `https://a.co`, `www.a.co`, `a.co/x`, `me@a.co`.
fn is_address(word: &str) -> bool {
    if word.contains("://") || word.starts_with("www.") || word.contains('@') {
        return true;
    }
    let host = word.split(['/', '?']).next().unwrap_or_default();
    let Some((name, end)) = host.rsplit_once('.') else { return false };
    let is_end = end.len() >= 2 && end.chars().all(|c| c.is_ascii_lowercase());
    is_end && name.chars().any(char::is_alphanumeric) && !["m", "e.g", "i.e"].contains(&name)
}

/// The numbers of nine digits or more, as they are called or paid to.
fn numbers(text: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut number = String::new();
    for c in text.chars().chain(['x']) {
        match c {
            '0'..='9' => number.push(c),
            ' ' | '-' | '.' | '(' | ')' | '+' | '/' if !number.is_empty() => {}
            _ => {
                if number.len() >= 9 {
                    found.push(std::mem::take(&mut number));
                }
                number.clear();
            }
        }
    }
    found.into_iter()
}

/// The text, or as many whole sentences of its beginning as fit into so many segments.
fn fitting(text: &str, segments: u16) -> Option<String> {
    let fits = |text: &str| measure(text).segments <= segments;
    if fits(text) {
        return Some(text.to_owned());
    }

    let ends = text.char_indices().filter(|(at, c)| {
        let behind = text[at + c.len_utf8()..].chars().next();
        matches!(c, '.' | '!' | '?' | '\u{3002}') && behind.is_none_or(char::is_whitespace)
    });
    let starts: Vec<&str> = ends.map(|(at, c)| text[..at + c.len_utf8()].trim()).collect();
    starts.into_iter().rev().find(|start| fits(start)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(json: &str) -> AssistantSettings {
        AssistantSettings::read(json).expect("readable")
    }

    fn said(reply: &str) -> Value {
        json!({ "reply": reply, "handoff": "none", "confidence": "high" })
    }

    fn body(given: &str, reply: &str) -> Result<String, AnswerDoubt> {
        judge(&settings(given), "", &said(reply)).map(|draft| draft.body)
    }

    #[test]
    fn a_sure_answer_goes_out_and_what_is_in_doubt_goes_to_a_person() {
        assert_eq!(body("{}", " We open at nine. "), Ok("We open at nine.".into()));

        let judged = |handoff: &str, confidence: &str, given: &str| {
            let said = json!({ "reply": "Yes.", "handoff": handoff, "confidence": confidence });
            judge(&settings(given), "", &said).map(|_| ())
        };
        assert_eq!(judged("none", "medium", "{}"), Ok(()));
        assert_eq!(
            judged("none", "medium", r#"{"only_confident": true}"#),
            Err(AnswerDoubt::Unsure)
        );
        assert_eq!(judged("none", "low", "{}"), Err(AnswerDoubt::Unsure));
        for handoff in ["asks_for_human", "unknown", "not_allowed", "upset"] {
            assert_eq!(judged(handoff, "high", "{}"), Err(AnswerDoubt::HandedOff));
        }

        for odd in
            [json!("Yes."), json!({}), json!({ "reply": "Yes." }), said(""), said("\u{200b}")]
        {
            assert_eq!(judge(&settings("{}"), "", &odd), Err(AnswerDoubt::Unreadable), "{odd}");
        }
        assert_eq!(judged("perhaps", "high", "{}"), Err(AnswerDoubt::Unreadable));
    }

    #[test]
    fn what_the_model_was_not_told_does_not_go_out() {
        let given = r#"{"knowledge": "See acme.co/sale or mail help@acme.co, call 212-555-0100."}"#;
        for allowed in [
            "See acme.co/sale.",
            "Mail help@acme.co!",
            "Call (212) 555-0100.",
            "We open at 9.30 on 2026-12-24, e.g. for you.",
        ] {
            assert!(body(given, allowed).is_ok(), "{allowed}");
        }
        for other in [
            "Pay at https://evil.test/x",
            "See evil.test",
            "Mail me@evil.test",
            "Call +1 900 555 0199",
            "My tool is `answer`.",
            "</text> done",
        ] {
            assert_eq!(body(given, other), Err(AnswerDoubt::NotAllowed), "{other}");
        }
    }

    #[test]
    fn what_a_tool_has_told_may_be_said_as_what_the_settings_tell() {
        let reply = "It is at acme.co/t/1 and costs $42.50. Call 212-555-0100.";
        let judged = |told: &str| judge(&settings("{}"), told, &said(reply)).map(|_| ());
        let told = r#"{"at":"acme.co/t/1","total":42.5,"phone":"2125550100"}"#;
        assert_eq!(judged(told), Ok(()));
        assert_eq!(judged(""), Err(AnswerDoubt::NotAllowed));
        assert_eq!(judged(&told.replace("42.5", "43")), Err(AnswerDoubt::NotAllowed));
    }

    #[test]
    fn a_long_answer_ends_with_the_last_sentence_that_fits() {
        let long = format!("We open at nine. {}.", "word ".repeat(80).trim());
        assert_eq!(body(r#"{"max_segments": 1}"#, &long), Ok("We open at nine.".into()));
        assert_eq!(body(r#"{"max_segments": 1}"#, &"word ".repeat(80)), Err(AnswerDoubt::TooLong));
    }

    #[test]
    fn only_fields_that_were_asked_for_are_kept() {
        let given = settings(r#"{"qualification": [{"name": "size", "about": "their size"}]}"#);
        let said = json!({ "reply": "Ok.", "handoff": "none", "confidence": "high",
                           "qualification": { "size": " L ", "other": "x" } });
        let found = judge(&given, "", &said).expect("goes out").qualification;
        assert_eq!(found, BTreeMap::from([("size".to_owned(), "L".to_owned())]));
    }
}
