//! Inbound texts: what opts out, what only looks like it, and everything else.

use domain::lexicon::{Intent, Tier, classify, tells_how_to_opt_out, wording};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    body: String,
    expect: String,
}

#[test]
fn every_proposed_case_is_classified_as_proposed() {
    let file: File =
        serde_json::from_str(include_str!("../data/optout_matching_proposed.json")).expect("cases");
    assert_eq!(file.cases.len(), 29, "a case was lost");

    for Case { body, expect } in file.cases {
        let found = match classify(&body) {
            Intent::OptOut { tier: Tier::Keyword, .. } => "opt_out",
            Intent::OptOut { tier: Tier::Phrase, .. } => "opt_out_review",
            Intent::OptIn { unless_asked: false, .. } => "opt_in",
            Intent::OptIn { unless_asked: true, .. } => "opt_in_if_no_pending_question",
            Intent::Help { .. } => "help",
            Intent::Automatic { .. } | Intent::Reaction | Intent::Question | Intent::Other => {
                "none"
            }
        };
        assert_eq!(found, expect, "{body:?}");
    }
}

#[test]
fn a_sign_alone_and_what_counts_things_are_reactions() {
    for text in ["👍", "❤️", "👍🏽👍🏽", "Liked 3 images", "Loved 2 photos", "Liked ‘ok’"]
    {
        assert_eq!(classify(text), Intent::Reaction, "{text}");
    }
    for text in ["👍 see you at 5", "?", "Liked it"] {
        assert_ne!(classify(text), Intent::Reaction, "{text}");
    }
}

