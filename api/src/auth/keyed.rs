//! Hashes under keys that are made from those of access tokens: of codes, which are so few that
//! their plain hashes could be tried, and of sessions, for pages that call with cookies. The newest
//! key makes them, each of them is believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use store::people::codes::Purpose;
use uuid::Uuid;

/// What a key of its own is made for, so that no token can pass for a hash of these.
const LABEL: &[u8] = b"millrace: codes and pages";

/// Makes and compares hashes.
pub(crate) struct KeyedHashes {
    /// The newest first.
    keys: Vec<Hmac<Sha256>>,
}

impl KeyedHashes {
    pub(super) fn new(keys: &[SecretBox<[u8; 32]>]) -> Self {
        let keys = keys.iter().filter_map(|key| {
            let mut made = mac(key.expose_secret())?;
            made.update(LABEL);
            mac(&made.finalize().into_bytes())
        });
        Self { keys: keys.collect() }
    }

    /// What is kept of a code of an address. None where the platform has no key.
    pub(crate) fn of_code(
        &self,
        purpose: Purpose,
        address: &str,
        code: &SecretString,
    ) -> Option<[u8; 32]> {
        let key = self.keys.first()?.clone();
        Some(said(key, &["code", purpose.as_str(), address, code.expose_secret()]).finalize())
            .map(|hash| hash.into_bytes().into())
    }

    /// Whether it is the code of which this is kept. It takes as long wherever they differ.
    pub(crate) fn is_code(
        &self,
        kept: &[u8],
        (purpose, address): (Purpose, &str),
        given: &SecretString,
    ) -> bool {
        let parts = ["code", purpose.as_str(), address, given.expose_secret()];
        self.any(&parts, kept)
    }

    /// What a page says that calls with the cookies of a session.
    pub(crate) fn of_session(&self, session: Uuid) -> Option<String> {
        let key = self.keys.first()?.clone();
        let hash = said(key, &["session", &session.to_string()]).finalize().into_bytes();
        Some(URL_SAFE_NO_PAD.encode(hash))
    }

    /// Whether a page says what belongs to the session.
    pub(crate) fn is_session(&self, session: Uuid, given: &str) -> bool {
        let given = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
        self.any(&["session", &session.to_string()], &given)
    }

    fn any(&self, parts: &[&str], kept: &[u8]) -> bool {
        let is_of = |key: &Hmac<Sha256>| said(key.clone(), parts).verify_slice(kept).is_ok();
        self.keys.iter().any(is_of)
    }
}

fn mac(key: &[u8]) -> Option<Hmac<Sha256>> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()
}

/// A hash of these parts; none of them holds the byte between them.
fn said(mut key: Hmac<Sha256>, parts: &[&str]) -> Hmac<Sha256> {
    for part in parts {
        key.update(part.as_bytes());
        key.update(&[0]);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(bytes: &[u8]) -> KeyedHashes {
        let keys: Vec<_> = bytes.iter().map(|byte| SecretBox::new(Box::new([*byte; 32]))).collect();
        KeyedHashes::new(&keys)
    }

    #[test]
    fn a_code_is_its_address_s_and_its_purpose_s_alone() {
        let keyed = keyed(&[1]);
        let (code, other): (SecretString, SecretString) = ("417305".into(), "417306".into());
        let kept = keyed.of_code(Purpose::SignIn, "ana@example.com", &code).expect("a hash");
        let is = |purpose, address, code| keyed.is_code(&kept, (purpose, address), code);

        assert!(is(Purpose::SignIn, "ana@example.com", &code));
        assert!(!is(Purpose::SignIn, "ana@example.com", &other));
        assert!(!is(Purpose::Reset, "ana@example.com", &code));
        assert!(!is(Purpose::SignIn, "ben@example.com", &code));
        assert!(!keyed.is_code(&[], (Purpose::SignIn, "ana@example.com"), &code));
    }

    #[test]
    fn an_older_key_is_believed_and_a_removed_one_not() {
        let (before, both, after) = (keyed(&[1]), keyed(&[2, 1]), keyed(&[2]));
        let session = Uuid::from_u128(7);
        let said = before.of_session(session).expect("a key");

        assert!(both.is_session(session, &said) && !after.is_session(session, &said));
        assert!(!both.is_session(Uuid::from_u128(8), &said));
        assert!(!both.is_session(session, "") && !keyed(&[]).is_session(session, ""));
    }
}
