//! `/v1/me/...`: what somebody who has signed in sees and changes of their own.

use axum::{Json, extract::State, http::StatusCode};
use domain::ids::TenantId;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    people::{self, KnownPerson, members, sessions},
    settings::api_keys::KeyRole,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, Needs, Read, SignedIn, passwords},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Errors, Id, Kind, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tenants))
        .routes(routes!(list_sessions))
        .routes(routes!(end_session))
        .routes(routes!(change_password))
}

/// The person who has signed in.
async fn known(tx: &mut Scoped, caller: &Caller) -> Result<KnownPerson, Problem> {
    let found = people::get(tx, caller.person()?.person).await?;
    found.ok_or_else(|| Problem::new(Kind::Unauthenticated, "the person is not known any more"))
}

/// Everything of a kind: there are few.
#[derive(Serialize, ToSchema)]
struct Companies {
    /// All of them, in the order in which the person came there.
    data: Vec<CompanyView>,
}

/// A company that somebody works for.
#[derive(Serialize, ToSchema)]
#[schema(as = Company)]
struct CompanyView {
    #[schema(value_type = TenantId)]
    id: TenantId,
    /// What people call it.
    name: String,
    /// What they may do there.
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// When it was archived: nobody works for it then; null while it is in use.
    #[schema(required)]
    archived_at: Option<Timestamp>,
}

/// `GET /v1/me/tenants`, for every role: the companies that the person works for, in the order in
/// which they came there. For people who have signed in; programs get 403.
#[utoipa::path(
    get, path = "/v1/me/tenants", tag = "people", operation_id = "list_my_tenants",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "The companies.", body = Companies), Always),
)]
async fn tenants(
    State(app): State<App>,
    caller: Allowed<Read>,
) -> Result<Json<Companies>, Problem> {
    let SignedIn { person, .. } = caller.person()?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let companies = members::companies(&mut tx, person).await?;
    let view = companies.into_iter().map(|company| CompanyView {
        id: company.tenant,
        name: company.name,
        role: company.role.as_str(),
        archived_at: company.archived_at,
    });
    Ok(Json(Companies { data: view.collect() }))
}

/// The sessions of a person: at most 50.
#[derive(Serialize, ToSchema)]
struct Sessions {
    /// All of them, the one that was used last first.
    data: Vec<SessionView>,
}

/// What a person has from signing in until they sign out.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    /// The session's id, which ends it.
    id: Uuid,
    /// Whether it is the one of this request.
    is_current: bool,
    /// When the person signed in.
    created_at: Timestamp,
    /// When it got its newest tokens.
    used_at: Timestamp,
    /// When it ends, unless it is used before that.
    ends_at: Timestamp,
}

/// `GET /v1/me/sessions`, for every role: the person's sessions that have not ended, the one that
/// was used last first. For people who have signed in; programs get 403.
#[utoipa::path(
    get, path = "/v1/me/sessions", tag = "people", operation_id = "list_my_sessions",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "The sessions.", body = Sessions), Always),
)]
async fn list_sessions(
    State(app): State<App>,
    caller: Allowed<Read>,
) -> Result<Json<Sessions>, Problem> {
    let SignedIn { person, session: current } = caller.person()?;

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = sessions::list(&mut tx, person, stage::machine::now()).await?;
    let view = found.into_iter().map(|session| SessionView {
        id: session.id,
        is_current: session.id == current,
        created_at: session.created_at,
        used_at: session.used_at,
        ends_at: session.ends_at,
    });
    Ok(Json(Sessions { data: view.collect() }))
}

/// `DELETE /v1/me/sessions/{id}`, for every role: ends a session of the person. Processes that know
/// it take its access tokens for about a second more. Answers 204, or 404.
#[utoipa::path(
    delete, path = "/v1/me/sessions/{id}", tag = "people", operation_id = "end_my_session",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The session.", example = json!(examples::SESSION))),
    responses((status = 204, description = "The session has ended."), Always, Missing),
)]
async fn end_session(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let SignedIn { person, .. } = caller.person()?;

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if !sessions::end(&mut tx, person, id, stage::machine::now()).await? {
        return Err(Problem::not_found("session"));
    }
    let subject = format!("session:{id}");
    audit::note(&mut tx, &caller, app.now(), "session.ended", subject, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A password in place of the one that holds, or the first one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one that holds now. Not looked at where the person has none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, max_length = 200)]
    current: Option<SecretString>,
    /// 12 to 200 characters that are not easily guessed.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 200)]
    new: SecretString,
}

/// `PUT /v1/me/password`, for every role: gives the person another password, or the first one where
/// they sign in by codes alone, and ends their other sessions. Answers 204, or 401 where the
/// current one is wrong; 422 where they have one and do not say it.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "people", operation_id = "change_my_password",
    security(("bearer" = [Read::NAME])),
    request_body(content = PasswordChange, example = json!({
        "current": examples::PASSWORD, "new": "a wheel in the water",
    })),
    responses(
        (status = 204, description = "The new password holds."), Always, OfBody, Conflict,
    ),
)]
async fn change_password(
    State(app): State<App>,
    caller: Allowed<Read>,
    Body(body): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    // check
    let SignedIn { person, session } = caller.person()?;
    app.auth.attempts.count(&person.to_string(), None)?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let known = known(&mut tx, &caller).await?;
    drop(tx);
    let (who, before) = (known.person, known.password_hash);
    if let Some(hash) = &before {
        let missing = || Problem::field("current", "required", "the password that holds now");
        let current = body.current.as_ref().ok_or_else(missing)?;
        if !passwords::is_right(current, Some(hash.clone())).await? {
            return Err(Problem::new(Kind::Unauthenticated, "this is not the current password"));
        }
    }
    let mut errors = Errors::default();
    let about = who.email.as_deref().or(who.phone.as_deref()).unwrap_or_default();
    passwords::check("new", &body.new, about, &mut errors);
    errors.done()?;

    // record: nobody has changed it since it was looked at
    let hash = passwords::hash(&body.new).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    people::lock(&mut tx, person, None).await?;
    if self::known(&mut tx, &caller).await?.password_hash != before {
        return Err(Problem::new(Kind::Conflict, "the password was changed at this moment"));
    }
    people::set_password(&mut tx, person, &hash).await?;
    sessions::end_others(&mut tx, person, session, stage::machine::now()).await?;
    let subject = format!("user:{person}");
    let action = if before.is_some() { "user.password_changed" } else { "user.password_set" };
    audit::note(&mut tx, &caller, app.now(), action, subject, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
