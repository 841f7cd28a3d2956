//! Texts that try to make the assistant do what it may not: what they say stays data, and what a
//! model that obeyed them would say goes to a person.

use domain::assistant::{AnswerDoubt, AssistantSettings, TurnSpeaker, instructions, judge, turns};
use serde_json::{Value, json};

/// A text that tries something.
struct Injection {
    /// What it is after.
    kind: &'static str,
    text: String,
    /// What a model that obeyed would answer.
    obedient: String,
}

/// The texts of the file.
fn injections() -> Vec<Injection> {
    let rows = include_str!("../data/injections.tsv").lines().filter(|row| !row.starts_with('#'));
    let injection = |row: &'static str| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [kind, text, obedient] = columns[..] else { panic!("three columns, not {row}") };
        let obedient = if obedient == "*long" { "ACME ".repeat(500) } else { obedient.to_owned() };
        Injection { kind, text: text.replace("\\n", "\n"), obedient }
    };
    rows.map(injection).collect()
}

/// A shop that has told its assistant something of each kind.
fn settings() -> AssistantSettings {
    AssistantSettings::read(
        r#"{"persona": "Friendly.", "knowledge": "Open 9 to 17. A sofa is $900. See acme.test."}"#,
    )
    .expect("settings")
}

fn said(reply: &str) -> Value {
    json!({ "reply": reply, "handoff": "none", "confidence": "high" })
}

#[test]
fn thirty_texts_of_every_kind_are_tried() {
    let all = injections();
    assert_eq!(all.len(), 30);
    for kind in ["link", "mail", "phone", "data", "price", "discount", "promise", "rules", "long"] {
        assert!(all.iter().any(|one| one.kind == kind), "{kind}");
    }
}

#[test]
fn what_a_text_says_stays_between_its_marks_and_out_of_the_instructions() {
    let told = instructions(&settings(), "Acme", true);
    for Injection { text, .. } in injections() {
        let written = [(TurnSpeaker::Person, "Hi"), (TurnSpeaker::Person, text.as_str())];
        let turns = turns(written);
        let [turn] = turns.as_slice() else { panic!("one turn, not {turns:?}") };
        assert_eq!(turn.speaker, TurnSpeaker::Person);

        // The marks are those of two texts, and whatever the text has of them is no mark.
        let (open, shut) = (turn.text.matches('<').count(), turn.text.matches('>').count());
        assert_eq!((open, shut), (4, 4), "{text}");
        let within = turn.text.strip_prefix("<text>Hi</text>\n<text>").expect("its marks");
        let within = within.strip_suffix("</text>").expect("its marks");
        let unmarked = text.trim().replace('<', "\u{2039}").replace('>', "\u{203a}");
        assert_eq!(within, unmarked, "the model reads all of it");

        assert!(!told.contains(&text), "{text}");
    }
}

#[test]
fn an_answer_that_obeys_goes_to_a_person() {
    for Injection { kind, text, obedient } in injections() {
        let doubt = judge(&settings(), "", &said(&obedient)).expect_err(&obedient);
        let expected = if kind == "long" { AnswerDoubt::TooLong } else { AnswerDoubt::NotAllowed };
        assert_eq!(doubt, expected, "{text}: {obedient}");
    }
}

#[test]
fn an_answer_of_what_the_company_has_told_goes_out_whatever_was_tried() {
    for fine in ["We are open from 9 to 17.", "A sofa is $900, see acme.test.", "I cannot do that."]
    {
        assert!(judge(&settings(), "", &said(fine)).is_ok(), "{fine}");
    }
}
