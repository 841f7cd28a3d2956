//! What somebody gets who signs in, and what they may do with it: work for another company, sign
//! out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use domain::ids::TenantId;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    people::{self, PlatformUser, members, members::Membership, sessions},
    settings::api_keys::KeyRole,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, Needs, Reach, Read, SignedIn, archived, tokens},
    document::answers::{Always, OfBody},
    http::{Body, Kind, Problem, cookies::Cookie, view::PersonView},
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(switch)).routes(routes!(sign_out))
}

/// Tokens of somebody who has signed in, for one company.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// What `Authorization: Bearer` takes. Not here where it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_token: Option<String>,
    /// The scheme of the access token: always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the access token holds, in seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// What gets the next tokens (`POST /v1/auth/refresh`): good once, within 30 days. Not here
    /// where it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// With cookies: what requests that change something say in `X-CSRF-Token`. The cookie
    /// `mr_csrf` (over https `__Secure-mr_csrf`) says it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    csrf_token: Option<String>,
    person: PersonView,
    /// The company that they are for.
    #[schema(value_type = TenantId)]
    tenant: TenantId,
    /// What they may do there.
    #[schema(value_type = KeyRole)]
    role: &'static str,
}

/// How somebody gets their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokensIn {
    /// In the body of the answer.
    Body,
    /// In cookies, which no script of a page reads.
    Cookies,
}

impl TokensIn {
    /// In cookies, where they are asked for.
    pub(super) fn of(cookies: bool) -> Self {
        if cookies { Self::Cookies } else { Self::Body }
    }
}

/// What somebody has who has signed in.
pub(super) struct Granted {
    pub(super) signed_in: SignedIn,
    pub(super) person: PlatformUser,
    pub(super) company: Membership,
    pub(super) refresh: SecretString,
}

impl Granted {
    /// The answer with the tokens.
    ///
    /// # Errors
    /// The platform has no key to sign them with.
    pub(super) fn answer(self, app: &App, by: TokensIn) -> Result<Response, Problem> {
        let Self { signed_in, person, company, refresh } = self;
        let Membership { tenant, role, .. } = company;
        let no_key = || Problem::new(Kind::Internal, "there is no key to sign tokens with");
        let access = app.auth.tokens.make(signed_in, &tenant).ok_or_else(no_key)?;
        let csrf = app.auth.keyed.of_session(signed_in.session).ok_or_else(no_key)?;
        let refresh = refresh.expose_secret().to_owned();

        let mut headers = HeaderMap::new();
        let (access_token, refresh_token, csrf_token) = match by {
            TokensIn::Body => (Some(access), Some(refresh), None),
            TokensIn::Cookies => {
                let url = &app.settings.public_url;
                Cookie::Access.set(url, &access, tokens::HOLDS, &mut headers);
                Cookie::Refresh.set(url, &refresh, tokens::HOLDS, &mut headers);
                Cookie::Csrf.set(url, &csrf, tokens::HOLDS, &mut headers);
                (None, None, Some(csrf))
            }
        };
        let tokens = Tokens {
            access_token,
            token_type: "Bearer",
            expires_in: tokens::HOLDS,
            refresh_token,
            csrf_token,
            person: PersonView::of(person),
            tenant,
            role: role.as_str(),
        };
        Ok((headers, Json(tokens)).into_response())
    }
}

/// What somebody is told whose address or password is not right.
pub(super) fn wrong() -> Problem {
    Problem::new(Kind::Unauthenticated, "the address or the password is wrong")
}

/// Begins a session of somebody, for a company. `password_hash` is what they came with, where they
/// came with a password.
///
/// # Errors
/// Their password has changed since it was checked.
pub(super) async fn begin(
    app: &App,
    tx: &mut TenantTx,
    person: PlatformUser,
    password_hash: Option<&str>,
    company: Membership,
) -> Result<Granted, Problem> {
    if !people::lock(tx, person.id, password_hash).await? {
        return Err(wrong());
    }
    let signed_in = SignedIn { person: person.id, session: crate::ids::fresh() };
    let machine = stage::machine::now();
    let SignedIn { session, .. } = signed_in;
    let refresh = sessions::begin(tx, session, person.id, &company.tenant, machine).await?;

    let reach = Reach::all_of(company.tenant.clone());
    let caller = Caller::of_session(reach, company.role, signed_in);
    let subject = format!("session:{session}");
    audit::note(tx, &caller, app.now(), "session.began", subject, json!({})).await?;
    Ok(Granted { signed_in, person, company, refresh })
}

