//! `X-Twilio-Signature` against the cases of Twilio's own validators, and what must not pass.

use carriers::twilio::signature::{SignedBody, SignedRequest, verify};
use secrecy::SecretString;
use serde_json::Value;

use crate::play::secret;

const VECTORS: &str = include_str!("../data/twilio_signature.json");

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} is a text"))
}

/// The body as Twilio would have posted it, with its content type.
fn body_of(case: &Value) -> (&'static str, Vec<u8>) {
    if let Some(raw) = case["raw_body"].as_str() {
        return ("application/json; charset=utf-8", raw.as_bytes().to_vec());
    }
    let presented = case.get("params_presented").unwrap_or(&case["params"]);
    let mut pairs = Vec::new();
    for (name, value) in presented.as_object().expect("parameters") {
        match value {
            Value::Array(values) => pairs.extend(values.iter().map(|value| (name, value))),
            one => pairs.push((name, one)),
        }
    }
    let pairs: Vec<_> =
        pairs.into_iter().map(|(name, value)| (name, value.as_str().expect("a text"))).collect();
    let form = serde_urlencoded::to_string(pairs).expect("pairs encode");
    ("application/x-www-form-urlencoded; charset=UTF-8", form.into_bytes())
}

#[test]
fn every_case_of_twilios_validators_gets_their_verdict() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 17);
    for case in cases {
        let (content_type, body) = body_of(case);
        let request = SignedRequest {
            url: text(case, "url_presented"),
            body: SignedBody::of(Some(content_type), &body),
            signature: text(case, "signature"),
            settings: case["headers"]["X-Twilio-Webhooks-Signature-Settings"].as_str(),
        };
        let valid = case["valid"].as_bool().expect("a verdict");
        let secrets = [secret(text(case, "auth_token"))];
        assert_eq!(verify(&secrets, &request), valid, "{}", case["id"]);
    }
}

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FORM: &[u8] = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234\
    &From=%2B14158675309&To=%2B18005551212";

/// The first published case: token `12345`.
fn published() -> SignedRequest<'static> {
    SignedRequest {
        url: URL,
        body: SignedBody::Form(FORM),
        signature: "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        settings: None,
    }
}

fn token() -> [SecretString; 1] {
    [secret("12345")]
}

#[test]
fn any_of_several_tokens_is_enough_during_a_rotation() {
    assert!(verify(&token(), &published()));
    assert!(verify(&[secret("new"), secret("12345")], &published()));
    assert!(verify(&[secret("12345"), secret("old")], &published()));
}

#[test]
fn without_a_token_nothing_is_valid() {
    assert!(!verify(&[], &published()));
    assert!(!verify(&[secret("other")], &published()));
    // An empty secret would make every signature forgeable: HMAC-SHA1 of the same string with "".
    let forged = SignedRequest { signature: "aXngMTP07D4c4hkO+r0Kb5Oe528=", ..published() };
    assert!(!verify(&[secret("")], &forged));
}

#[test]
fn whatever_is_changed_makes_the_signature_invalid() {
    let base = published;
    for (label, request) in [
        ("another path", SignedRequest { url: "https://mycompany.com/x?foo=1&bar=2", ..base() }),
        ("another query", SignedRequest { url: "https://mycompany.com/myapp.php", ..base() }),
        ("no URL", SignedRequest { url: "mycompany.com/myapp.php?foo=1&bar=2", ..base() }),
        ("no body", SignedRequest { body: SignedBody::None, ..base() }),
        ("a parameter more", SignedRequest { body: SignedBody::Form(b"A=1"), ..base() }),
        ("the form as raw bytes", SignedRequest { body: SignedBody::Raw(FORM), ..base() }),
        ("no signature", SignedRequest { signature: "", ..base() }),
        ("a part of it", SignedRequest { signature: "RSOYDt4T1cUTdK1PDd93", ..base() }),
        ("in blanks", SignedRequest { signature: " RSOYDt4T1cUTdK1PDd93/VVr8B8= ", ..base() }),
    ] {
        assert!(!verify(&token(), &request), "{label}");
    }
}

#[test]
fn the_order_of_parameters_and_a_fragment_do_not_matter() {
    let shuffled = b"To=%2B18005551212&Digits=1234&CallSid=CA1234567890ABCDE\
        &From=%2B14158675309&Caller=%2B14158675309&Digits=1234";
    let url = format!("{URL}#rc=3&rp=all");
    let request = SignedRequest { body: SignedBody::Form(shuffled), url: &url, ..published() };
    assert!(verify(&token(), &request));
}

#[test]
fn an_announced_algorithm_that_is_not_known_is_rejected() {
    for settings in ["", "key=k", "algorithm=HMAC_SHA1", "key=k,algorithm=none", "HMAC_SHA256"] {
        let request = SignedRequest { settings: Some(settings), ..published() };
        assert!(!verify(&token(), &request), "{settings}");
    }
    // SHA-256 announced, SHA-1 given.
    let settings = Some("key=k,algorithm=HMAC_SHA256");
    assert!(!verify(&token(), &SignedRequest { settings, ..published() }));
}

#[test]
fn a_body_that_is_no_form_counts_only_with_its_hash_in_the_url() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let cases = vectors["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["raw_body"].is_string()).expect("a JSON case");
    let request = |body| SignedRequest {
        url: text(case, "url_presented"),
        body,
        signature: text(case, "signature"),
        settings: None,
    };
    let body = text(case, "raw_body").as_bytes();
    assert!(verify(&token(), &request(SignedBody::Raw(body))));
    assert!(!verify(&token(), &request(SignedBody::Raw(b"{}"))));
    assert!(!verify(&token(), &request(SignedBody::Raw(b""))));
    // The URL alone is signed, so these would pass if the hash were not looked at.
    assert!(!verify(&token(), &request(SignedBody::None)));
    assert!(!verify(&token(), &request(SignedBody::Form(b"&"))));
}

#[test]
fn a_signed_url_alone_does_not_vouch_for_a_body() {
    let request = |body| SignedRequest {
        url: "https://example.com/json",
        body,
        signature: "iXs/Zyd1bXnD7rNsaAKT8LMB+l8=",
        settings: None,
    };
    assert!(verify(&token(), &request(SignedBody::None)), "a GET");
    assert!(!verify(&token(), &request(SignedBody::Raw(b"{}"))));
}

#[test]
fn the_kind_of_a_body_is_told_by_its_content_type() {
    let kind = |content_type, body: &'static [u8]| match SignedBody::of(content_type, body) {
        SignedBody::None => "none",
        SignedBody::Form(_) => "form",
        SignedBody::Raw(_) => "raw",
    };
    assert_eq!(kind(Some("application/x-www-form-urlencoded"), b"a=1"), "form");
    assert_eq!(kind(Some("Application/X-WWW-Form-Urlencoded; charset=utf-8"), b"a=1"), "form");
    assert_eq!(kind(Some("application/json"), b"{}"), "raw");
    assert_eq!(kind(None, b"a=1"), "raw");
    assert_eq!(kind(None, b""), "none");
}