#[test]
fn opt_outs_in_five_languages_are_told_from_what_only_looks_like_them() {
    let rows = include_str!("../data/opt_outs.tsv").lines().filter(|row| !row.starts_with('#'));
    let mut wrong = Vec::new();
    for row in rows.clone() {
        let (expected, text) = row.split_once('\t').expect("two columns");
        let found = match classify(text) {
            Intent::OptOut { tier: Tier::Keyword, .. } => "keyword".to_owned(),
            Intent::OptOut { tier: Tier::Phrase, rule } => {
                format!("phrase {}", rule.language.as_str())
            }
            Intent::OptIn { .. }
            | Intent::Help { .. }
            | Intent::Automatic { .. }
            | Intent::Reaction
            | Intent::Question
            | Intent::Other => "none".to_owned(),
        };
        if found != expected {
            wrong.push((text, expected, found));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.count(), 493, "a case was lost");
}

#[test]
fn each_kind_of_opt_out_is_heard_and_what_only_quotes_or_answers_one_is_not() {
    check(include_str!("../data/inbound_kinds.tsv"), 222);
}

#[test]
fn people_say_stop_in_many_words_of_their_language_and_use_the_words_for_other_things() {
    check(include_str!("../data/inbound/english.tsv"), 794);
    check(include_str!("../data/inbound/spanish.tsv"), 324);
    check(include_str!("../data/inbound/french.tsv"), 277);
    check(include_str!("../data/inbound/portuguese.tsv"), 262);
    check(include_str!("../data/inbound/german.tsv"), 291);
    check(include_str!("../data/inbound/mixed.tsv"), 153);
}

#[test]
fn reactions_and_quotes_of_every_phone_are_never_an_opt_out() {
    check(include_str!("../data/inbound/reactions.tsv"), 140);
    check(include_str!("../data/inbound/quotes.tsv"), 45);
}

#[test]
fn texts_about_other_things_are_no_opt_out_whatever_words_they_share_with_one() {
    check(include_str!("../data/inbound/conversations.tsv"), 205);
}

/// Classifies each text of a table, which has so many, and compares with what it expects.
#[track_caller]
fn check(table: &str, count: usize) {
    let rows = table.lines().filter(|row| !row.starts_with('#'));
    let mut wrong = Vec::new();
    for row in rows.clone() {
        let (expected, written) = row.split_once('\t').expect("two columns");
        let text = unescaped(written);
        let found = classify(&text);
        let is_expected = match found {
            Intent::OptOut { tier: Tier::Keyword, .. } => expected == "stopped",
            Intent::OptOut { tier: Tier::Phrase, .. } => matches!(expected, "stopped" | "review"),
            Intent::Automatic { .. } => expected == "automatic",
            Intent::Reaction => expected == "reaction",
            Intent::OptIn { .. } | Intent::Help { .. } | Intent::Question | Intent::Other => {
                expected == "none"
            }
        };
        if !is_expected {
            wrong.push((written, expected, found));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.count(), count, "a case was lost");
}

/// A text of the table: `\n` is a line break, `\u{200b}` a character by its number.
fn unescaped(written: &str) -> String {
    let mut parts = written.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| {
        let (number, rest) = part.split_once('}').expect("a brace closes");
        let number = u32::from_str_radix(number, 16).expect("a number in hexadecimal");
        format!("{text}{}{rest}", char::from_u32(number).expect("a character"))
    });
    text.replace("\\n", "\n")
}

#[test]
fn invisible_characters_hide_no_keyword() {
    for text in ["STOP\n", "\r\n STOP", "\u{feff}STOP", "sto\u{200b}p", "st\u{ad}op", "STOP\u{a0}"]
    {
        let found = classify(text);
        assert!(matches!(found, Intent::OptOut { tier: Tier::Keyword, .. }), "{text:?} {found:?}");
    }

    for text in ["", "   ", "\u{200b}", "\n"] {
        assert_eq!(classify(text), Intent::Other, "{text:?}");
    }
}

#[test]
fn words_that_opt_in_do_so_alone_and_yes_only_where_nothing_was_asked() {
    for text in
        ["START", "start", "Unstop", "“Start”", "SUBSCRIBE", "comenzar", "Começar", "commencer"]
    {
        let found = classify(text);
        assert!(matches!(found, Intent::OptIn { unless_asked: false, .. }), "{text:?} {found:?}");
    }

    for text in ["YES", "yes!", "Sí", "oui", "sim", "Ja"] {
        let found = classify(text);
        assert!(matches!(found, Intent::OptIn { unless_asked: true, .. }), "{text:?} {found:?}");
    }

    for text in ["start tomorrow", "yes please", "when do we start?", "start please", "let's start"]
    {
        assert!(matches!(classify(text), Intent::Question | Intent::Other), "{text:?}");
    }
}

#[test]
fn help_is_asked_for_in_every_language() {
    for text in ["HELP", "info", "Help!", "ayuda", "AYUDA", "información", "aide", "ajuda", "Hilfe"]
    {
        assert!(matches!(classify(text), Intent::Help { .. }), "{text:?}");
    }
}

#[test]
fn questions_are_told_from_other_texts() {
    for text in [
        "How much is it?",
        "how much is it",
        "What time do you open",
        "¿Cuánto cuesta",
        "cuando abren",
        "Is it still available",
        "Qual o preço",
        "Wann habt ihr offen",
        "C'est combien ?",
        "really？",
    ] {
        assert_eq!(classify(text), Intent::Question, "{text:?}");
    }

    for text in ["Sounds good", "Thanks", "ok mañana", "👍🏽 ok", "123 Main St"] {
        assert_eq!(classify(text), Intent::Other, "{text:?}");
    }
}

#[test]
fn two_texts_are_the_same_words_whatever_their_case_signs_and_apostrophes() {
    let said = wording("I'm driving right now and will reply later");
    for text in [
        "i’m driving right now, and will REPLY later!",
        " Im driving right now and will reply later ",
    ] {
        assert_eq!(wording(text), said, "{text}");
    }
    assert_ne!(wording("I'm driving right now"), said);
    assert_ne!(wording("?"), wording("👍"), "signs alone are their own words");
}

#[test]
fn a_rule_has_a_stable_name_for_the_log() {
    let Intent::OptOut { rule, .. } = classify("Unsubscribe!") else { panic!("no opt-out") };
    assert_eq!(rule.to_string(), "en:stop:unsubscribe");
    let Intent::OptOut { rule, .. } = classify("numero equivocado") else { panic!("no opt-out") };
    assert_eq!(rule.to_string(), "es:phrase:numero equivocado");
}

#[test]
fn a_text_that_tells_how_to_opt_out_is_recognised() {
    for text in [
        "Sale today. Reply STOP to opt out",
        "Txt STOP 2 end",
        "Text STOP to unsubscribe",
        "STOP to end",
        "Sale! Stop2End",
        "Reply with STOP to cancel",
        "Opt out: acme.co/x",
        "Unsubscribe: reply no",
        "Responde ALTO para salir",
        "Oferta. Envíe BAJA al 2020",
        "STOP au 36111",
        "Répondez STOP pour vous désabonner",
        "Responda SAIR para cancelar",
        "SAIR para sair",
        "Antworten Sie STOPP zum Abmelden",
        "Stopp zum Abbestellen senden",
    ] {
        assert!(tells_how_to_opt_out(text), "{text:?}");
    }

    for text in [
        "NON-STOP FUN THIS WEEKEND",
        "STOP BY TODAY",
        "Don't stop!",
        "Reply YES to confirm",
        "",
        "Hola",
        "The bus stops here",
        "No te pierdas la baja de precios",
        "Ce soir au stade",
    ] {
        assert!(!tells_how_to_opt_out(text), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_at_all_can_be_classified(text in any::<String>()) {
        let _ = (classify(&text), tells_how_to_opt_out(&text));
    }

    #[test]
    fn signs_blanks_and_case_around_a_keyword_change_nothing(
        before in "[ \\n.!*\"'“(>-]{0,4}", after in "[ \\n.!*\"'”)<-]{0,4}", upper in any::<bool>(),
        word in prop::sample::select(vec!["stop", "alto", "unsubscribe", "arrêt", "sair", "stopp"]),
    ) {
        let word = if upper { word.to_uppercase() } else { word.to_owned() };
        let found = classify(&format!("{before}{word}{after}"));
        let is_keyword = matches!(found, Intent::OptOut { tier: Tier::Keyword, .. });
        prop_assert!(is_keyword, "{:?}", found);
    }

    #[test]
    fn a_stop_of_its_own_counts_whatever_else_is_said(
        before in "[a-z ]{0,40}", after in "[b-h ]{0,40}", // no word of it takes anything back
    ) {
        let text = format!("{before}. STOP. {after}");
        prop_assert!(classify(&text).is_opt_out(), "{:?}", text);
    }
}

#[test]
fn a_very_long_text_is_read_in_bounded_time() {
    let text = "please do not ".repeat(100_000);
    assert_eq!(classify(&text), Intent::Other);
}
