//! `PATCH /v1/numbers/{id}`: what a tenant says of a number, and which brand and pool it is of.

use axum::{Json, extract::State};
use domain::{
    ids::{BrandId, PoolId, SenderId, TenantId},
    money::Money,
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Scoped,
    settings::{
        numbers::{self, Number},
        pools, senders,
    },
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    number,
    said::{NO_POOL, check_assigned, cost},
    view::{NumberView, shown},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditNumbers, Needs},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Errors, Id, Kind, Problem},
    routes::settings::pools::MOST,
};

/// What is to be otherwise about a number. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = NumberChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// What the carrier takes for it a month, in the tenant's currency.
    #[serde(default)]
    monthly_cost: Option<Money>,
    /// The brand that people know it under.
    #[serde(default)]
    brand: Option<Uuid>,
    /// The pool that it is in, or goes into once it is active.
    #[serde(default)]
    pool: Option<Uuid>,
}

/// `PATCH /v1/numbers/{id}`, for admins and owners: says what a number costs, and assigns it to a
/// brand and a pool. One that is active gets the brand as a sender, and joins the pool, at once.
/// Answers 200 with it, 404, or 409 where the pool is full.
#[utoipa::path(
    patch, path = "/v1/numbers/{id}", tag = "settings", operation_id = "update_number",
    security(("bearer" = [EditNumbers::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The number.", example = json!(examples::NUMBER),
    )),
    request_body(content = Change, example = json!({
        "monthly_cost": { "amount": "1.15", "currency": "USD" }, "brand": examples::BRAND,
    })),
    responses(
        (status = 200, description = "The number as it is now.", body = NumberView),
        Always, OfBody, Missing, Conflict,
    ),
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<NumberView>, Problem> {
    // load
    let (id, now) = (SenderId(id), app.now());
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = number(&mut tx, &tenant.id, id, now, true).await?;

    // check
    let mut errors = Errors::default();
    let cost = cost(body.monthly_cost.as_ref(), &tenant, &mut errors);
    check_assigned(&mut tx, &tenant.id, (body.brand, body.pool), &mut errors).await?;
    errors.done()?;

    // record
    let after = Number {
        monthly_cost: cost.or(before.monthly_cost),
        brand: body.brand.map(BrandId).or(before.brand),
        pool: body.pool.map(PoolId).or(before.pool),
        ..before
    };
    numbers::save(&mut tx, &tenant.id, &after).await?;
    if after.is_active {
        assign(&mut tx, &tenant.id, &after).await?;
    }
    let detail = json!({
        "monthly_cost_micros": after.monthly_cost.map(|cost| cost.0),
        "brand": after.brand, "pool": after.pool,
    });
    let subject = format!("number:{id}");
    audit::note(&mut tx, &caller, now, "number.changed", subject, detail).await?;

    // answer
    let view = shown(&mut tx, &tenant, after, now).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);
    Ok(Json(view))
}

/// Gives the sender of a number the number's brand, and puts it into the number's pool.
pub(super) async fn assign(
    tx: &mut Scoped,
    tenant: &TenantId,
    number: &Number,
) -> Result<(), Problem> {
    let sender = senders::get(tx, tenant, number.id, true).await?;
    let mut sender = sender.ok_or_else(|| Problem::not_found("sender"))?;
    if number.brand.is_some() && sender.brand != number.brand {
        sender.brand = number.brand;
        senders::save(tx, tenant, &sender).await?;
    }

    let Some(pool) = number.pool else { return Ok(()) };
    let pool = pools::get(tx, tenant, pool, true).await?;
    let mut pool = pool.ok_or_else(|| Problem::field("pool", "not_found", NO_POOL))?;
    if pool.senders.contains(&number.id.0) {
        return Ok(());
    }
    if pool.senders.len() >= MOST {
        let detail = format!("the pool has {MOST} senders; choose another");
        return Err(Problem::new(Kind::Conflict, detail));
    }
    pool.senders.push(number.id.0);
    pools::save(tx, tenant, &pool).await?;
    Ok(())
}
