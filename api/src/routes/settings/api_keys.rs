//! `/v1/api-keys`: the keys that programs sign in with, made, listed and revoked. The key itself is
//! shown once, when it is made. The first one of a tenant comes from `millrace token create`.

mod twin;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::{
    api_keys::{self, KeyKind, KeyRole, KeyRoom, ListedKey, NewKey},
    limits::BrandLimits,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{
        Allowed, Caller, ManageKeys, Needs,
        roles::{self, Permission},
    },
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Errors, Id, Kind, Page, Paging, Problem, Query, creation::refuse_key},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    /// What the key is for, for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do at most: no more than who makes it.
    #[schema(value_type = KeyRole)]
    role: String,
    /// The permissions that it has of its role, each once. Left out, it has all of them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Permission>>, min_items = 1, max_items = 9)]
    scopes: Option<Vec<String>>,
    /// When it ends by itself, in the future. Left out, it works until it is revoked.
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// `test`: it works in the company's twin, where every text stays in the sandbox. Left out, it
    /// is `live`.
    #[serde(default)]
    #[schema(value_type = Option<KeyKind>)]
    mode: Option<String>,
    /// The brands that a live key is limited to: it sees their senders, pools, campaigns, messages
    /// and inboxes. Without brands and inboxes it sees those of the whole company.
    #[serde(default)]
    #[schema(max_items = 100)]
    brands: Vec<Uuid>,
    /// The inboxes that a live key is limited to: of their brands it sees no others.
    #[serde(default)]
    #[schema(max_items = 100)]
    inboxes: Vec<Uuid>,
}

/// A key that a program signs in with. The key itself is shown once, where it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyView {
    /// The key's id: audit trail and ledger name it.
    id: Uuid,
    /// What it is for, for people.
    name: String,
    /// What the key may do at most.
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// Whether it works in the company or in its twin.
    #[schema(value_type = KeyKind)]
    mode: &'static str,
    /// The brands that it is limited to.
    brands: Vec<Uuid>,
    /// The inboxes that it is limited to; without brands and inboxes it sees all.
    inboxes: Vec<Uuid>,
    /// The permissions that it has of its role; null: all of them.
    #[schema(required, value_type = Option<Vec<Permission>>)]
    scopes: Option<Vec<String>>,
    /// When it was made.
    created_at: Timestamp,
    /// When it ends by itself; null: it works until it is revoked.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// When it was used last, to the minute; null: never.
    #[schema(required)]
    last_used_at: Option<Timestamp>,
    /// Null while it works.
    #[schema(required)]
    revoked_at: Option<Timestamp>,
}

fn view(key: ListedKey) -> KeyView {
    KeyView {
        id: key.id,
        name: key.name,
        role: key.role.as_str(),
        mode: key.kind.as_str(),
        brands: key.limits.brands,
        inboxes: key.limits.inboxes,
        scopes: key.scopes,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
        revoked_at: key.revoked_at,
    }
}

/// A key that was made just now, with the key itself: it is never shown again.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
struct MadeKey {
    #[serde(flatten)]
    listed: KeyView,
    /// The key itself, `mr_live_...` or `mr_test_...`: what `Authorization: Bearer` takes.
    key: String,
}

