//! `/v1/senders/{id}`: one sender, shown, changed, and removed.

use axum::{Json, Router, extract::State, routing::get};
use domain::{
    country::Country,
    gates::{CounterKind, LineKey},
    ids::SenderId,
    zones::Zone,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::{
    capacity::lines,
    settings::senders::{self, Sender},
};

use super::senders::{SenderView, check_numbers, read, view};
use crate::{
    app::App,
    audit,
    auth::Caller,
    http::{Body, Errors, Id, Kind, Problem},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/senders/{id}", get(show).patch(change).delete(remove))
}

/// `GET /v1/senders/{id}`, for every role: one sender, or 404.
async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<SenderView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = senders::get(&mut tx, &caller.tenant, SenderId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("sender"))
}

/// What is to be otherwise about a sender. What is not said stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    pace: Option<i32>,
    #[serde(default)]
    active_since: Option<Timestamp>,
    #[serde(default)]
    daily_cap: Option<i32>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    country: Option<String>,
    /// False: it carries nothing until this is true again.
    #[serde(default)]
    usable: Option<bool>,
}

/// `PATCH /v1/senders/{id}`, for admins and owners: changes what is said of a sender; whoever waits
/// for its day is looked at again. Answers 200 with it, or 404.
async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<SenderView>, Problem> {
    // load
    let (now, id) = (app.now(), SenderId(id));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = senders::get(&mut tx, &caller.tenant, id, true).await?;
    let before = before.ok_or_else(|| Problem::not_found("sender"))?;
    let after = changed(before.clone(), body)?;

    // record
    senders::save(&mut tx, &caller.tenant, &after).await?;
    let day = |sender: &Sender| {
        (sender.daily_cap, sender.active_since, sender.time_zone.clone(), sender.usable)
    };
    if day(&before) != day(&after) {
        let line = LineKey { kind: CounterKind::SenderDay, target: Some(id.0) };
        lines::dissolve(&mut tx, &caller.tenant, &[line], now).await?;
    }

    let (before, after) = (view(before), view(after));
    let detail = json!({ "before": &before, "after": &after });
    audit::note(&mut tx, &caller, now, "sender.changed", format!("sender:{id}"), detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(after))
}

/// The sender with a change, or everything that is wrong with the change.
fn changed(mut sender: Sender, body: Change) -> Result<Sender, Problem> {
    let mut errors = Errors::default();
    sender.pace = body.pace.unwrap_or(sender.pace);
    sender.daily_cap = body.daily_cap.unwrap_or(sender.daily_cap);
    check_numbers(sender.pace, sender.daily_cap, &mut errors);

    if let Some(written) = &body.country {
        sender.country = read::<Country>("country", written, &mut errors);
    }
    if let Some(written) = &body.time_zone {
        sender.time_zone = read::<Zone>("time_zone", written, &mut errors);
    }
    sender.active_since = body.active_since.unwrap_or(sender.active_since);
    sender.usable = body.usable.unwrap_or(sender.usable);
    errors.done()?;
    Ok(sender)
}

/// `DELETE /v1/senders/{id}`, for admins and owners: removes a sender, which carries nothing any
/// more. Receipts of what it has sent and texts to its number are taken. Answers 200 with it, 404,
/// or 409 while it is in a pool.
async fn remove(
    State(app): State<App>,
    caller: Caller,
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
    let (subject, removed) = (format!("sender:{id}"), view(Sender { usable: false, ..sender }));
    let detail = wire::json::to_value(&removed);
    audit::note(&mut tx, &caller, now, "sender.removed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(removed))
}
