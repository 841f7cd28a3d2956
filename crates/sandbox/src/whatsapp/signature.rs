//! `X-Hub-Signature-256`, and the escaped form that Meta signs and sends.

use std::fmt::Write;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header's value for a body.
pub(super) fn sign(app_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);

    let mut signature = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// JSON as Meta writes it: slashes and everything that is not ASCII escaped, in small letters. Both
/// stand in texts alone.
pub(super) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_escaped_form() {
        let json = r#"{"text":"Señor 😀 https://x.test"}"#;
        let want = r#"{"text":"Se\u00f1or \ud83d\ude00 https:\/\/x.test"}"#;
        assert_eq!(escaped(json), want);
    }

    #[test]
    fn a_signature_is_that_of_another_implementation() {
        let body = concat!(
            r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":"#,
            r#"{"text":"Se\u00f1or \ud83d\ude00 https:\/\/x.test"},"field":"messages"}]}]}"#,
        );
        let signature = sign("0123456789abcdef0123456789abcdef", body.as_bytes());
        let want = "sha256=175e7ff45f5cc9b5162d411fa35eaaae95025ac826b3b5725e7aa0ed13b038ae";
        assert_eq!(signature, want);
    }
}
