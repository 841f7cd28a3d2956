//! Passwords: what one must be like, and how it is kept: as argon2id with the parameters that OWASP
//! names first (19 MiB of memory, two passes, one lane). A few are hashed at once, so that a flood
//! of sign-ins takes no more than its part of the machine.

use std::{sync::LazyLock, time::Duration};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, time::timeout};

use crate::http::{Errors, Problem};

/// How long a password is at least and at most, in characters.
const LENGTH: (usize, usize) = (12, 200);

/// The longest part that a password may be made of by repeating it, in characters.
const REPEATED: usize = 4;

/// Passwords of twelve characters and more that many have, in small letters.
const COMMON: &str = include_str!("common_passwords.txt");

/// How many are hashed at once, and how long one waits for its turn.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// What the password of somebody who does not exist is checked against: that takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hashed(b"nobody's").unwrap_or_default());

/// Whether a password may be one. `about` is what others know of its person.
pub(crate) fn check(field: &str, password: &SecretString, about: &str, errors: &mut Errors) {
    let password = password.expose_secret();
    let (least, most) = LENGTH;
    let count = password.chars().count();
    errors.check(count >= least, field, "too_short", "12 characters or more");
    errors.check(count <= most, field, "too_long", "200 characters at most");

    let lower = password.to_lowercase();
    let is_common = COMMON.lines().any(|common| common == lower) || is_repeated(&lower);
    let is_about = !about.is_empty() && lower.contains(&about.to_lowercase());
    let detail = "many have this password, or it is easily guessed: choose another";
    errors.check(!(is_common || is_about), field, "common", detail);
}

/// Whether a text is a short one several times over.
fn is_repeated(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let repeats = |part: usize| characters.iter().zip(&characters[part..]).all(|(a, b)| a == b);
    (1..=REPEATED).any(|part| characters.len() > 2 * part && repeats(part))
}

/// What is kept of a password: a PHC string.
pub(crate) async fn hash(password: &SecretString) -> Result<String, Problem> {
    let bytes = password.expose_secret().as_bytes().to_vec();
    let hash = at_work(move || hashed(&bytes)).await?;
    hash.ok_or_else(|| Problem::unavailable("the password could not be hashed", 5))
}

/// Whether it is the password of which this hash is kept. Without a hash it is not, after as long.
pub(crate) async fn is_right(
    password: &SecretString,
    kept: Option<String>,
) -> Result<bool, Problem> {
    let bytes = password.expose_secret().as_bytes().to_vec();
    at_work(move || {
        let is_somebodys = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODYS.clone());
        let Ok(kept) = PasswordHash::new(&kept) else { return false };
        Argon2::default().verify_password(&bytes, &kept).is_ok() && is_somebodys
    })
    .await
}

/// Does what takes a while on a thread of its own, in its turn.
async fn at_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let busy = || Problem::unavailable("too many people sign in at this moment", 5);
    let turn = timeout(PATIENCE, TURNS.acquire()).await.map_err(|_| busy())?;
    let turn = turn.map_err(|_| busy())?;
    let working = tokio::task::spawn_blocking(move || {
        // It ends with the work, also where nobody waits for it any more.
        let _turn = turn;
        work()
    });
    working.await.map_err(|_| busy())
}

/// What is kept of a password: a PHC string. It takes some hundredths of a second, and 19 MiB. None
/// where the system has no randomness.
pub fn hashed(password: &[u8]) -> Option<String> {
    Some(Argon2::default().hash_password(password).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(password: &str) -> Vec<&'static str> {
        let mut errors = Errors::default();
        check("password", &password.into(), "ana@acme.example", &mut errors);
        errors.into_vec().into_iter().map(|error| error.code).collect()
    }

    #[test]
    fn short_common_and_repeated_passwords_are_refused() {
        for (password, expected) in [
            ("correct horse battery", vec![]),
            ("kurz", vec!["too_short"]),
            ("Password1234", vec!["common"]),
            ("123456789012", vec!["common"]),
            ("abcabcabcabcabc", vec!["common"]),
            ("ana@acme.example1", vec!["common"]),
            ("zwölf Zeichen", vec![]),
        ] {
            assert_eq!(codes(password), expected, "{password}");
        }
        assert_eq!(codes(&"long".repeat(51)), ["too_long", "common"]);
    }

    #[test]
    fn the_list_is_of_passwords_that_the_length_alone_lets_through() {
        for common in COMMON.lines() {
            assert!(common.chars().count() >= LENGTH.0, "{common}");
            assert_eq!(common, common.to_lowercase());
        }
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_alone() {
        let password: SecretString = "correct horse battery".into();
        let kept = hash(&password).await.expect("a hash");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right(&password, Some(kept.clone())).await.expect("checked"));
        let other: SecretString = "correct horse batterz".into();
        assert!(!is_right(&other, Some(kept)).await.expect("checked"));

        let nobodys: SecretString = "nobody's".into();
        assert!(!is_right(&nobodys, None).await.expect("checked"), "nobody has it");
    }
}
