//! Templates: variables and fallbacks, the stable choice of a variant, the opt-out line.

use domain::{
    encoding::{Encoding, measure},
    language::Language,
    lexicon::{classify, tells_how_to_opt_out},
    template::{
        MAX_TEMPLATE, MAX_VALUE, Template, TemplateError, opt_out_line, pick_variant,
        with_opt_out_line,
    },
};
use proptest::prelude::*;
use uuid::Uuid;

fn parsed(text: &str) -> Template {
    Template::parse(text).expect("a template")
}

fn contact(name: &str) -> Option<&'static str> {
    match name {
        "first_name" => Some("Ana"),
        "county" => Some("  Travis\n"),
        "brand" => Some("{first_name} & Co"),
        "blank" => Some("   "),
        _ => None,
    }
}

#[test]
fn variables_take_the_contacts_values_or_their_fallbacks() {
    for (template, expected) in [
        ("Hi {first_name}!", "Hi Ana!"),
        ("Hi {first_name|friend}!", "Hi Ana!"),
        ("Hi {nick|friend}!", "Hi friend!"),
        ("Hi {blank|friend}!", "Hi friend!"),
        ("Hi{nick|}!", "Hi!"),
        ("{ first_name }", "Ana"),
        ("In {county} county", "In Travis county"),
        ("{first_name}{first_name}", "AnaAna"),
        ("Hi {{first_name}}, {{ nick |friend}}!", "Hi Ana, friend!"),
        (r"a \{b\} \{{first_name}\}", "a {b} {Ana}"),
        (r"a\b \\{first_name} \\\{", r"a\b \Ana \{"),
        ("a {{B!}} {{{first_name}}}", "a {B!} {Ana}"),
        ("50% off | today", "50% off | today"),
        ("{nick|¡hola, amigo!}", "¡hola, amigo!"),
        ("", ""),
    ] {
        assert_eq!(parsed(template).render(contact).as_deref(), Ok(expected), "{template:?}");
    }
}

#[test]
fn a_value_is_never_read_as_a_template() {
    assert_eq!(parsed("{brand}").render(contact).as_deref(), Ok("{first_name} & Co"));
}

#[test]
fn a_value_cannot_break_lines_and_is_never_cut_off() {
    let long = "x".repeat(MAX_VALUE);
    let rendered = parsed("{a} {b}").render(|name| match name {
        "a" => Some("one\ntwo\u{7}three"),
        _ => Some(long.as_str()),
    });
    let expected = format!("one two three {}", "x".repeat(MAX_VALUE));
    assert_eq!(rendered, Ok(expected));
}

#[test]
fn a_missing_value_without_a_fallback_is_an_error_and_not_a_hole() {
    let missing = |name: &str| Err(TemplateError::MissingValue { name: name.to_owned() });
    assert_eq!(parsed("Hi {nick}").render(contact), missing("nick"));
    assert_eq!(parsed("Hi {blank}").render(contact), missing("blank"));
}

#[test]
fn what_cannot_be_seen_in_a_value_costs_nothing_and_is_no_value() {
    let template = parsed("Hi {first_name|there}, see you at 5");
    let rendered = |name: &str| template.render(|_| Some(name)).expect("a text");

    assert_eq!(rendered("A\u{200b}n\u{feff}n\u{2060}"), "Hi Ann, see you at 5");
    assert_eq!(rendered("\u{202a}Ann\u{202c}"), "Hi Ann, see you at 5");
    for nothing in ["\u{200b}", " \u{feff}\u{a0}\u{200e} ", "\u{3164}\u{fe0f}"] {
        assert_eq!(rendered(nothing), "Hi there, see you at 5", "{nothing:?}");
    }
}

#[test]
fn unknown_variables_are_found_before_anything_is_sent() {
    let known = |name: &str| ["first_name", "county"].contains(&name);
    let template = parsed("{first_name} {count|x} {county}");
    let unknown = TemplateError::UnknownVariable { name: "count".to_owned() };
    assert_eq!(template.check(known), Err(unknown));
    assert_eq!(template.variables().collect::<Vec<_>>(), ["first_name", "count", "county"]);
    assert_eq!(parsed("{first_name}").check(known), Ok(()));
}

#[test]
fn a_broken_template_says_where() {
    for (text, expected) in [
        ("Hi {first_name", TemplateError::Unbalanced { at: 3 }),
        ("Hi first_name}", TemplateError::Unbalanced { at: 13 }),
        ("Hi {a {b}", TemplateError::Unbalanced { at: 3 }),
        ("{}", TemplateError::BadName { name: String::new() }),
        ("{First Name}", TemplateError::BadName { name: "First Name".to_owned() }),
        ("{|x}", TemplateError::BadName { name: String::new() }),
    ] {
        assert_eq!(Template::parse(text), Err(expected), "{text:?}");
    }

    assert_eq!(Template::parse(&"a".repeat(MAX_TEMPLATE + 1)), Err(TemplateError::TooLong));
}

