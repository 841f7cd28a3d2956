//! Encoding and segments: every published vector, and what must hold for any text.

use std::collections::HashMap;

use domain::encoding::{
    Encoding, EncodingRule, as_sent, count_segments, layout, measure, nfc, septets, smart,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    /// Absent where the text is not Unicode (a lone surrogate), which no Rust text can be.
    text: Option<String>,
    encoding: Encoding,
    units: u32,
    segments: u16,
    units_per_segment: Vec<u32>,
    segments_surrogate_rule: u16,
    units_per_segment_surrogate_rule: Option<Vec<u32>>,
    smart_encoded: SmartEncoded,
}

#[derive(Deserialize)]
struct SmartEncoded {
    encoding: Encoding,
    segments: u16,
    units: u32,
}

fn cases() -> Vec<Case> {
    let file: File =
        serde_json::from_str(include_str!("../data/segments.json")).expect("segments.json");
    assert_eq!(file.cases.len(), 48, "a case was lost");
    file.cases.into_iter().filter(|case| case.text.is_some()).collect()
}

fn text(case: &Case) -> &str {
    case.text.as_deref().expect("filtered")
}

#[test]
fn every_vector_has_its_encoding_units_and_segments_by_the_grapheme_rule() {
    for case in cases() {
        let found = measure(text(&case));
        assert_eq!(found.encoding, case.encoding, "{}", case.id);
        assert_eq!(found.units, case.units, "{}", case.id);
        assert_eq!(found.segments, case.segments, "{}", case.id);
        assert_eq!(
            layout(text(&case), EncodingRule::Grapheme),
            case.units_per_segment,
            "{}",
            case.id
        );
        assert_eq!(found.offender.is_some(), case.encoding == Encoding::Ucs2, "{}", case.id);
    }
}

#[test]
fn every_vector_has_its_segments_by_the_surrogate_rule() {
    for case in cases() {
        let text = text(&case);
        let found = count_segments(text, EncodingRule::Surrogate);
        assert_eq!(found, case.segments_surrogate_rule, "{}", case.id);
        if let Some(expected) = &case.units_per_segment_surrogate_rule {
            assert_eq!(&layout(text, EncodingRule::Surrogate), expected, "{}", case.id);
        }
    }
}

#[test]
fn a_cluster_across_a_boundary_counts_more_by_the_grapheme_rule() {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    for text in [
        format!("{}{family}{}", "a".repeat(61), "b".repeat(62)),
        format!("{}🇺🇸{}", "a".repeat(65), "b".repeat(65)),
        format!("{}e\u{301}{}", "a".repeat(66), "b".repeat(66)),
    ] {
        assert_eq!(measure(&text).segments, 3);
        assert_eq!(count_segments(&text, EncodingRule::Surrogate), 2);
    }
}

#[test]
fn smart_encoding_agrees_with_the_vectors_but_for_the_width_of_a_tab() {
    for case in cases() {
        let found = smart(text(&case)).after;
        assert_eq!(found.encoding, case.smart_encoded.encoding, "{}", case.id);
        assert_eq!(found.segments, case.smart_encoded.segments, "{}", case.id);
        // Ours makes one blank of a tab; the published map makes seven.
        let expected = if case.id == "tab_not_gsm" { 3 } else { case.smart_encoded.units };
        assert_eq!(found.units, expected, "{}", case.id);
    }
}

#[test]
fn smart_encoding_leaves_a_text_alone_that_stays_ucs2() {
    let text = "“Привет”";
    assert_eq!(smart(text).text, text);
    assert_eq!(smart("“Hi” – ok…\u{a0}bye").text, "\"Hi\" - ok... bye");
    assert_eq!(smart("“Hi” – ok").before.segments, 1);
}

#[test]
fn the_alphabet_is_exactly_the_published_table() {
    let file: Value =
        serde_json::from_str(include_str!("../data/gsm0338.json")).expect("gsm0338.json");
    let members = |table: &str| -> Vec<char> {
        let codes = file[table].as_object().expect("a table").values();
        codes
            .map(|code| code.as_str().and_then(|c| c.strip_prefix("U+")).expect("U+XXXX"))
            .map(|hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32).expect("a char"))
            .collect()
    };

    let basic = members("basic_septet_to_codepoint");
    let extension = members("extension_after_1b");
    assert_eq!((basic.len(), extension.len()), (127, 10));

    let costs: HashMap<char, u32> =
        basic.iter().map(|c| (*c, 1)).chain(extension.iter().map(|c| (*c, 2))).collect();
    for c in (0..=0x10_ffff).filter_map(char::from_u32) {
        assert_eq!(septets(c), costs.get(&c).copied().unwrap_or(0), "{c:?}");
    }
    // The fast path for ASCII has a table of its own.
    for c in (0..0x80).filter_map(char::from_u32) {
        let alone = measure(c.encode_utf8(&mut [0; 4]));
        match costs.get(&c) {
            Some(cost) => assert_eq!((alone.encoding, alone.units), (Encoding::Gsm7, *cost)),
            None => assert_eq!((alone.encoding, alone.offender), (Encoding::Ucs2, Some(c))),
        }
    }
}

