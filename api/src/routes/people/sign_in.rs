//! Signing in with a password, or with a refresh token. Codes and links: [`super::codes`];
//! invitations: [`super::acceptance`].

use axum::{
    extract::State,
    http::{HeaderMap, Method},
    response::Response,
};
use domain::ids::TenantId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use store::{
    people::{
        self, KnownPerson, members,
        sessions::{self, Refreshed},
    },
    settings::api_keys::KeyRole,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::signed_in::{Granted, Tokens, TokensIn, begin, one_of, wrong};
use crate::{
    app::App,
    audit,
    auth::{Caller, Reach, SignedIn, check_page, passwords},
    codes::SignInAddress,
    document::{
        answers::{OfBody, OfStrangers},
        examples,
    },
    http::{Kind, Problem, cookies::Cookie, peer::StrangersBody},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log_in)).routes(routes!(refresh))
}

/// Who somebody says that they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogIn {
    /// The address of mail, in any case; or a number, with its country.
    #[schema(max_length = 254)]
    email: String,
    /// The password that belongs to the address.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// The company to work for. Left out, it is the first that they came to.
    #[serde(default)]
    tenant: Option<TenantId>,
    /// Whether the tokens are to be in cookies, for a browser: HttpOnly, SameSite=Strict, and
    /// Secure where the public address is https.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/login`, for everybody: signs in with a password. Answers 200 with tokens, 401
/// where address or password are wrong, 403 where the person does not work for the company.
#[utoipa::path(
    post, path = "/v1/auth/login", tag = "people", operation_id = "log_in",
    request_body(content = LogIn, example = json!({
        "email": examples::EMAIL, "password": examples::PASSWORD,
    })),
    responses((status = 200, description = "The tokens.", body = Tokens), OfStrangers, OfBody),
)]
async fn log_in(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<LogIn>,
) -> Result<Response, Problem> {
    // load
    let address = SignInAddress::read("email", &body.email)?;
    app.auth.attempts.count(address.as_str(), peer)?;
    let mut tx = app.transactions.of_strangers().await?;
    let known = people::by_address(&mut tx, address.as_str()).await?;
    let companies = match &known {
        Some(known) => members::companies(&mut tx, known.person.id).await?,
        None => Vec::new(),
    };
    drop(tx);

    // check: as long for somebody who is not known
    let hash = known.as_ref().and_then(|known| known.password_hash.clone());
    let is_right = passwords::is_right(&body.password, hash).await?;
    let known = known.filter(|_| is_right).ok_or_else(wrong)?;
    let company = one_of(companies, body.tenant.as_ref())?;

    // record
    let mut tx = app.transactions.begin(&Reach::all_of(company.tenant.clone())).await?;
    let KnownPerson { person, password_hash } = known;
    let hash = password_hash.as_deref();
    let granted = begin(&app, &mut tx, person, hash, company).await?;
    tx.commit().await?;

    // answer
    granted.answer(&app, TokensIn::of(body.cookies))
}

/// A session that is to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Renewal {
    /// The newest refresh token, `mr_refresh_...`. Left out, it is the one of the cookie, and
    /// the next one is set in the cookie too.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    refresh_token: Option<SecretString>,
    /// Whether the tokens are to be in cookies, for a browser.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/refresh`, for everybody: new tokens for a session. Each refresh token is good
/// once: one that comes again was stolen, or its thief came first, so its session ends. With a
/// cookie it takes `X-CSRF-Token`. Answers 200 with tokens, 401, or 403 where the person works for
/// its company no more, or where a page of somebody else has asked.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "people", operation_id = "refresh",
    request_body(content = Renewal, example = json!({ "refresh_token": examples::REFRESH_TOKEN })),
    responses((status = 200, description = "The tokens.", body = Tokens), OfStrangers, OfBody),
)]
async fn refresh(
    State(app): State<App>,
    headers: HeaderMap,
    StrangersBody { body, share: _share, .. }: StrangersBody<Renewal>,
) -> Result<Response, Problem> {
    // parse
    let url = &app.settings.public_url;
    let kept = || Cookie::Refresh.read(url, &headers).map(SecretString::from);
    let (token, is_kept) = match body.refresh_token {
        Some(token) => (token, false),
        None => (kept().ok_or_else(not_valid)?, true),
    };
    let is_ours = |of: SignedIn| match is_kept {
        true => check_page(&app, &Method::POST, &headers, of.session),
        false => Ok(()),
    };

    // record: what is read or checked fails before the token counts as used
    let mut tx = app.transactions.of_strangers().await?;
    let token = token.expose_secret();
    let refreshed = sessions::refresh(&mut tx, token, stage::machine::now()).await?;
    let (signed_in, works_for, refresh) = match refreshed {
        Refreshed::Renewed { session, person, works_for, next } => {
            (SignedIn { person, session }, works_for, next)
        }
        Refreshed::Unknown => return Err(not_valid()),
        Refreshed::Reused { session, person, works_for } => {
            is_ours(SignedIn { person, session })?;
            tx.commit().await?;
            return Err(reused(&app, SignedIn { person, session }, works_for).await?);
        }
    };
    is_ours(signed_in)?;
    let companies = members::companies(&mut tx, signed_in.person).await?;
    let company = one_of(companies, Some(&works_for))?;
    let person = people::get(&mut tx, signed_in.person).await?.ok_or_else(wrong)?.person;
    tx.commit().await?;

    // answer: a script gets nothing that was hidden from it
    let by = TokensIn::of(body.cookies || is_kept);
    Granted { signed_in, person, company, refresh }.answer(&app, by)
}

fn not_valid() -> Problem {
    let detail = "the refresh token is not valid, or its session has ended: sign in";
    Problem::new(Kind::Unauthenticated, detail)
}

/// Notes that a session has ended by a token that came twice; what its holder is told.
async fn reused(app: &App, of: SignedIn, works_for: TenantId) -> Result<Problem, Problem> {
    tracing::warn!(session = %of.session, "a refresh token came twice: its session has ended");
    let reach = Reach::all_of(works_for);
    let mut tx = app.transactions.begin(&reach).await?;
    let caller = Caller::of_session(reach, KeyRole::Viewer, of);
    let subject = format!("session:{}", of.session);
    let detail = json!({ "reason": "a refresh token came twice" });
    audit::note(&mut tx, &caller, app.now(), "session.ended", subject, detail).await?;
    tx.commit().await?;

    let detail = "the refresh token was used before, so the session has ended: sign in";
    Ok(Problem::new(Kind::Unauthenticated, detail))
}
