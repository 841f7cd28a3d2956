//! `/v1/analytics`: the totals so far, with what they are of.

use axum::{Json, Router, extract::State, routing::get};
use domain::ids::CampaignId;
use jiff::Timestamp;
use store::{analytics, campaigns};
use uuid::Uuid;
use wire::{subject::Scope, totals::Totals};

use crate::{
    app::App,
    auth::Caller,
    http::{Id, Problem},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/analytics/dashboard", get(dashboard))
        .route("/v1/analytics/campaigns/{id}", get(campaign))
}

/// `GET /v1/analytics/dashboard`, for every role: the totals of the tenant.
async fn dashboard(State(app): State<App>, caller: Caller) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Dashboard).await?;
    Ok(Json(found.unwrap_or_else(|| nothing(app.now(), None))))
}

/// `GET /v1/analytics/campaigns/{id}`, for every role: the totals of a campaign, or 404.
async fn campaign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?.is_none() {
        return Err(Problem::not_found("campaign"));
    }

    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Campaign(id)).await?;
    Ok(Json(found.unwrap_or_else(|| nothing(app.now(), Some(id)))))
}

/// The totals before anything was counted.
fn nothing(as_of: Timestamp, id: Option<Uuid>) -> Totals {
    Totals { as_of, watermark: 0, version: 0, id, totals: [].into() }
}