/// `POST /v1/api-keys`, for admins and owners: makes a key, which may do no more than who makes it.
/// Only an owner may make an owner's key (403). With the first test key the company's twin is made,
/// with an account at the sandbox, a sender, a pool and the policy of that moment. Answers 201 with
/// the key, which is never shown again: so an `Idempotency-Key` is refused, since a repeat would
/// have to show it. Answers 409 while 1,000 keys work, or as many as the company's plan has.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "settings", operation_id = "create_api_key",
    security(("bearer" = [ManageKeys::NAME])),
    request_body(content = KeyBody, example = json!({
        "name": "shop", "role": "operator", "scopes": ["read", "send_messages"],
    })),
    responses(
        (status = 201, description = "The new key.", body = MadeKey), Always, OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    headers: HeaderMap,
    Body(body): Body<KeyBody>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    // check
    let now = app.now();
    refuse_key(&headers)?;
    let new = check(&body, now)?;
    may_make(&caller, &new)?;
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = match new.kind {
        KeyKind::Live => app.transactions.begin(&caller.tenant).await?,
        KeyKind::Test => app.transactions.of_both(&caller.tenant).await?,
    };
    fields::are_there(&mut tx, &caller.tenant, &new.limits).await?;
    match api_keys::room(&mut tx, &caller.tenant, now).await? {
        KeyRoom::Some => {}
        KeyRoom::Plan(most) => return Err(Problem::over_plan("api_keys", most)),
        KeyRoom::Full => return Err(Problem::new(Kind::Conflict, full())),
    }

    // record
    let account = match new.kind {
        KeyKind::Live => None,
        KeyKind::Test => twin::make(&app, &mut tx, &tenant).await?,
    };
    let (listed, key) = api_keys::make(&mut tx, &caller.tenant, &caller.subject, &new, now).await?;
    tx.commit().await?;
    if let Some(account) = account {
        twin::announce(&app, &tenant.id, &account).await;
    }

    // answer
    let made = MadeKey { listed: view(listed), key: key.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Why there is no room for another key, and what makes some.
fn full() -> String {
    let (most, kept) = (api_keys::MOST, api_keys::MOST_KEPT);
    format!("{most} keys work, or {kept} are kept with those that have ended: revoke some, or wait")
}

/// The key that the body asks for, or everything that is wrong with it.
fn check(body: &KeyBody, now: Timestamp) -> Result<NewKey<'_>, Problem> {
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let role = fields::role("role", &body.role, &mut errors);

    let permissions = Permission::ALL.map(Permission::as_str).join(", ");
    let scopes = body.scopes.as_deref().unwrap_or_default();
    let some = body.scopes.is_none() || !scopes.is_empty();
    errors.check(some, "scopes", "too_short", "name one or more, or leave the field out");
    for (index, scope) in scopes.iter().enumerate() {
        let field = format!("scopes[{index}]");
        let permission = Permission::from_name(scope);
        errors.check(permission.is_some(), &field, "unknown", &permissions);
        let lacks = |role| permission.is_some_and(|scope| !roles::allows(role, scope));
        errors.check(!role.is_some_and(lacks), &field, "unexpected", "its role does not have this");
        let is_new = !scopes[..index].contains(scope);
        errors.check(is_new, &field, "duplicate", "each permission once");
    }

    let is_ahead = body.expires_at.is_none_or(|end| end > now);
    errors.check(is_ahead, "expires_at", "out_of_range", "in the future");
    let kind = KeyKind::from_name(body.mode.as_deref().unwrap_or(KeyKind::Live.as_str()));
    errors.check(kind.is_some(), "mode", "unknown", "live or test");
    let limits = BrandLimits { brands: body.brands.clone(), inboxes: body.inboxes.clone() };
    fields::limits(role, &limits, &mut errors);
    let is_whole = kind != Some(KeyKind::Test) || limits.are_none();
    errors.check(is_whole, "mode", "unexpected", "a test key sees all of the twin: no brands");

    errors.done()?;
    let role = role.ok_or_else(|| Problem::field("role", "unknown", "no such role"))?;
    let (scopes, expires_at) = (body.scopes.clone(), body.expires_at);
    let kind = kind.unwrap_or(KeyKind::Live);
    Ok(NewKey { name: body.name.trim(), role, kind, scopes, expires_at, limits })
}

/// Whether somebody may make this key: it does no more than they may, and no longer.
fn may_make(caller: &Caller, new: &NewKey<'_>) -> Result<(), Problem> {
    caller.may_give(new.role, new.scopes.as_deref())?;
    match (caller.expires_at, new.expires_at) {
        (Some(own), given) if given.is_none_or(|given| given > own) => {
            let detail = format!("the key that makes it ends at {own}: so must this one");
            Err(Problem::field("expires_at", "out_of_range", detail))
        }
        _ => Ok(()),
    }
}

/// `GET /v1/api-keys`, for admins and owners: the keys in pages, revoked ones among them.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "settings", operation_id = "list_api_keys",
    security(("bearer" = [ManageKeys::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of keys.", body = Page<KeyView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<KeyView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = api_keys::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |key| key.id)))
}

/// `DELETE /v1/api-keys/{id}`, for admins and owners: revokes a key. Only an owner may revoke an
/// owner's key (403). Processes that know it take it for a second more. Answers 200 with the key,
/// also where it was revoked before, or 404.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "settings", operation_id = "revoke_api_key",
    security(("bearer" = [ManageKeys::NAME])),
    params(("id" = Uuid, Path, description = "The key.", example = json!(examples::API_KEY))),
    responses(
        (status = 200, description = "The key, revoked.", body = KeyView), Always, Missing,
    ),
)]
async fn revoke(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    Id(id): Id,
) -> Result<Json<KeyView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let key = api_keys::lock(&mut tx, &caller.tenant, id).await?;
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    if key.revoked_at.is_some() {
        return Ok(Json(view(key)));
    }

    // decide
    if key.role == KeyRole::Owner && caller.role != KeyRole::Owner {
        return Err(Problem::new(Kind::Forbidden, "only an owner may revoke an owner's key"));
    }

    // record
    let now = app.now();
    api_keys::revoke(&mut tx, &caller.tenant, id, now).await?;
    let detail = json!({ "name": key.name, "role": key.role.as_str() });
    let subject = format!("api_key:{id}");
    audit::note(&mut tx, &caller, now, "api_key.revoked", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(ListedKey { revoked_at: Some(now), ..key })))
}
