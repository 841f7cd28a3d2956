//! Whatever somebody sends to an address of a carrier is read or refused: nothing ends a process,
//! and nothing that is not signed is genuine.

use carriers::twilio::{
    parse_callback_query,
    signature::{SignedBody, SignedRequest, verify},
    webhook::{parse_inbound, parse_status},
};
use proptest::{collection::vec, prelude::*};
use secrecy::SecretString;

/// Forms as carriers write them, and what is nearly one.
fn form() -> impl Strategy<Value = Vec<u8>> {
    let names = prop_oneof![
        Just("MessageSid"),
        Just("MessageStatus"),
        Just("ErrorCode"),
        Just("From"),
        Just("To"),
        Just("Body"),
        Just("NumMedia"),
        Just("MediaUrl0"),
        Just("OptOutType"),
        Just("AccountSid"),
    ];
    let value = prop_oneof![
        "[A-Za-z0-9%+_.-]{0,40}",
        Just("%2B12125550123".to_owned()),
        Just("delivered".to_owned()),
        Just("%00%FF%".to_owned()),
        ".{0,20}",
    ];

    let pairs = vec((names, value), 0..12).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&").into_bytes()
    });
    prop_oneof![pairs, vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_as_a_form_is_read_or_refused(form in form()) {
        // What is read names its text; what is not says why without its words.
        if let Ok(status) = parse_status(&form) {
            prop_assert!(!status.sid.is_empty());
        }
        if let Ok(text) = parse_inbound(&form) {
            prop_assert!(!text.sid.is_empty());
        }
    }

    #[test]
    fn whatever_comes_as_a_query_names_a_message_or_none(query in ".{0,120}") {
        if let Some(reference) = parse_callback_query(&query) {
            prop_assert!(!reference.tenant.is_empty());
        }
    }

    #[test]
    fn whatever_comes_unsigned_is_not_genuine(
        url in ".{0,80}", form in form(), signature in ".{0,60}",
        settings in proptest::option::of(".{0,40}"),
    ) {
        let secrets = [SecretString::from("a secret that nobody knows")];
        for body in [SignedBody::None, SignedBody::Form(&form), SignedBody::Raw(&form)] {
            let request = SignedRequest {
                url: &url, body, signature: &signature, settings: settings.as_deref(),
            };
            prop_assert!(!verify(&secrets, &request));
        }
    }
}