/// Computed by another program from the documented rule. If this test fails, the rule has changed,
/// and contacts of running campaigns would get another text on a repeat.
#[test]
fn the_choice_of_a_variant_never_changes() {
    let zero = "00000000-0000-0000-0000-000000000000";
    let ones = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let campaign = "0198c0de-0000-7000-8000-000000000001";
    let contact = "0198c0de-0000-7000-8000-0000000000aa";
    let other = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let weights: [&[u32]; 4] = [&[1, 1, 1], &[50, 30, 20], &[0, 1, 9], &[u32::MAX, u32::MAX]];
    for (campaign, contact, expected) in [
        (zero, zero, [1, 0, 2, 0]),
        (zero, contact, [1, 1, 2, 1]),
        (zero, other, [2, 1, 2, 1]),
        (campaign, zero, [1, 1, 2, 1]),
        (campaign, contact, [0, 0, 2, 0]),
        (campaign, other, [0, 0, 1, 0]),
        (ones, zero, [1, 0, 2, 0]),
        (ones, contact, [0, 0, 1, 0]),
        (ones, other, [0, 0, 2, 0]),
    ] {
        let [campaign, contact] = [campaign, contact].map(|id| id.parse().expect("a uuid"));
        let found = weights.map(|weights| pick_variant(campaign, contact, weights));
        assert_eq!(found, expected.map(Some), "{campaign} {contact}");
    }
}

#[test]
fn variants_are_chosen_as_often_as_their_weights_say() {
    let campaign = Uuid::from_u128(7);
    let mut counts = [0u32; 4];
    for contact in 0..20_000 {
        let chosen = pick_variant(campaign, Uuid::from_u128(contact), &[50, 30, 0, 20]);
        counts[chosen.expect("a variant")] += 1;
    }

    for (count, expected) in counts.into_iter().zip([10_000u32, 6_000, 0, 4_000]) {
        assert!(count.abs_diff(expected) < 250, "{counts:?}");
    }
}

#[test]
fn another_campaign_mixes_the_contacts_anew() {
    let same = (0..10_000u128)
        .filter(|contact| {
            let [a, b] = [1, 2].map(|campaign| {
                pick_variant(Uuid::from_u128(campaign), Uuid::from_u128(*contact), &[1, 1])
            });
            a == b
        })
        .count();

    assert!((4_700..5_300).contains(&same), "{same}");
}

#[test]
fn nothing_is_chosen_where_nothing_has_weight() {
    assert_eq!(pick_variant(Uuid::nil(), Uuid::nil(), &[]), None);
    assert_eq!(pick_variant(Uuid::nil(), Uuid::nil(), &[0, 0]), None);
    assert_eq!(pick_variant(Uuid::nil(), Uuid::nil(), &[0, 3, 0]), Some(1));
}

#[test]
fn the_opt_out_line_is_added_once_and_only_where_none_is() {
    let text = "Acme: 20% off today";
    let with_line = with_opt_out_line(text, Language::En);
    assert_eq!(with_line, "Acme: 20% off today\nReply STOP to opt out");
    assert_eq!(with_opt_out_line(&with_line, Language::En), with_line);
    assert_eq!(with_opt_out_line(&with_line, Language::Es), with_line);
    assert_eq!(with_opt_out_line("Hola \n", Language::Es), "Hola\nResponde ALTO para salir");

    let own = "Sale! Txt STOP to end";
    assert_eq!(with_opt_out_line(own, Language::En), own);
    assert_eq!(with_opt_out_line("", Language::De), opt_out_line(Language::De));
}

#[test]
fn every_opt_out_line_is_gsm7_and_its_keyword_works() {
    for language in Language::ALL {
        let line = opt_out_line(language);
        assert_eq!(measure(line).encoding, Encoding::Gsm7, "{line}");
        assert!(measure(line).units <= 40, "{line}");
        assert!(tells_how_to_opt_out(line), "{line}");
        let keyword = line.split(' ').find(|word| word.len() > 1 && word.to_uppercase() == *word);
        assert!(classify(keyword.expect("a keyword")).is_opt_out(), "{line}");
    }
}

#[test]
fn languages_are_found_by_their_tags() {
    for (tag, expected) in [
        ("en", Some(Language::En)),
        ("es-MX", Some(Language::Es)),
        ("pt_BR", Some(Language::Pt)),
        ("DE", Some(Language::De)),
        ("ja", None),
        ("", None),
    ] {
        assert_eq!(Language::from_tag(tag), expected, "{tag}");
    }
}

proptest! {
    #[test]
    fn a_choice_is_repeated_and_within_the_variants(
        campaign in any::<u128>(), contact in any::<u128>(),
        weights in prop::collection::vec(0u32..100, 1..6),
    ) {
        let [campaign, contact] = [campaign, contact].map(Uuid::from_u128);
        let chosen = pick_variant(campaign, contact, &weights);
        prop_assert_eq!(chosen, pick_variant(campaign, contact, &weights));

        match chosen {
            Some(index) => prop_assert!(weights[index] > 0),
            None => prop_assert!(weights.iter().all(|weight| *weight == 0)),
        }
    }

    #[test]
    fn a_template_survives_its_text(text in "([a-z {}|]|\\{[a-z]{1,3}\\}|\\{[a-z]\\|[a-z ]*\\}){0,12}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
        }
    }

    #[test]
    fn a_text_without_braces_renders_as_itself(text in "[^{}]{0,200}") {
        prop_assert_eq!(parsed(&text).render(|_| None), Ok(text));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = Template::parse(&text);
    }
}
