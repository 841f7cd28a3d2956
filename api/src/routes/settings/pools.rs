//! `/v1/pools`: groups of senders that a campaign spreads over.

use std::collections::HashSet;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    draft::MAX_CANDIDATES,
    ids::{PoolId, TenantId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    settings::{
        pools::{self, Pool},
        senders,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{
        Body, Creation, Errors, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey,
    },
    ids,
};

/// How many senders a pool may have: each of them is offered to every message.
pub(super) const MOST: usize = MAX_CANDIDATES;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, remove))
}

/// A pool to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPool {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The senders, each once.
    #[schema(min_items = 1, max_items = 50)]
    senders: Vec<Uuid>,
}

/// A group of senders.
#[derive(Serialize, ToSchema)]
#[schema(as = Pool)]
struct PoolView {
    id: PoolId,
    /// What people call it.
    name: String,
    /// The senders, in the order in which they were given.
    senders: Vec<Uuid>,
    /// When it was made.
    created_at: Timestamp,
}

fn view(pool: Pool) -> PoolView {
    let Pool { id, name, senders, created_at } = pool;
    PoolView { id, name, senders, created_at }
}

/// `POST /v1/pools`, for admins and owners: makes a pool of senders that exist. Answers 201 with
/// it.
#[utoipa::path(
    post, path = "/v1/pools", tag = "settings", operation_id = "create_pool",
    security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewPool, example = json!({
        "name": "east", "senders": [examples::SENDER],
    })),
    responses((status = 201, description = "The new pool.", body = PoolView), Always, OfBody),
)]
async fn create(mut new: Creation<EditSettings, NewPool>) -> Result<Response, Problem> {
    // check
    check(&mut new.tx, &new.caller.tenant, &new.body).await?;

    // record
    let pool = Pool {
        id: PoolId(ids::fresh()),
        name: new.body.name.trim().to_owned(),
        senders: std::mem::take(&mut new.body.senders),
        created_at: new.now,
    };
    pools::create(&mut new.tx, &new.caller.tenant, &pool).await?;

    // answer
    new.finish(StatusCode::CREATED, &view(pool)).await
}

/// Whether the pool makes sense, and every sender of it is there.
async fn check(tx: &mut Scoped, tenant: &TenantId, body: &NewPool) -> Result<(), Problem> {
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let count = body.senders.len();
    let limits = format!("1 to {MOST} senders; make another pool for more");
    errors.check((1..=MOST).contains(&count), "senders", "out_of_range", &limits);
    let distinct: HashSet<_> = body.senders.iter().collect();
    errors.check(distinct.len() == count, "senders", "duplicate", "each sender once");
    errors.done()?;

    let missing = senders::missing(tx, tenant, &body.senders).await?;
    let mut errors = Errors::default();
    for id in missing {
        let index = body.senders.iter().position(|sender| *sender == id).unwrap_or_default();
        errors.add(&format!("senders[{index}]"), "not_found", "no sender with this id");
    }
    errors.done()
}

/// `GET /v1/pools/{id}`, for every role: one pool, or 404.
#[utoipa::path(
    get, path = "/v1/pools/{id}", tag = "settings", operation_id = "get_pool",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The pool.", example = json!(examples::POOL))),
    responses((status = 200, description = "The pool.", body = PoolView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<PoolView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = pools::get(&mut tx, &caller.tenant, PoolId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("pool"))
}

/// What is to be otherwise about a pool. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = PoolChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What people call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// All the senders that it is to have, each once.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    senders: Option<Vec<Uuid>>,
}

/// `PATCH /v1/pools/{id}`, for admins and owners: changes a pool's name or its senders, for what is
/// not on its way yet. Answers 200 with it, or 404.
#[utoipa::path(
    patch, path = "/v1/pools/{id}", tag = "settings", operation_id = "update_pool",
    security(("bearer" = [EditSettings::NAME])),
    params(("id" = Uuid, Path, description = "The pool.", example = json!(examples::POOL))),
    request_body(content = Change, example = json!({ "name": "everything" })),
    responses(
        (status = 200, description = "The pool as it is now.", body = PoolView),
        Always, OfBody, Missing,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<PoolView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = pools::get(&mut tx, &caller.tenant, PoolId(id), true).await?;
    let before = before.ok_or_else(|| Problem::not_found("pool"))?;

    // check
    let name = body.name.unwrap_or_else(|| before.name.clone());
    let wanted = NewPool { name, senders: body.senders.unwrap_or_else(|| before.senders.clone()) };
    check(&mut tx, &caller.tenant, &wanted).await?;

    // record
    let name = wanted.name.trim().to_owned();
    let after = Pool { name, senders: wanted.senders, ..before.clone() };
    pools::save(&mut tx, &caller.tenant, &after).await?;
    let (before, after) = (view(before), view(after));
    let detail = json!({ "before": &before, "after": &after });
    let (subject, now) = (format!("pool:{id}"), app.now());
    audit::note(&mut tx, &caller, now, "pool.changed", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(after))
}

/// `DELETE /v1/pools/{id}`, for admins and owners: deletes a pool. Answers 200 with what it was,
/// 404, or 409 while a campaign that has not ended is carried by it.
#[utoipa::path(
    delete, path = "/v1/pools/{id}", tag = "settings", operation_id = "delete_pool",
    security(("bearer" = [EditSettings::NAME])),
    params(("id" = Uuid, Path, description = "The pool.", example = json!(examples::SPARE_POOL))),
    responses(
        (status = 200, description = "The pool as it was.", body = PoolView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
) -> Result<Json<PoolView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let pool = pools::get(&mut tx, &caller.tenant, PoolId(id), true).await?;
    let pool = pool.ok_or_else(|| Problem::not_found("pool"))?;

    // check
    let campaigns = pools::campaigns_of(&mut tx, &caller.tenant, pool.id).await?;
    if !campaigns.is_empty() {
        let names = campaigns.join(", ");
        let detail = format!("campaigns that have not ended use this pool: {names}");
        return Err(Problem::new(Kind::Conflict, detail));
    }

    // record
    pools::delete(&mut tx, &caller.tenant, pool.id).await?;
    let (subject, now, removed) = (format!("pool:{id}"), app.now(), view(pool));
    let detail = wire::json::to_value(&removed);
    audit::note(&mut tx, &caller, now, "pool.removed", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(removed))
}

/// `GET /v1/pools`, for every role: the pools in pages.
#[utoipa::path(
    get, path = "/v1/pools", tag = "settings", operation_id = "list_pools",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of pools.", body = Page<PoolView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<PoolView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = pools::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |pool| pool.id)))
}
