//! Phone numbers: forgiving input, canonical output, and no number in a log.

use domain::{
    country::Country,
    phone::{LineType, PhoneError, PhoneNumber},
};
use proptest::prelude::*;

fn country(code: &str) -> Option<Country> {
    Some(code.parse().expect("a country"))
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text, None).expect("a number")
}

#[test]
fn input_as_people_write_it_becomes_e164() {
    for (input, region, expected) in [
        ("+12025550173", None, "+12025550173"),
        (" (202) 555-0173 ", country("US"), "+12025550173"),
        ("202.555.0173", country("US"), "+12025550173"),
        ("1 202 555 0173", country("US"), "+12025550173"),
        ("２０２５５５０１７３", country("US"), "+12025550173"),
        ("tel:+1-202-555-0173", None, "+12025550173"),
        ("0412 345 678", country("AU"), "+61412345678"),
        ("(02) 9123 4567", country("AU"), "+61291234567"),
        ("+61 412 345 678", country("US"), "+61412345678"),
        ("011 61 412 345 678", country("US"), "+61412345678"),
        ("0061412345678", country("US"), "+61412345678"),
        ("0012025550173", country("AU"), "+12025550173"),
        ("07400 123456", country("GB"), "+447400123456"),
        ("+44 (0)7400 123456", None, "+447400123456"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("+55 11 98765-4321", None, "+5511987654321"),
        ("+6421123456.0", None, "+6421123456"),
        ("12125550147.0", country("US"), "+12125550147"),
        ("1.2125550147E10", country("US"), "+12125550147"),
        ("+1212\u{fe0d}5550147", None, "+12125550147"),
        ("\u{202a}+1\u{2009}212\u{202f}555\u{2007}0147\u{202c}", None, "+12125550147"),
        ("+1\t212\t555\t0147", None, "+12125550147"),
        ("\u{2066}(212)\u{a0}555\u{200b}-0147\u{2069}", country("US"), "+12125550147"),
        ("447400123456", country("GB"), "+447400123456"),
    ] {
        let found = PhoneNumber::parse(input, region);

        assert_eq!(found.map(|n| n.to_string()).as_deref(), Ok(expected), "{input:?}");
    }
}

#[test]
fn all_forms_of_a_mobile_are_one_number() {
    for (canonical, forms) in [
        ("+5511987654321", ["+55 11 98765-4321", "+55 11 8765-4321", "5511 8765 4321"]),
        ("+5531971234567", ["+55 31 97123-4567", "+55 (31) 7123-4567", "(31) 7123 4567"]),
        ("+525512345678", ["+52 55 1234 5678", "+52 1 55 1234 5678", "+5215512345678"]),
        ("+5491123456789", ["+54 9 11 2345-6789", "+54 11 2345-6789", "011 15 2345-6789"]),
        ("+5492215551234", ["+54 9 221 555-1234", "+54 221 555-1234", "+542215551234"]),
    ] {
        let home = country(if canonical.starts_with("+55") { "BR" } else { "AR" });
        for form in forms {
            let read = PhoneNumber::parse(form, home).map(|number| number.to_string());
            assert_eq!(read.as_deref(), Ok(canonical), "{form}");
        }
    }

    for (told, canonical) in [
        ("+551187654321", "+5511987654321"),
        ("+5215512345678", "+525512345678"),
        ("+541123456789", "+5491123456789"),
        ("+12025550173", "+12025550173"),
    ] {
        let read = PhoneNumber::from_carrier(told).expect("E.164");
        assert_eq!(read.as_str(), canonical, "{told}");
        assert_eq!(read.canonical(), read, "{told}");
        assert_eq!(PhoneNumber::from_e164(told).expect("E.164").as_str(), told, "as it is stored");
    }
}

#[test]
fn a_number_that_texts_leave_from_stays_as_it_is_assigned() {
    for (written, own) in [
        ("+54 11 2345-6789", "+541123456789"),
        ("+54 9 11 2345-6789", "+5491123456789"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+1 202 555 0173", "+12025550173"),
    ] {
        let read = PhoneNumber::parse_own(written, None).map(|number| number.to_string());
        assert_eq!(read.as_deref(), Ok(own), "{written}");
    }
}

#[test]
fn a_landline_has_one_form() {
    for landline in ["+551133334444", "+555122223333", "+12025550173", "+61291234567"] {
        assert_eq!(number(landline).as_str(), landline);
        assert_eq!(PhoneNumber::from_carrier(landline).expect("E.164").as_str(), landline);
    }
}

#[test]
fn a_bad_number_says_what_is_wrong_with_it() {
    let us = country("US");
    for (input, region, expected) in [
        ("", us, PhoneError::Empty),
        ("   ", us, PhoneError::Empty),
        ("call me", us, PhoneError::NotANumber),
        ("1-800-FLOWERS", us, PhoneError::NotANumber),
        ("2O2-555-O173", us, PhoneError::NotANumber),
        ("---", us, PhoneError::NotANumber),
        ("2025550173", None, PhoneError::UnknownCountry),
        ("+999 1234567", None, PhoneError::UnknownCountry),
        ("555-0173", us, PhoneError::TooShort),
        ("+1 202 555 017", None, PhoneError::TooShort),
        ("+1 202 555 01733", None, PhoneError::TooLong),
        ("+1 911 555 0123", None, PhoneError::Unassigned),
        ("+1 555 555 0123", None, PhoneError::Unassigned),
        ("(202) 555-0173 ext. 5", us, PhoneError::Extension),
        ("+1 202 555 0173 x12", None, PhoneError::Extension),
        ("1.21256E+10", us, PhoneError::Rounded),
        ("+6421123456.5", None, PhoneError::NotANumber),
        ("\u{200b}\u{202c}", us, PhoneError::Empty),
    ] {
        assert_eq!(PhoneNumber::parse(input, region), Err(expected), "{input:?}");
    }

    let in_singapore = PhoneNumber::parse("65 0555 0147", country("SG"));
    assert!(in_singapore.is_err(), "no number of California: {in_singapore:?}");

    let endless = "1".repeat(10_000);
    assert_eq!(PhoneNumber::parse(&endless, us), Err(PhoneError::NotANumber));
}

#[test]
fn a_number_knows_its_country() {
    for (text, expected) in [
        ("+12025550173", "US"),
        ("+14165550123", "CA"),
        ("+17875550123", "PR"),
        ("+18765550123", "JM"),
        ("+18002123456", "US"),
        ("+61412345678", "AU"),
        ("+447400123456", "GB"),
        ("+447781123456", "GG"),
        ("+77710009998", "KZ"),
        ("+79123456789", "RU"),
        ("+4915123456789", "DE"),
    ] {
        let number = PhoneNumber::from_e164(text).expect("E.164");
        assert_eq!(number.country(), country(expected), "{text}");
    }

    assert_eq!(PhoneNumber::from_e164("+870773111632").expect("E.164").country(), None);
    assert_eq!(PhoneNumber::from_e164("+9991234567").expect("E.164").country(), None);
}

#[test]
fn an_area_code_is_of_north_american_numbers_only() {
    assert_eq!(number("+18505550111").area_code(), Some(850));
    assert_eq!(number("+61412345678").area_code(), None);
    assert_eq!(PhoneNumber::from_e164("+1850555").expect("E.164").area_code(), None);
}

#[test]
fn landlines_that_the_plan_tells_apart_cannot_be_mobiles() {
    for (text, line, mobile) in [
        ("+12025550173", LineType::MobileOrFixed, true),
        ("+61412345678", LineType::Mobile, true),
        ("+61291234567", LineType::Fixed, false),
        ("+18002123456", LineType::TollFree, false),
        ("+447400123456", LineType::Mobile, true),
        ("+442071838750", LineType::Fixed, false),
    ] {
        assert_eq!(number(text).line(), line, "{text}");
        assert_eq!(number(text).is_mobile_possible(), mobile, "{text}");
    }
}

#[test]
fn debug_shows_the_last_two_digits_alone() {
    let shown = format!("{:?}", number("+12025550173"));
    assert_eq!(shown, "PhoneNumber(..73)");
}

#[test]
fn json_holds_the_plain_number_and_its_errors_do_not_repeat_it() {
    let json = "\"+12025550173\"";
    assert_eq!(serde_json::to_string(&number("+12025550173")).expect("json"), json);
    assert_eq!(serde_json::from_str::<PhoneNumber>(json).expect("a number").as_str(), &json[1..13]);

    for bad in ["\"2025550173\"", "\"+0123456789\"", "\"+1202555017x\"", "\"+1234567890123456\""] {
        let error = serde_json::from_str::<PhoneNumber>(bad).expect_err(bad).to_string();
        assert!(!error.contains("555") && !error.contains("123"), "{error}");
    }
}

proptest! {
    #[test]
    fn a_parsed_number_reads_back_as_itself(area in 201u16..990, line in 2_000_000u32..9_999_999) {
        if let Ok(number) = PhoneNumber::parse(&format!("{area}{line}"), Some(Country::US)) {
            prop_assert_eq!(PhoneNumber::parse(number.as_str(), None), Ok(number));
            prop_assert_eq!(PhoneNumber::from_e164(number.as_str()), Ok(number));
        }
    }

    #[test]
    fn the_short_way_for_canonical_numbers_decides_as_the_long_way(
        digits in prop_oneof!["1[0-9]{10}", "1[2-9][0-9]{2}[2-9][0-9]{6}", "614[0-9]{8}"],
    ) {
        let canonical = format!("+{digits}");
        // A blank keeps an input off the short way.
        let written = format!("+{} {}", &digits[..2], &digits[2..]);
        let found = PhoneNumber::parse(&canonical, None);
        prop_assert_eq!(found, PhoneNumber::parse(&written, None));

        if let Ok(number) = found {
            prop_assert!(number.country().is_some());
        }
    }

    #[test]
    fn a_canonical_number_is_its_own_canonical_form(digits in "(52|54|55)[0-9]{8,12}") {
        let number = PhoneNumber::from_carrier(&format!("+{digits}")).expect("well formed");
        prop_assert_eq!(number.canonical(), number);
    }

    #[test]
    fn no_input_makes_the_parser_panic(input in any::<String>(), region in "[A-Z]{2}") {
        let _ = PhoneNumber::parse(&input, region.parse().ok());
    }

    #[test]
    fn any_well_formed_number_can_be_asked_anything(digits in "[1-9][0-9]{6,14}") {
        let number = PhoneNumber::from_e164(&format!("+{digits}")).expect("well formed");
        let _ = (number.country(), number.area_code(), number.line());
        prop_assert_eq!(number.digits(), digits);
    }

    #[test]
    fn numbers_order_as_their_texts_do(a in "[1-9][0-9]{6,14}", b in "[1-9][0-9]{6,14}") {
        let [x, y] = [&a, &b].map(|d| PhoneNumber::from_e164(&format!("+{d}")).expect("formed"));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
    }
}