/// The company that is named, or the first of theirs that is in use.
///
/// # Errors
/// They do not work for it, or for none; or it is archived.
pub(super) fn one_of(
    companies: Vec<Membership>,
    wanted: Option<&TenantId>,
) -> Result<Membership, Problem> {
    let is_wanted = |company: &Membership| wanted.is_none_or(|wanted| *wanted == company.tenant);
    let is_archived = |company: &Membership| company.archived_at.is_some();
    let (over, in_use): (Vec<_>, Vec<_>) =
        companies.into_iter().filter(is_wanted).partition(is_archived);

    let detail = "you do not work for this company: sign in without one for the first of yours";
    let missing = || Problem::new(Kind::Forbidden, detail);
    let why = || if over.is_empty() { missing() } else { archived() };
    in_use.into_iter().next().ok_or_else(why)
}

/// The company to go on with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompanyChoice {
    /// The company's key.
    tenant: TenantId,
    /// Whether the tokens are to be in cookies; they are where they were before.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/switch`, for every role: tokens for another company that the person works for, in
/// the same session; the refresh token so far is good no more. Answers 200 with them, or 403.
#[utoipa::path(
    post, path = "/v1/auth/switch", tag = "people", operation_id = "switch_tenant",
    security(("bearer" = [Read::NAME])),
    request_body(content = CompanyChoice, example = json!({ "tenant": "acme" })),
    responses((status = 200, description = "The tokens.", body = Tokens), Always, OfBody),
)]
async fn switch(
    State(app): State<App>,
    caller: Allowed<Read>,
    headers: HeaderMap,
    Body(body): Body<CompanyChoice>,
) -> Result<Response, Problem> {
    // load
    let signed_in = caller.person()?;
    let reach = Reach::all_of(body.tenant.clone());
    let mut tx = app.transactions.begin(&reach).await?;
    let companies = members::companies(&mut tx, signed_in.person).await?;
    let company = one_of(companies, Some(&body.tenant))?;
    let gone = || Problem::new(Kind::Unauthenticated, "the session has ended: sign in");
    let known = people::get(&mut tx, signed_in.person).await?.ok_or_else(gone)?;

    // record
    let SignedIn { session, .. } = signed_in;
    let machine = stage::machine::now();
    let refresh = sessions::switch(&mut tx, session, &company.tenant, machine).await?;
    let refresh = refresh.ok_or_else(gone)?;
    let caller = Caller::of_session(reach, company.role, signed_in);
    let subject = format!("session:{session}");
    audit::note(&mut tx, &caller, app.now(), "session.switched", subject, json!({})).await?;
    tx.commit().await?;

    // answer: a script gets nothing that was hidden from it
    let by = TokensIn::of(body.cookies || !headers.contains_key(AUTHORIZATION));
    Granted { signed_in, person: known.person, company, refresh }.answer(&app, by)
}

/// `POST /v1/auth/logout`, for every role: ends the session. Its access tokens hold for about a
/// second more, its refresh tokens are good no more, and browsers forget their cookies. Answers
/// 204.
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "people", operation_id = "log_out",
    security(("bearer" = [Read::NAME])),
    responses((status = 204, description = "The session has ended."), Always),
)]
async fn sign_out(State(app): State<App>, caller: Allowed<Read>) -> Result<Response, Problem> {
    let SignedIn { person, session } = caller.person()?;

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if sessions::end(&mut tx, person, session, stage::machine::now()).await? {
        let subject = format!("session:{session}");
        audit::note(&mut tx, &caller, app.now(), "session.ended", subject, json!({})).await?;
        tx.commit().await?;
    }

    let mut headers = HeaderMap::new();
    for cookie in Cookie::ALL {
        cookie.clear(&app.settings.public_url, &mut headers);
    }
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
