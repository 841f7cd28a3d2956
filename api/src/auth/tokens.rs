//! Access tokens: JSON Web Tokens, signed with HS256. Each names the key that signed it, so that
//! keys can be replaced one after the other: the newest signs, each of them is believed.

use domain::ids::TenantId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use super::{caller::SignedIn, hs256};

/// Seconds by which the clock of who made a token may differ from ours.
const LEEWAY: u64 = 5;

/// How long an access token holds, in seconds.
pub(crate) const HOLDS: i64 = 15 * 60;

/// Signs and reads access tokens.
pub(crate) struct AccessTokens {
    /// The newest first, each with its name.
    keys: Vec<(String, EncodingKey, DecodingKey)>,
    validation: Validation,
}

/// What an access token says.
pub(super) struct Claims {
    /// The company it is for.
    pub(super) tenant: TenantId,
    /// Who it is of.
    pub(super) sub: String,
    /// Who says what they may do.
    pub(super) by: SaidBy,
}

/// Who says what the holder of an access token may do.
pub(super) enum SaidBy {
    /// The company, of this session.
    Session(Uuid),
    /// The token itself, which was made elsewhere.
    Token(KeyRole),
}

/// The claims of a token that is made here. It names no role: a version that knows no sessions
/// would go by it.
#[derive(Serialize)]
struct Made<'a> {
    tenant: &'a TenantId,
    sub: Uuid,
    mr_session: Uuid,
    exp: i64,
}

/// The claims of a token, wherever it was made.
#[derive(Deserialize)]
struct Given {
    tenant: TenantId,
    sub: String,
    #[serde(default)]
    mr_session: Option<Uuid>,
    #[serde(default)]
    role: Option<String>,
}

impl AccessTokens {
    pub(super) fn new(keys: &[SecretBox<[u8; 32]>]) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp"]);
        validation.validate_aud = false;
        validation.leeway = LEEWAY;

        let keys = keys.iter().map(|key| {
            let key = key.expose_secret();
            let name = wire::hex(&Sha256::digest(key)[..4]);
            (name, EncodingKey::from_secret(key), DecodingKey::from_secret(key))
        });
        Self { keys: keys.collect(), validation }
    }

    /// Whether the platform has a key to sign with.
    pub(crate) fn can_sign(&self) -> bool {
        !self.keys.is_empty()
    }

    /// A token of somebody who has signed in, for a company. None where the platform has no key.
    pub(crate) fn make(&self, of: SignedIn, tenant: &TenantId) -> Option<String> {
        let (name, key, _) = self.keys.first()?;
        let header = Header { kid: Some(name.clone()), ..Header::new(Algorithm::HS256) };
        let exp = stage::machine::now().as_second() + HOLDS;
        let made = Made { tenant, sub: of.person, mr_session: of.session, exp };
        jsonwebtoken::encode(&header, &made, key).ok()
    }

    /// What a genuine token says that still holds. One that names a key of ours is of that key.
    pub(super) fn read(&self, token: &str) -> Option<Claims> {
        let named = jsonwebtoken::decode_header(token).ok()?.kid;
        let is_named = |name: &String| named.as_ref().is_none_or(|named| named == name);
        let is_known = self.keys.iter().any(|(name, ..)| is_named(name));
        let keys = self.keys.iter().filter(|(name, ..)| is_named(name) || !is_known);

        let decode = |key| jsonwebtoken::decode::<Given>(token, key, &self.validation).ok();
        let mut read = keys.filter_map(|(_, _, key)| decode(key));
        let Given { tenant, sub, mr_session, role } = read.next()?.claims;
        let by = match mr_session {
            Some(session) => SaidBy::Session(session),
            None => SaidBy::Token(KeyRole::from_name(&role?)?),
        };
        Some(Claims { tenant, sub, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new([byte; 32]))
    }

    #[test]
    fn a_token_of_an_older_key_is_believed_and_of_a_removed_one_not() {
        let of = SignedIn { person: Uuid::from_u128(1), session: Uuid::from_u128(2) };
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let before = AccessTokens::new(&[key(1)]);
        let token = before.make(of, &tenant).expect("a token");

        let both = AccessTokens::new(&[key(2), key(1)]);
        let claims = both.read(&token).expect("believed");
        assert_eq!((claims.sub, claims.tenant), (of.person.to_string(), tenant.clone()));
        assert!(matches!(claims.by, SaidBy::Session(session) if session == of.session));

        let newer = both.make(of, &tenant).expect("a token");
        let names = [&token, &newer].map(|token| jsonwebtoken::decode_header(token).unwrap().kid);
        assert_ne!(names[0], names[1], "each names its key");
        assert!(AccessTokens::new(&[key(2)]).read(&token).is_none());
        assert!(AccessTokens::new(&[]).make(of, &tenant).is_none());
    }

    #[test]
    fn a_token_that_was_made_elsewhere_says_its_role_itself() {
        let tokens = AccessTokens::new(&[key(1)]);
        let made = |claims: serde_json::Value| {
            let key = EncodingKey::from_secret(&[1; 32]);
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signed")
        };
        let later = stage::machine::now().as_second() as f64 + 60.5;
        let token = made(serde_json::json!({
            "tenant": "acme", "sub": "ann", "role": "agent", "sid": "theirs", "exp": later,
        }));
        let claims = tokens.read(&token).expect("believed");
        assert!(matches!(claims.by, SaidBy::Token(KeyRole::Agent)));

        let without = made(serde_json::json!({ "tenant": "acme", "sub": "ann", "exp": later }));
        assert!(tokens.read(&without).is_none(), "nobody says what they may do");
    }
}
