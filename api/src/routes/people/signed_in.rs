//! What somebody gets who signs in, and what they may do with it: work for another company, sign
//! out.

use axum::{Json, extract::State, http::StatusCode};
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
    auth::{Allowed, Caller, Needs, Reach, Read, SignedIn, tokens},
    document::answers::{Always, OfBody},
    http::{Body, Kind, Problem, view::PersonView},
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(switch)).routes(routes!(sign_out))
}

/// Tokens of somebody who has signed in, for one company.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// What `Authorization: Bearer` takes.
    access_token: String,
    /// The scheme of the access token: always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the access token holds, in seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// What gets the next tokens (`POST /v1/auth/refresh`): good once, within 30 days.
    refresh_token: String,
    person: PersonView,
    /// The company that they are for.
    #[schema(value_type = TenantId)]
    tenant: TenantId,
    /// What they may do there.
    #[schema(value_type = KeyRole)]
    role: &'static str,
}

impl Tokens {
    /// The tokens of a session.
    ///
    /// # Errors
    /// The platform has no key to sign them with.
    pub(super) fn new(
        app: &App,
        signed_in: SignedIn,
        person: PlatformUser,
        company: &Membership,
        refresh: &SecretString,
    ) -> Result<Self, Problem> {
        let Membership { tenant, role, .. } = company;
        let no_key = || Problem::new(Kind::Internal, "there is no key to sign tokens with");
        let access_token = app.auth.tokens.make(signed_in, tenant).ok_or_else(no_key)?;
        Ok(Self {
            access_token,
            token_type: "Bearer",
            expires_in: tokens::HOLDS,
            refresh_token: refresh.expose_secret().to_owned(),
            person: PersonView::of(person),
            tenant: tenant.clone(),
            role: role.as_str(),
        })
    }
}

/// What somebody is told whose address or password is not right.
pub(super) fn wrong() -> Problem {
    Problem::new(Kind::Unauthenticated, "the address or the password is wrong")
}

/// Begins a session of somebody, for a company.
///
/// # Errors
/// Their password has changed since it was checked.
pub(super) async fn begin(
    app: &App,
    tx: &mut TenantTx,
    person: &PlatformUser,
    password_hash: &str,
    company: &Membership,
) -> Result<(SignedIn, SecretString), Problem> {
    if !people::has_password(tx, person.id, password_hash).await? {
        return Err(wrong());
    }
    let signed_in = SignedIn { person: person.id, session: crate::ids::fresh() };
    let machine = stage::machine::now();
    let SignedIn { session, .. } = signed_in;
    let token = sessions::begin(tx, session, person.id, &company.tenant, machine).await?;

    let reach = Reach::all_of(company.tenant.clone());
    let caller = Caller::of_session(reach, company.role, signed_in);
    let subject = format!("session:{session}");
    audit::note(tx, &caller, app.now(), "session.began", subject, json!({})).await?;
    Ok((signed_in, token))
}

/// The company that is named, or the first of theirs.
///
/// # Errors
/// They do not work for it, or for none.
pub(super) fn one_of(
    companies: Vec<Membership>,
    wanted: Option<&TenantId>,
) -> Result<Membership, Problem> {
    let is_wanted = |company: &Membership| wanted.is_none_or(|wanted| *wanted == company.tenant);
    let found = companies.into_iter().find(is_wanted);
    let detail = "you do not work for this company: sign in without one for the first of yours";
    found.ok_or_else(|| Problem::new(Kind::Forbidden, detail))
}

/// The company to go on with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompanyChoice {
    /// The company's key.
    tenant: TenantId,
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
    Body(body): Body<CompanyChoice>,
) -> Result<Json<Tokens>, Problem> {
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
    let token = sessions::switch(&mut tx, session, &company.tenant, machine).await?;
    let token = token.ok_or_else(gone)?;
    let caller = Caller::of_session(reach, company.role, signed_in);
    let subject = format!("session:{session}");
    audit::note(&mut tx, &caller, app.now(), "session.switched", subject, json!({})).await?;
    tx.commit().await?;

    // answer
    Ok(Json(Tokens::new(&app, signed_in, known.person, &company, &token)?))
}

/// `POST /v1/auth/logout`, for every role: ends the session. Its access tokens hold for about a
/// second more, its refresh tokens are good no more. Answers 204.
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "people", operation_id = "log_out",
    security(("bearer" = [Read::NAME])),
    responses((status = 204, description = "The session has ended."), Always),
)]
async fn sign_out(State(app): State<App>, caller: Allowed<Read>) -> Result<StatusCode, Problem> {
    let SignedIn { person, session } = caller.person()?;

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if sessions::end(&mut tx, person, session, stage::machine::now()).await? {
        let subject = format!("session:{session}");
        audit::note(&mut tx, &caller, app.now(), "session.ended", subject, json!({})).await?;
        tx.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
