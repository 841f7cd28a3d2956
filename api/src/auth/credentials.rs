//! Credentials: whose an access token or an API key is.

use domain::ids::TenantId;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretBox};
use serde::Deserialize;
use store::{
    Store,
    settings::api_keys::{KeyKind, KeyRole},
};

use super::{cache::KeyCache, caller::Caller, hs256};
use crate::{
    http::problem::{Kind, Problem},
    last_known::Asking,
};

/// Seconds by which the clock of who made a token may differ from ours.
const LEEWAY: u64 = 5;

/// Checks access tokens and API keys.
pub(crate) struct Auth {
    /// Of access tokens, the newest first.
    keys: Vec<DecodingKey>,
    validation: Validation,
    cache: KeyCache,
}

/// What an access token says.
#[derive(Deserialize)]
struct Claims {
    tenant: TenantId,
    sub: String,
    role: String,
}

impl Auth {
    pub(crate) fn new(keys: &[SecretBox<[u8; 32]>], asking: Asking) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp"]);
        validation.validate_aud = false;
        validation.leeway = LEEWAY;

        let keys = keys.iter().map(|key| DecodingKey::from_secret(key.expose_secret()));
        Self { keys: keys.collect(), validation, cache: KeyCache::new(asking) }
    }

    /// Whose token or key it is. A key is known by its prefix.
    pub(super) async fn check(
        &self,
        store: &Store,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        let prefixes = [KeyKind::Live, KeyKind::Test].map(KeyKind::prefix);
        let caller = if prefixes.iter().any(|prefix| bearer.starts_with(prefix)) {
            self.cache.find(store, bearer, now).await?
        } else {
            self.token(bearer)
        };
        caller.ok_or_else(|| Problem::new(Kind::Unauthenticated, "the token or key is not valid"))
    }

    fn token(&self, token: &str) -> Option<Caller> {
        let decode = |key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok();
        let claims = self.keys.iter().find_map(decode)?.claims;
        let role = KeyRole::from_name(&claims.role)?;
        let subject = format!("user:{}", claims.sub);
        Some(Caller { tenant: claims.tenant, subject, role, scopes: None })
    }
}