#[test]
fn an_empty_text_has_no_segments() {
    let empty = measure("");
    assert_eq!((empty.units, empty.segments), (0, 0));
    assert_eq!(layout("", EncodingRule::Grapheme), Vec::<u32>::new());
}

#[test]
fn the_offender_is_the_first_character_that_forces_ucs2() {
    assert_eq!(measure("Café").offender, None);
    assert_eq!(measure("Sale — today “only”").offender, Some('—'));
    assert_eq!(measure("ça va").offender, Some('ç'));
}

#[test]
fn composing_a_text_can_bring_it_back_to_gsm7() {
    let decomposed = "Cafe\u{301}";
    assert_eq!(measure(decomposed).encoding, Encoding::Ucs2);
    assert_eq!(measure(&nfc(decomposed)).encoding, Encoding::Gsm7);
    assert!(matches!(nfc("Café"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn a_line_ends_in_one_character_however_it_was_typed() {
    let text = format!("{}\r\n{}", "a".repeat(80), "b".repeat(79));
    assert_eq!(measure(&text).segments, 2);
    let sent = as_sent(&text);
    assert_eq!((sent.chars().count(), measure(&sent).segments), (160, 1));

    assert_eq!(as_sent("a\r\nb\rc\nd\r\n\r\n"), "a\nb\nc\nd\n\n");
    assert_eq!(as_sent("Cafe\u{301}\r\n"), "Café\n");
    assert!(matches!(as_sent("Café\n"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn the_longest_text_that_twilio_takes_is_11_or_24_segments() {
    assert_eq!(measure(&"a".repeat(1600)).segments, 11);
    assert_eq!(measure(&"á".repeat(1600)).segments, 24);
}

#[test]
fn a_cluster_longer_than_a_segment_is_divided_and_not_undercounted() {
    let zalgo = format!("a{}", "\u{301}".repeat(200));
    assert_eq!(layout(&zalgo, EncodingRule::Grapheme), [67, 67, 67]);
    let later = format!("bb{zalgo}");
    assert_eq!(layout(&later, EncodingRule::Grapheme), [2, 67, 67, 67]);
}

/// Texts made of what is awkward: extension characters, pairs, clusters, line ends.
fn awkward_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => "[a-zA-Z0-9 .,!?]{1,40}",
        2 => Just("€".to_owned()),
        1 => Just("{}[]~^".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("😀".to_owned()),
        1 => Just("👨\u{200d}👩\u{200d}👧\u{200d}👦".to_owned()),
        1 => Just("🇺🇸🇦🇺".to_owned()),
        3 => Just("e\u{301}".to_owned()),
        1 => Just("漢字".to_owned()),
        2 => Just("á – “ó”…\r\n".to_owned()),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_grapheme_rule_never_counts_less_than_the_surrogate_rule(text in awkward_text()) {
        let grapheme = count_segments(&text, EncodingRule::Grapheme);
        prop_assert!(grapheme >= count_segments(&text, EncodingRule::Surrogate));
        prop_assert_eq!(grapheme, measure(&text).segments);
    }

    #[test]
    fn a_layout_holds_every_unit_and_no_segment_is_too_long(text in awkward_text()) {
        let measured = measure(&text);
        for rule in [EncodingRule::Grapheme, EncodingRule::Surrogate] {
            let segments = layout(&text, rule);
            prop_assert_eq!(segments.len(), usize::from(count_segments(&text, rule)));
            prop_assert_eq!(segments.iter().sum::<u32>(), measured.units);

            let limit = if segments.len() == 1 {
                measured.encoding.single()
            } else {
                measured.encoding.multi()
            };
            prop_assert!(segments.iter().all(|units| (1..=limit).contains(units)));
        }
    }

    #[test]
    fn any_text_at_all_can_be_measured(text in any::<String>()) {
        let (measured, segments) = (measure(&text), layout(&text, EncodingRule::Grapheme));
        prop_assert_eq!(usize::from(measured.segments), segments.len());
        prop_assert_eq!(measured.segments == 0, text.is_empty());
    }

    #[test]
    fn more_text_never_takes_fewer_segments_of_the_same_alphabet(text in "[ -~]{0,700}") {
        let longer = format!("{text}x");
        if measure(&text).encoding == measure(&longer).encoding {
            prop_assert!(measure(&longer).segments >= measure(&text).segments);
        }
    }
}
