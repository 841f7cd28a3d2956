//! Sealing: AES-256-GCM under the master key, for credentials and dead letters; and MACs under
//! keys that are made of it, for links. Keys come as a list, the newest first: it seals, all
//! of them open.

use std::sync::Arc;

use aes_gcm::{
    Aes256Gcm, Key, KeyInit, Nonce,
    aead::{Aead, Generate},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use secrecy::SecretString;
use sha2::Sha256;

/// Seals and opens small secrets.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<[Aes256Gcm]>,
    /// In the same order.
    macs: Arc<[Hmac<Sha256>]>,
}

/// The text was not sealed by any of our keys, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not sealed by any key of MILLRACE_MASTER_KEY")]
pub struct NotOurs;

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({} keys)", self.keys.len())
    }
}

const NONCE_BYTES: usize = 12;

/// The key of MACs that is made of a master key: what one shows says nothing about the other.
fn mac_key(master: &[u8; 32]) -> Hmac<Sha256> {
    let keyed = |key: &[u8]| {
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes any key")
    };
    let derived = keyed(master).chain_update(b"millrace links").finalize().into_bytes();
    keyed(&derived)
}

impl Sealer {
    /// A sealer with these keys, the newest first. At least one.
    pub fn new(keys: &[[u8; 32]]) -> Self {
        let macs = keys.iter().map(mac_key).collect();
        let keys = keys.iter().map(|key| Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))).collect();
        Self { keys, macs }
    }

    /// The MAC of a text, under the newest key.
    pub fn mac(&self, text: &[u8]) -> [u8; 32] {
        self.macs[0].clone().chain_update(text).finalize().into_bytes().into()
    }

    /// Whether a MAC is that of a text, under any of the keys. Takes the same
    /// time whatever differs.
    pub fn is_mac(&self, text: &[u8], mac: &[u8]) -> bool {
        let fits = |key: &Hmac<Sha256>| key.clone().chain_update(text).verify_slice(mac).is_ok();
        self.macs.iter().fold(false, |any, key| any | fits(key))
    }

    /// Seals with the newest key: base64 of nonce and ciphertext.
    pub fn seal(&self, plain: &[u8]) -> String {
        let nonce = Nonce::generate();
        let sealed = self.keys[0]
            .encrypt(&nonce, plain)
            .expect("a secret is far below the limit of AES-GCM");
        STANDARD.encode([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what was sealed as a secret text; none where it does not open, or is no text.
    pub fn open_secret(&self, sealed: &str) -> Option<SecretString> {
        let plain = self.open(sealed).ok()?;
        String::from_utf8(plain).ok().map(SecretString::from)
    }

    /// The same plain text sealed by the newest key; none where that has sealed it already.
    ///
    /// # Errors
    /// When no key fits, or the text was changed.
    pub fn renew(&self, sealed: &str) -> Result<Option<String>, NotOurs> {
        let (index, plain) = self.open_by_key(sealed)?;
        Ok((index > 0).then(|| self.seal(&plain)))
    }

    /// Opens what any of the keys sealed.
    ///
    /// # Errors
    /// When no key fits, or the text was changed.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, NotOurs> {
        Ok(self.open_by_key(sealed)?.1)
    }

    /// What was sealed, with the place of the key in the list that opens it.
    fn open_by_key(&self, sealed: &str) -> Result<(usize, Vec<u8>), NotOurs> {
        let bytes = STANDARD.decode(sealed).map_err(|_| NotOurs)?;
        if bytes.len() < NONCE_BYTES {
            return Err(NotOurs);
        }
        let (nonce, text) = bytes.split_at(NONCE_BYTES);
        let nonce = Nonce::try_from(nonce).map_err(|_| NotOurs)?;
        let mut opened = self.keys.iter().map(|key| key.decrypt(&nonce, text).ok()).enumerate();
        opened.find_map(|(index, plain)| Some((index, plain?))).ok_or(NotOurs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_key_still_opens_and_a_changed_text_does_not() {
        let old = Sealer::new(&[[1; 32]]);
        let both = Sealer::new(&[[2; 32], [1; 32]]);
        let sealed = old.seal(b"token");

        assert_eq!(both.open(&sealed).expect("opens"), b"token");
        assert_eq!(old.open(&both.seal(b"token")), Err(NotOurs));
        assert_eq!(
            old.open(&sealed.replacen('A', "B", 1).replacen('a', "b", 1)[1..]),
            Err(NotOurs)
        );
        assert_ne!(old.seal(b"token"), sealed, "a nonce is never used twice");
    }

    #[test]
    fn what_an_older_key_has_sealed_is_sealed_anew_once() {
        let both = Sealer::new(&[[2; 32], [1; 32]]);
        let anew = both.renew(&Sealer::new(&[[1; 32]]).seal(b"token")).expect("opens");
        let anew = anew.expect("an older key had sealed it");

        assert_eq!(Sealer::new(&[[2; 32]]).open(&anew).expect("opens"), b"token");
        assert_eq!(both.renew(&anew), Ok(None));
        assert_eq!(both.renew(&Sealer::new(&[[3; 32]]).seal(b"token")), Err(NotOurs));
    }
}
