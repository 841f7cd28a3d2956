//! Addresses: which texts are one, and what they keep to themselves.

use domain::{
    address::{
        Address, AddressKind, BadAddress, CarrierId, MAX_CARRIER_ID, is_username, is_whatsapp_id,
    },
    phone::PhoneNumber,
};
use proptest::prelude::*;

const NUMBER: &str = "+12025550173";
const ID: &str = "US.13491208655302741918";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

#[test]
fn a_number_and_a_carriers_id_are_told_apart_by_their_text() {
    let number = PhoneNumber::from_e164(NUMBER).expect("a number");
    assert_eq!(address(NUMBER), Address::from(number));
    let read = address(NUMBER);
    assert_eq!((read.phone(), read.kind()), (Some(number), AddressKind::Phone));

    let id: CarrierId = ID.parse().expect("an id");
    assert_eq!(address(ID), Address::Carrier(id));
    assert_eq!((address(ID).phone(), address(ID).kind()), (None, AddressKind::CarrierId));
}

#[test]
fn only_the_form_of_a_carriers_id_is_one() {
    for id in [ID, "US.ENT.11815799212886844830", "DE.aB0", "GB.1"] {
        assert_eq!(id.parse::<Address>().map(|read| read.to_string()), Ok(id.to_owned()));
    }

    let words = ["", "anonymous", "Restricted", "12345", "2025550173", "ACME", "whatsapp:+1202"];
    let near =
        ["us.134", "USA.134", "U.134", "US", "US.", "US..1", ".134", "US.1.", "US.1 ", "US.ü"];
    let numbers =
        ["+", "+0123456789", "+1202555017x", "+US.134", "+1234567890123456", " +12025550173"];
    for bad in words.iter().chain(&near).chain(&numbers) {
        assert_eq!(bad.parse::<Address>(), Err(BadAddress), "{bad:?}");
    }
}

#[test]
fn kinds_read_back_by_their_names() {
    for kind in AddressKind::ALL {
        assert_eq!(AddressKind::from_name(kind.as_str()), Some(kind));
        assert_eq!(serde_json::json!(kind), kind.as_str());
    }
    assert_eq!(AddressKind::from_name("bsuid"), None);
}

#[test]
fn names_beside_an_address_have_a_form() {
    for name in ["ana", "ana.ruiz_7", "a23", &"a".repeat(35)] {
        assert!(is_username(name), "{name}");
    }
    for name in ["", "an", "123", "Ana", "ana ruiz", "@ana", "añil", &"a".repeat(36)] {
        assert!(!is_username(name), "{name}");
    }
    assert!(is_whatsapp_id("551187654321"));
    for digits in ["", "+551187654321", "0551187654321", "55118765432a", "1234567890123456"] {
        assert!(!is_whatsapp_id(digits), "{digits}");
    }
}

#[test]
fn a_carriers_id_has_a_longest_length() {
    let longest = format!("US.ENT.{}", "9".repeat(128));
    assert_eq!(longest.len(), MAX_CARRIER_ID);
    assert_eq!(address(&longest).as_str(), longest);
    assert_eq!(format!("{longest}9").parse::<Address>(), Err(BadAddress));
}

#[test]
fn debug_shows_the_last_two_characters_alone() {
    assert_eq!(format!("{:?}", address(NUMBER)), "PhoneNumber(..73)");
    assert_eq!(format!("{:?}", address(ID)), "CarrierId(..18)");
}

#[test]
fn json_holds_the_plain_text_and_its_errors_do_not_repeat_it() {
    for text in [NUMBER, ID] {
        let json = format!("{text:?}");
        assert_eq!(serde_json::to_string(&address(text)).expect("json"), json);
        assert_eq!(serde_json::from_str::<Address>(&json).expect("an address"), address(text));
    }

    for bad in ["\"2025550173\"", "\"US.1349 1208\"", "\"+1202555017x\""] {
        let error = serde_json::from_str::<Address>(bad).expect_err(bad).to_string();
        assert!(!error.contains("555") && !error.contains("1349"), "{error}");
    }
}

/// The texts of addresses of both kinds.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["\\+[1-9][0-9]{6,14}", "[A-Z]{2}(\\.ENT)?\\.[A-Za-z0-9]{1,128}"]
}

proptest! {
    #[test]
    fn an_address_reads_back_as_itself(text in texts()) {
        let read = address(&text);
        prop_assert_eq!(read.as_str(), &text);
        prop_assert_eq!(read.to_string().parse(), Ok(read.clone()));

        let json = serde_json::to_string(&read).expect("json");
        prop_assert_eq!(serde_json::from_str::<Address>(&json).expect("an address"), read);
    }

    #[test]
    fn addresses_order_as_their_texts_do(a in texts(), b in texts()) {
        prop_assert_eq!(address(&a).cmp(&address(&b)), a.cmp(&b));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Ok(read) = text.parse::<Address>() {
            let _ = format!("{read:?}");
            prop_assert_eq!(read.as_str(), text);
        }
    }
}
