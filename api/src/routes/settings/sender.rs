//! `/v1/senders/{id}`: one sender, shown, changed, and removed.

use axum::{Json, extract::State};
use domain::{
    country::Country,
    gates::{CounterKind, LineKey},
    ids::{BrandId, SenderId},
    zones::Zone,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::{
    capacity::lines,
    settings::{
        health,
        senders::{self, Sender},
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::senders::{
    NO_BRAND, SenderView, check_numbers, check_start, country, is_brand,
    pools::{self, PoolMoves},
    read, shown, view,
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Errors, Id, Kind, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change, remove))
}

/// `GET /v1/senders/{id}`, for every role: one sender, or 404.
#[utoipa::path(
    get, path = "/v1/senders/{id}", tag = "settings", operation_id = "get_sender",
    security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The sender.", example = json!(examples::SENDER),
    )),
    responses((status = 200, description = "The sender.", body = SenderView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<SenderView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = senders::get(&mut tx, &caller.tenant, SenderId(id), false).await?;
    let found = found.ok_or_else(|| Problem::not_found("sender"))?;
    let view = shown(&mut tx, &caller.tenant, app.now(), vec![found]).await?.pop();
    view.map(Json).ok_or_else(|| Problem::not_found("sender"))
}

/// What is to be otherwise about a sender. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = SenderChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// How many segments a second it may carry.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10000)]
    pace: Option<i32>,
    /// When its warm-up began.
    #[serde(default)]
    active_since: Option<Timestamp>,
    /// How many messages a day it may carry once it is warmed up.
    #[serde(default)]
    #[schema(minimum = 1)]
    daily_cap: Option<i32>,
    /// The IANA zone of its days.
    #[serde(default)]
    #[schema(max_length = 100, example = "America/New_York")]
    time_zone: Option<String>,
    /// The country whose recipients it is for.
    #[serde(default)]
    #[schema(value_type = Option<Country>)]
    country: Option<String>,
    /// False: it carries nothing until this is true again.
    #[serde(default)]
    usable: Option<bool>,
    /// The brand that people know it under.
    #[serde(default)]
    brand: Option<uuid::Uuid>,
    /// All the pools that it is to be in, each once: it is put into these, and taken out of every
    /// other. A pool keeps one sender at least.
    #[serde(default)]
    #[schema(max_items = 100)]
    pools: Option<Vec<uuid::Uuid>>,
}

/// `PATCH /v1/senders/{id}`, for admins and owners: changes what is said of a sender; whoever waits
/// for its day is looked at again. Answers 200 with it, or 404.
#[utoipa::path(
    patch, path = "/v1/senders/{id}", tag = "settings", operation_id = "update_sender",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The sender.", example = json!(examples::SENDER),
    )),
    request_body(content = Change, example = json!({ "pace": 20, "daily_cap": 5000 })),
    responses(
        (status = 200, description = "The sender as it is now.", body = SenderView),
        Always, OfBody, Missing,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<SenderView>, Problem> {
    // load
    let (now, id) = (app.now(), SenderId(id));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = senders::get(&mut tx, &caller.tenant, id, true).await?;
    let before = before.ok_or_else(|| Problem::not_found("sender"))?;
    let is_brand = is_brand(&mut tx, &caller.tenant, body.brand).await?;
    let PoolMoves { changed: moved, errors } =
        pools::moves(&mut tx, &caller.tenant, id, body.pools.as_deref()).await?;
    let after = changed(before.clone(), body, is_brand, errors, now)?;

    // record
    senders::save(&mut tx, &caller.tenant, &after).await?;
    for pool in &moved {
        senders::save_pool(&mut tx, &caller.tenant, pool).await?;
    }
    if before.usable != after.usable {
        health::wake(&mut tx, &caller.tenant, &[id]).await?;
    }
    let day = |sender: &Sender| {
        (sender.daily_cap, sender.active_since, sender.time_zone.clone(), sender.usable)
    };
    if day(&before) != day(&after) {
        let line = LineKey { kind: CounterKind::SenderDay, target: Some(id.0) };
        lines::dissolve(&mut tx, &caller.tenant, &[line], now).await?;
    }

    let changed = after.clone();
    let (before, after) = (view(before), view(after));
    let moved: Vec<&str> = moved.iter().map(|pool| pool.name.as_str()).collect();
    let detail = json!({ "before": &before, "after": &after, "pools_changed": moved });
    audit::note(&mut tx, &caller, now, "sender.changed", format!("sender:{id}"), detail).await?;
    let answer = shown(&mut tx, &caller.tenant, now, vec![changed]).await?.pop();
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    answer.map(Json).ok_or_else(|| Problem::not_found("sender"))
}

/// The sender with a change, or everything that is wrong with the change: `errors` say what is of
/// its pools.
fn changed(
    mut sender: Sender,
    body: Change,
    is_brand: bool,
    mut errors: Errors,
    now: Timestamp,
) -> Result<Sender, Problem> {
    sender.pace = body.pace.unwrap_or(sender.pace);
    sender.daily_cap = body.daily_cap.unwrap_or(sender.daily_cap);
    check_numbers(sender.pace, sender.daily_cap, &mut errors);

    if let Some(written) = &body.country {
        sender.country = country(written, &mut errors);
    }
    if let Some(written) = &body.time_zone {
        sender.time_zone = read::<Zone>("time_zone", written, &mut errors);
    }
    if let Some(active_since) = body.active_since {
        check_start(active_since, now, &mut errors);
        sender.active_since = active_since;
    }
    sender.usable = body.usable.unwrap_or(sender.usable);
    errors.check(is_brand, "brand", "not_found", NO_BRAND);
    sender.brand = body.brand.map(BrandId).or(sender.brand);
    errors.done()?;
    Ok(sender)
}

/// `DELETE /v1/senders/{id}`, for admins and owners: removes a sender, which carries nothing any
/// more. Receipts of what it has sent and texts to its number are taken. Answers 200 with it, 404,
/// or 409 while it is in a pool.
#[utoipa::path(
    delete, path = "/v1/senders/{id}", tag = "settings", operation_id = "delete_sender",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The sender.", example = json!(examples::SPARE_SENDER),
    )),
    responses(
        (status = 200, description = "The sender, which carries nothing.", body = SenderView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
) -> Result<Json<SenderView>, Problem> {
    // load
    let (now, id) = (app.now(), SenderId(id));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let sender = senders::get(&mut tx, &caller.tenant, id, true).await?;
    let sender = sender.ok_or_else(|| Problem::not_found("sender"))?;

    // check
    let pools = senders::pools_of(&mut tx, &caller.tenant, id).await?;
    if !pools.is_empty() {
        let detail = format!("the sender is in pools: take it out of {}", pools.join(", "));
        return Err(Problem::new(Kind::Conflict, detail));
    }

    // record
    senders::remove(&mut tx, &caller.tenant, id, now).await?;
    health::wake(&mut tx, &caller.tenant, &[id]).await?;
    let (subject, removed) = (format!("sender:{id}"), view(Sender { usable: false, ..sender }));
    let detail = wire::json::to_value(&removed);
    audit::note(&mut tx, &caller, now, "sender.removed", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(removed))
}
