//! Proof that a callback comes from Meta, and the answer to its verification of an address.
//!
//! `X-Hub-Signature-256` is `sha256=` and the HMAC-SHA256 of the raw body under the app secret, in
//! lower-case hexadecimal. Meta signs an escaped form of what it says, and those are the bytes that
//! arrive: they are hashed as they came.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::credentials::Credentials;
use crate::webhook::{Incoming, text};

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";

/// The longest challenge that is answered, in bytes; Meta's have about ten digits.
const MAX_CHALLENGE: usize = 256;

/// Whether a callback was signed with the app secret of one of these accounts' secrets.
pub(crate) fn is_genuine(secrets: &[SecretString], request: &Incoming<'_>) -> bool {
    let Some(given) = text(request.headers, SIGNATURE_HEADER) else { return false };

    let mut any = Choice::from(0);
    for secret in secrets {
        let Some(of) = Credentials::read(secret.expose_secret()) else { continue };
        any |= sign(of.app_secret, request.body).as_bytes().ct_eq(given.as_bytes());
    }
    any.into()
}

/// The header's value for a body.
fn sign(app_secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", wire::hex(&mac.finalize().into_bytes()))
}

/// The challenge of a verification (`hub.mode`, `hub.verify_token`, `hub.challenge`), which is what
/// is answered to it; none where it does not name the verify token of one of the secrets.
pub(crate) fn handshake(secrets: &[SecretString], query: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let value = |name: &str| {
        let mut of_name = pairs.iter().filter(|(given, _)| given == name);
        of_name.next().map(|(_, value)| value.as_str()).filter(|_| of_name.next().is_none())
    };

    let (mode, token) = (value("hub.mode")?, value("hub.verify_token")?);
    let challenge = value("hub.challenge")?;
    let mut any = Choice::from(0);
    for secret in secrets {
        let Some(of) = Credentials::read(secret.expose_secret()) else { continue };
        any |= of.verify_token.as_bytes().ct_eq(token.as_bytes());
    }

    // What is answered is shown to nobody, and still must not be a page.
    let is_plain = (1..=MAX_CHALLENGE).contains(&challenge.len())
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (mode == "subscribe" && is_plain && bool::from(any)).then(|| challenge.to_owned())
}
