//! `/v1/numbers`: the numbers that a tenant has at its carriers. They are looked for, ordered,
//! taken over, assigned, made senders, and given back here, and not in a carrier's dashboard.

mod activate;
mod available;
mod carrier;
mod change;
mod import;
mod of_account;
mod order;
mod release;
mod said;
mod validate;
mod view;

use axum::{Json, extract::State};
use domain::ids::{SenderId, TenantId};
use jiff::Timestamp;
use store::{
    Scoped,
    settings::numbers::{self, Number},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::view::{NumberView, shown, views};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, order::order))
        .routes(routes!(available::available))
        .routes(routes!(import::import))
        .routes(routes!(show, change::change, release::release))
        .routes(routes!(activate::activate))
        .routes(routes!(of_account::of_account))
        .routes(routes!(validate::validate))
}

/// `GET /v1/numbers`, for every role: the numbers in pages, each with what it costs a month, what
/// it has carried in 30 days, and how far its warm-up is.
#[utoipa::path(
    get, path = "/v1/numbers", tag = "settings", operation_id = "list_numbers",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of numbers.", body = Page<NumberView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<NumberView>>, Problem> {
    let (after, limit, now) = (paging.after_id()?, paging.limit()?, app.now());
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = numbers::list(&mut tx, &caller.tenant, after, limit, now).await?;
    let views = views(&mut tx, &tenant, found, now).await?;
    Ok(Json(Page::new(views, limit, |number| number.id)))
}

/// `GET /v1/numbers/{id}`, for every role: one number, or 404.
#[utoipa::path(
    get, path = "/v1/numbers/{id}", tag = "settings", operation_id = "get_number",
    security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The number.", example = json!(examples::NUMBER),
    )),
    responses((status = 200, description = "The number.", body = NumberView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<NumberView>, Problem> {
    let (id, now) = (SenderId(id), app.now());
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = number(&mut tx, &tenant.id, id, now, false).await?;
    Ok(Json(shown(&mut tx, &tenant, found, now).await?))
}

/// A number of the tenant's, locked until the transaction ends where it is to be changed; or 404.
async fn number(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    now: Timestamp,
    lock: bool,
) -> Result<Number, Problem> {
    let found = numbers::get(tx, tenant, id, now, lock).await?;
    found.ok_or_else(|| Problem::not_found("number"))
}
