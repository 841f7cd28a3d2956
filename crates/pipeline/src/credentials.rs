//! Files of credentials (`.creds`), as every client of the broker reads them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What a file of credentials holds: a JWT, and the seed of the key that it is for.
pub fn credentials(jwt: &str, seed: &SecretString) -> SecretString {
    let seed = seed.expose_secret();
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
    .into()
}

/// The claims of a JWT, not checked.
pub fn read(jwt: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The JWT in a file of credentials.
pub fn jwt_of(credentials: &str) -> Option<&str> {
    part(credentials, "NATS USER JWT")
}

/// The seed in a file of credentials.
pub fn seed_of(credentials: &str) -> Option<SecretString> {
    part(credentials, "USER NKEY SEED").map(SecretString::from)
}

fn part<'a>(credentials: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = credentials.split_once(&format!("BEGIN {name}-----"))?;
    rest.lines().map(str::trim).find(|line| !line.is_empty())
}

/// The prefix that answers must have, by what credentials may subscribe to; none where it may be
/// any.
pub(crate) fn inbox_of(credentials: &str) -> Option<String> {
    let claims = read(jwt_of(credentials)?)?;
    let allowed = claims["nats"]["sub"]["allow"].as_array()?;
    let inbox = allowed.iter().filter_map(Value::as_str).find(|one| one.starts_with("_INBOX"))?;
    inbox.strip_suffix(".>").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use nkeys::KeyPair;

    use super::*;
    use crate::access::{Grants, ProcessKind, claims::user};

    #[test]
    fn credentials_say_which_answers_they_hear() {
        let (account, process) = (KeyPair::new_account(), KeyPair::new_user());
        let of = |kind: ProcessKind| {
            let grants = Grants::of(kind);
            let key = process.public_key();
            let jwt = user(&account, &key, kind.as_str(), grants.as_ref(), Timestamp::UNIX_EPOCH);
            let seed = process.seed().expect("a seed").into();
            credentials(&jwt.expect("signed"), &seed).expose_secret().to_owned()
        };

        assert_eq!(inbox_of(&of(ProcessKind::Api)), Some("_INBOX_api".to_owned()));
        assert_eq!(inbox_of(&of(ProcessKind::Operator)), None);
        let read = seed_of(&of(ProcessKind::Api)).expect("a seed");
        assert_eq!(read.expose_secret(), &process.seed().expect("a seed"));
    }
}
