//! Who asks: a JSON Web Token (HS256) or an API key, checked before any route of `/v1` runs, and
//! what their role allows, by the table in [`roles`].

mod cache;
mod hs256;
mod roles;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::ids::TenantId;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretBox};
use serde::Deserialize;
use store::settings::api_keys::{KeyKind, KeyRole};

use self::cache::KeyCache;
use crate::{
    app::App,
    http::{Kind, Problem},
    last_known::Asking,
};

/// Who asks, once checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The tenant they work for; the only one whose rows they see.
    pub(crate) tenant: TenantId,
    /// `key:<id>` or `user:<sub>`.
    pub(crate) subject: String,
    /// What they may do.
    pub(crate) role: KeyRole,
}

/// Checks credentials.
pub struct Auth {
    keys: Vec<DecodingKey>,
    validation: Validation,
    cache: KeyCache,
}

/// What a token says.
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
        validation.leeway = 5;
        let keys = keys.iter().map(|key| DecodingKey::from_secret(key.expose_secret()));
        Self { keys: keys.collect(), validation, cache: KeyCache::new(asking) }
    }

    async fn check(&self, app: &App, bearer: &str) -> Result<Caller, Problem> {
        let is_key = [KeyKind::Live, KeyKind::Test].map(KeyKind::prefix);
        let caller = if is_key.iter().any(|prefix| bearer.starts_with(prefix)) {
            self.cache.find(&app.store, bearer).await?
        } else {
            self.token(bearer)
        };
        caller.ok_or_else(|| Problem::new(Kind::Unauthenticated, "the token or key is not valid"))
    }

    fn token(&self, token: &str) -> Option<Caller> {
        let decode = |key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok();
        let claims = self.keys.iter().find_map(decode)?.claims;
        let role = KeyRole::from_name(&claims.role)?;
        Some(Caller { tenant: claims.tenant, subject: format!("user:{}", claims.sub), role })
    }
}

/// Lets a request through if its caller is known and their role allows it.
pub(crate) async fn authenticate(
    State(app): State<App>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).cloned();
    let needed = roles::needed(request.method(), path.as_str());
    match admit(&app, given.as_ref(), needed).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    app: &App,
    given: Option<&HeaderValue>,
    needed: roles::Act,
) -> Result<Caller, Problem> {
    let bearer = given.and_then(|value| value.to_str().ok()).and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(bearer) = bearer else {
        let detail = "send Authorization: Bearer with a token or an API key";
        return Err(Problem::new(Kind::Unauthenticated, detail));
    };
    let caller = app.auth.check(app, bearer).await?;
    if roles::allows(caller.role, needed) {
        return Ok(caller);
    }
    let detail = format!("the role {} may not {}", caller.role, needed.as_str());
    Err(Problem::new(Kind::Forbidden, detail))
}

impl Caller {
    /// The caller that [`authenticate`] has put into the request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::Unauthenticated, "credentials are needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(parts)
    }
}
