//! The JWTs of the broker, in the second version of their format: three parts in base64 without
//! padding, signed with an nkey (Ed25519) of whoever vouches. What a login may do stands in them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::grants::{Grants, TENANTS_READ};

/// The header of every JWT of the broker.
const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// What stands for no limit in the claims.
const NO_LIMIT: i64 = -1;

/// How many connections all subscribers have together: more are refused, and the platform's own
/// are not among them.
const SUBSCRIBERS: i64 = 4_096;

/// How many subscriptions a connection of a subscriber has.
const SUBSCRIPTIONS: i64 = 64;

/// A key cannot sign. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no key of NATS that can sign this")]
pub struct ClaimsError;

/// The JWT of an operator, who signs it as well.
///
/// # Errors
/// The key has no seed.
pub fn operator(
    operator: &KeyPair,
    system_account: &str,
    now: Timestamp,
) -> Result<String, ClaimsError> {
    let nats = json!({ "type": "operator", "version": 2, "system_account": system_account });
    signed(operator, &operator.public_key(), Some("millrace"), None, now, nats)
}

/// The JWT of the system account, which has no JetStream.
///
/// # Errors
/// The operator's key has no seed.
pub fn system_account(
    operator: &KeyPair,
    account: &str,
    now: Timestamp,
) -> Result<String, ClaimsError> {
    let nats = json!({ "type": "account", "version": 2, "limits": limits() });
    signed(operator, account, None, None, now, nats)
}

/// The JWT of the platform's account. It has no name: it is known by its key everywhere, also in
/// the server's monitoring. What subscribers ask of it crosses into it from their own account.
///
/// # Errors
/// The operator's key has no seed.
pub fn platform_account(
    operator: &KeyPair,
    account: &str,
    now: Timestamp,
) -> Result<String, ClaimsError> {
    let mut limits = limits();
    for unlimited in ["mem_storage", "disk_storage", "streams", "consumer"] {
        limits[unlimited] = NO_LIMIT.into();
    }
    let exported = |(subject, answers): (String, &str)| {
        json!({
            "name": subject, "subject": subject, "type": "service", "response_type": answers,
        })
    };
    let exports: Vec<Value> = crossing("*").into_iter().map(exported).collect();

    let nats = json!({ "type": "account", "version": 2, "limits": limits, "exports": exports });
    signed(operator, account, None, None, now, nats)
}

/// The JWT of the account of subscribers. They have one of their own, as the broker answers a
/// request on whatever subject it names: here, it is one of this account. What `signer` signs may
/// do what its template says and nothing else, whatever stands in it.
///
/// # Errors
/// The operator's key has no seed.
pub fn subscriber_account(
    operator: &KeyPair,
    (account, platform): (&str, &str),
    signer: &str,
    now: Timestamp,
) -> Result<String, ClaimsError> {
    let imported = |(subject, _): (String, &str)| {
        json!({
            "name": subject, "subject": subject, "account": platform, "type": "service",
        })
    };
    let imports: Vec<Value> = crossing("*").into_iter().map(imported).collect();

    let mut template = permissions(&of_subscribers());
    for unlimited in ["data", "payload"] {
        template[unlimited] = NO_LIMIT.into();
    }
    template["subs"] = SUBSCRIPTIONS.into();
    let scope = json!({
        "kind": "user_scope", "key": signer, "role": "subscriber", "template": template,
    });
    let mut limits = limits();
    limits["conn"] = SUBSCRIBERS.into();

    let nats = json!({
        "type": "account", "version": 2, "limits": limits, "imports": imports,
        "signing_keys": [scope],
    });
    signed(operator, account, None, None, now, nats)
}

/// The JWT of a process, or of the operator: without grants it may do everything in its account.
///
/// # Errors
/// The account's key has no seed.
pub fn user(
    account: &KeyPair,
    user: &str,
    name: &str,
    grants: Option<&Grants>,
    now: Timestamp,
) -> Result<String, ClaimsError> {
    let mut nats = grants.map_or_else(|| json!({}), permissions);
    for unlimited in ["subs", "data", "payload"] {
        nats[unlimited] = NO_LIMIT.into();
    }
    nats["type"] = "user".into();
    nats["version"] = 2.into();
    signed(account, user, Some(name), None, now, nats)
}

/// The JWT of a subscriber: the template of the key that signs it says what it may.
///
/// # Errors
/// The key has no seed.
pub(super) fn subscriber(
    signer: &KeyPair,
    account: &str,
    user: &str,
    name: &str,
    (now, end): (Timestamp, Timestamp),
) -> Result<String, ClaimsError> {
    let nats = json!({ "type": "user", "version": 2, "issuer_account": account });
    signed(signer, user, Some(name), Some(end), now, nats)
}

/// What subscribers may ask of the platform's account about a consumer, each with how it answers:
/// for its next entries, and that some are acknowledged.
fn crossing(consumer: &str) -> Vec<(String, &'static str)> {
    let calls = |stream: &str| {
        [
            (format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"), "Stream"),
            (format!("$JS.ACK.{stream}.{consumer}.>"), "Singleton"),
        ]
    };
    TENANTS_READ.into_iter().flat_map(|stream| calls(stream.name())).collect()
}

/// What a subscriber may do, by the name that it shares with its consumers. Only a whole token is
/// filled in.
fn of_subscribers() -> Grants {
    let publish = crossing("{{name()}}").into_iter().map(|(subject, _)| subject).collect();
    let subscribe = vec!["_INBOX.{{name()}}.>".to_owned()];
    Grants { publish, subscribe, ..Grants::default() }
}

fn permissions(grants: &Grants) -> Value {
    let mut publish = json!({ "allow": grants.publish });
    if !grants.not_publish.is_empty() {
        publish["deny"] = json!(grants.not_publish);
    }
    json!({ "pub": publish, "sub": { "allow": grants.subscribe } })
}

fn limits() -> Value {
    json!({
        "subs": NO_LIMIT, "data": NO_LIMIT, "payload": NO_LIMIT, "imports": NO_LIMIT,
        "exports": NO_LIMIT, "wildcards": true, "conn": NO_LIMIT, "leaf": 0,
    })
}

fn signed(
    by: &KeyPair,
    subject: &str,
    name: Option<&str>,
    end: Option<Timestamp>,
    now: Timestamp,
    nats: Value,
) -> Result<String, ClaimsError> {
    let mut claims = json!({
        "iat": now.as_second(), "iss": by.public_key(), "sub": subject, "nats": nats,
    });
    if let Some(name) = name {
        claims["name"] = name.into();
    }
    if let Some(end) = end {
        claims["exp"] = end.as_second().into();
    }
    claims["jti"] = wire::hex(&digest(&claims)).into();

    let part = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let body = format!("{}.{}", part(HEADER.as_bytes()), part(claims.to_string().as_bytes()));
    let signature = by.sign(body.as_bytes()).map_err(|_| ClaimsError)?;
    Ok(format!("{body}.{}", part(&signature)))
}

/// What a JWT is known by.
fn digest(claims: &Value) -> Vec<u8> {
    use sha2::{Digest, Sha256};

    Sha256::digest(claims.to_string()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_seed_signs_nothing() {
        let public = KeyPair::new_account().public_key();
        let account = KeyPair::from_public_key(&public).expect("a key");
        let made = user(&account, &public, "api", None, Timestamp::UNIX_EPOCH);
        assert_eq!(made, Err(ClaimsError));
    }
}
