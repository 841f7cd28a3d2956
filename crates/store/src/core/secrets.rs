//! Secrets that are given out once: 32 random bytes that somebody shows again. Tables hold their
//! SHA-256 alone, which is enough for something that nobody can guess.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// A new secret behind a prefix that says what it is.
#[expect(clippy::disallowed_methods, reason = "the one thing here that nobody may guess")]
pub(crate) fn secret(prefix: &str) -> SecretString {
    let random: [u8; 32] = rand::random();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)).into()
}

/// The hash that a secret is looked up by.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Six digits, as many times any as any other (but for one in a million million).
#[expect(clippy::disallowed_methods, reason = "a code that nobody may guess")]
pub(crate) fn six_digits() -> SecretString {
    format!("{:06}", rand::random::<u64>() % 1_000_000).into()
}
