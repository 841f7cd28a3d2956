//! Keys and passwords: parsed from settings, or made at random and kept in a file for the embedded
//! servers. Values are wiped from memory when dropped and never printed.

use std::path::Path;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::files::write_durably;

/// A secret key of 256 bits.
pub type Key = SecretBox<[u8; 32]>;

/// Keys, newest first: the first one signs or encrypts, each of them verifies or decrypts, so that
/// a key can be replaced without a moment at which something cannot be read.
#[derive(Debug)]
pub struct Keys(Vec<Key>);

/// At most this many keys: each one more is one more that opens everything.
pub const MOST_KEYS: usize = 8;

/// Why a list of keys is refused. Never shows any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An entry that is not base64, or not 32 bytes long.
    #[error(
        "entry {0} is not 32 bytes of base64: make one with `head -c 32 /dev/urandom | base64`"
    )]
    Malformed(usize),
    /// The same key twice.
    #[error("entry {0} repeats an earlier one")]
    Repeated(usize),
    /// There are more than [`MOST_KEYS`].
    #[error("more than {MOST_KEYS} keys: remove the oldest")]
    TooMany,
}

impl Keys {
    /// Reads keys separated by commas or blanks, each 32 bytes in base64.
    ///
    /// # Errors
    /// Which entry is wrong, counted from 1, and how.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        let text = text.expose_secret();
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|e| !e.is_empty());

        let mut keys: Vec<Key> = Vec::new();
        for (index, entry) in entries.enumerate() {
            let key = decode(entry).ok_or(KeyError::Malformed(index + 1))?;
            if keys.iter().any(|known| known.expose_secret() == key.expose_secret()) {
                return Err(KeyError::Repeated(index + 1));
            }
            if keys.len() == MOST_KEYS {
                return Err(KeyError::TooMany);
            }
            keys.push(key);
        }

        if keys.is_empty() { Err(KeyError::Malformed(1)) } else { Ok(Self(keys)) }
    }

    /// Reads the keys in a file; makes the file with a random key if it is not there. For embedded
    /// use: the key lies beside the data that it protects.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub fn load_or_create(path: &Path) -> std::io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = SecretString::from(STANDARD.encode(random_key().expose_secret()));
                write_durably(path, text.expose_secret().as_bytes())?;
                text
            }
            Err(error) => return Err(error),
        };

        Self::parse(&text)
            .map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))
    }

    /// The key that signs and encrypts.
    pub fn newest(&self) -> &Key {
        &self.0[0]
    }

    /// All keys, newest first. Never empty.
    pub fn all(&self) -> &[Key] {
        &self.0
    }

    /// Whether the two lists have a key in common.
    pub fn shares_a_key_with(&self, other: &Self) -> bool {
        let known = |key: &Key| other.0.iter().any(|it| it.expose_secret() == key.expose_secret());
        self.0.iter().any(known)
    }
}

/// Reads base64 with or without padding, straight into the box: no copy of the key is left behind.
fn decode(entry: &str) -> Option<Key> {
    let engine = if entry.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
    let mut whole = true;
    let key = Key::init_with_mut(|bytes: &mut [u8; 32]| {
        whole = engine.decode_slice(entry, bytes).is_ok_and(|length| length == bytes.len());
    });

    whole.then_some(key)
}

#[expect(clippy::disallowed_methods, reason = "the home of new keys and passwords")]
fn random_key() -> Key {
    Key::init_with_mut(|bytes: &mut [u8; 32]| *bytes = rand::random())
}

/// A password that nobody can guess, for somebody who changes it at once: 24 hexadecimal digits.
pub fn random_password() -> SecretString {
    random_hex(12).into()
}

/// Random bytes as lowercase hexadecimal text, at most 32 bytes: for names and passwords.
pub(crate) fn random_hex(bytes: usize) -> String {
    let key = random_key();
    wire::hex(&key.expose_secret()[..bytes.min(32)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Keys, KeyError> {
        Keys::parse(&SecretString::from(text))
    }

    #[test]
    fn keys_are_read_newest_first() {
        let (a, b) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        let keys = keys(&format!("{a}, {b}\n")).expect("two keys");
        assert_eq!(keys.newest().expose_secret(), &[1; 32]);
        assert_eq!(keys.all().len(), 2);
    }

    #[test]
    fn a_key_without_padding_is_read_too() {
        let text = STANDARD_NO_PAD.encode([7; 32]);
        assert_eq!(keys(&text).expect("a key").newest().expose_secret(), &[7; 32]);
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_place_and_not_shown() {
        let good = STANDARD.encode([1; 32]);
        for bad in ["hunter2", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            let error = keys(&format!("{good},{bad}")).expect_err("not a key");
            assert_eq!(error, KeyError::Malformed(2));
            assert!(!error.to_string().contains(bad));
        }
        assert_eq!(keys(" ").expect_err("empty"), KeyError::Malformed(1));
        assert_eq!(keys(&format!("{good} {good}")).expect_err("twice"), KeyError::Repeated(2));
    }

    #[test]
    fn keys_are_not_printed() {
        let text = format!("{:?}", keys(&STANDARD.encode([65; 32])).expect("a key"));
        assert!(!text.contains("65") && !text.contains("AAAA"), "{text}");
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let scratch = crate::embedded::Scratch::new().expect("scratch");
        let path = scratch.path().join("master-key");

        let first = Keys::load_or_create(&path).expect("made");
        let again = Keys::load_or_create(&path).expect("read");
        assert!(first.shares_a_key_with(&again));

        let mode = std::fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
