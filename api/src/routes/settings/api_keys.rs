//! `/v1/api-keys`: the keys that programs sign in with, made, listed and revoked. The key itself is
//! shown once, when it is made. The first one of a tenant comes from `millrace token create`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::api_keys::{self, KeyKind, KeyRole, ListedKey, NewKey};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, ManageKeys, Needs, roles::Permission},
    document::{
        answers::{Always, Missing, OfBody},
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
    #[schema(value_type = Option<Vec<Permission>>, min_items = 1, max_items = 8)]
    scopes: Option<Vec<String>>,
    /// When it ends by itself, in the future. Left out, it works until it is revoked.
    #[serde(default)]
    expires_at: Option<Timestamp>,
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
    let ListedKey { id, name, role, scopes, created_at, expires_at, last_used_at, revoked_at } =
        key;
    let role = role.as_str();
    KeyView { id, name, role, scopes, created_at, expires_at, last_used_at, revoked_at }
}

/// A key that was made just now, with the key itself: it is never shown again.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
struct MadeKey {
    #[serde(flatten)]
    listed: KeyView,
    /// The key itself, `mr_live_...`: what `Authorization: Bearer` takes.
    key: String,
}

/// `POST /v1/api-keys`, for admins and owners: makes a key, which may do no more than who makes it.
/// Only an owner may make an owner's key (403). Answers 201 with the key, which is never shown
/// again: so an `Idempotency-Key` is refused, since a repeat would have to show it.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "settings", operation_id = "create_api_key",
    security(("bearer" = [ManageKeys::NAME])),
    request_body(content = KeyBody, example = json!({
        "name": "shop", "role": "operator", "scopes": ["read", "send_messages"],
    })),
    responses((status = 201, description = "The new key.", body = MadeKey), Always, OfBody),
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
    let role = check(&body, now)?;
    let new = NewKey {
        name: body.name.trim(),
        role,
        kind: KeyKind::Live,
        scopes: body.scopes.clone(),
        expires_at: body.expires_at,
    };
    may_make(&caller, &new)?;

    // record
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let (listed, key) = api_keys::make(&mut tx, &caller.tenant, &caller.subject, &new, now).await?;
    tx.commit().await?;

    // answer
    let made = MadeKey { listed: view(listed), key: key.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, Json(made)))
}

/// The role that the body names, or everything that is wrong with it.
fn check(body: &KeyBody, now: Timestamp) -> Result<KeyRole, Problem> {
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let role = fields::role("role", &body.role, &mut errors);

    let permissions = Permission::ALL.map(Permission::as_str).join(", ");
    let scopes = body.scopes.as_deref().unwrap_or_default();
    let some = body.scopes.is_none() || !scopes.is_empty();
    errors.check(some, "scopes", "too_short", "name one or more, or leave the field out");
    for (index, scope) in scopes.iter().enumerate() {
        let field = format!("scopes[{index}]");
        let is_known = Permission::from_name(scope).is_some();
        errors.check(is_known, &field, "unknown", &permissions);
        let is_new = !scopes[..index].contains(scope);
        errors.check(is_new, &field, "duplicate", "each permission once");
    }

    let is_ahead = body.expires_at.is_none_or(|end| end > now);
    errors.check(is_ahead, "expires_at", "out_of_range", "in the future");
    errors.done()?;
    role.ok_or_else(|| Problem::field("role", "unknown", "no such role"))
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
