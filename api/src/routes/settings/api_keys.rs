//! `/v1/api-keys`: the keys that programs sign in with, listed and revoked. `millrace token create`
//! makes them: the key itself is shown once, there.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::settings::api_keys::{self, KeyRole, ListedKey};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, ManageKeys, Needs},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Kind, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(revoke))
}

/// A key that a program signs in with. The key itself is shown once, where it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyView {
    id: Uuid,
    name: String,
    /// What the key may do.
    #[schema(value_type = KeyRole)]
    role: &'static str,
    created_at: Timestamp,
    /// Null while it works.
    #[schema(required)]
    revoked_at: Option<Timestamp>,
}

fn view(key: ListedKey) -> KeyView {
    let ListedKey { id, name, role, created_at, revoked_at } = key;
    KeyView { id, name, role: role.as_str(), created_at, revoked_at }
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
