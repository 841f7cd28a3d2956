//! `/v1/analytics`: the totals so far, with what they are of, and what was counted when.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State, routing::get};
use domain::ids::{CampaignId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    analytics::{
        self,
        timed::{self, Grain, SeriesPoint},
    },
    campaigns,
};
use uuid::Uuid;
use wire::{subject::Scope, totals::Totals};

use crate::{
    app::App,
    auth::Caller,
    http::{Id, Problem, Query},
};

/// The most times of one series: a day of minutes, sixty days of hours, four years of days.
const POINTS: i32 = 1_440;

/// How long a series is that says nothing else.
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/analytics/dashboard", get(dashboard))
        .route("/v1/analytics/dashboard/series", get(dashboard_series))
        .route("/v1/analytics/campaigns/{id}", get(campaign))
        .route("/v1/analytics/campaigns/{id}/series", get(campaign_series))
}

/// `GET /v1/analytics/dashboard`, for every role: the totals of the tenant, as its messages are at
/// this instant.
async fn dashboard(State(app): State<App>, caller: Caller) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Dashboard).await?;
    Ok(Json(found.unwrap_or_else(|| nothing(app.now(), None))))
}

/// `GET /v1/analytics/campaigns/{id}`, for every role: the totals of a campaign, as its messages
/// are at this instant, or 404.
async fn campaign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    must_be_there(&mut tx, &caller.tenant, id).await?;
    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Campaign(id)).await?;
    Ok(Json(found.unwrap_or_else(|| nothing(app.now(), Some(id)))))
}

/// Which times of a series are wanted.
#[derive(Deserialize)]
struct Wanted {
    /// `minute`, `hour` (the default) or `day`.
    by: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Serialize)]
struct Series {
    by: &'static str,
    from: Timestamp,
    to: Timestamp,
    /// Times in which nothing was counted are left out.
    points: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    starts_at: Timestamp,
    /// How many messages came into each state, and what else was counted then.
    counts: BTreeMap<String, i64>,
}

/// `GET /v1/analytics/dashboard/series?by=&from=&to=`, for every role: what was counted of the
/// tenant, by minutes (kept for 7 days), hours (90 days) or days in UTC.
async fn dashboard_series(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Series>, Problem> {
    let span = Span::of(wanted, app.now())?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    span.read(&mut tx, &caller.tenant, &Scope::Dashboard).await
}

/// `GET /v1/analytics/campaigns/{id}/series?by=&from=&to=`, for every role: what was counted of a
/// campaign, likewise, or 404.
async fn campaign_series(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Series>, Problem> {
    let span = Span::of(wanted, app.now())?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    must_be_there(&mut tx, &caller.tenant, id).await?;
    span.read(&mut tx, &caller.tenant, &Scope::Campaign(id)).await
}

/// The times of a series.
struct Span {
    grain: Grain,
    from: Timestamp,
    before: Timestamp,
}

impl Span {
    fn of(wanted: Wanted, now: Timestamp) -> Result<Self, Problem> {
        let grain = match wanted.by.as_deref() {
            None => Grain::Hour,
            Some(name) => Grain::from_name(name)
                .ok_or_else(|| Problem::field("by", "unknown_grain", "minute, hour or day"))?,
        };
        let before = wanted.to.unwrap_or(now);
        let from = wanted.from.unwrap_or(before.saturating_sub(DAY).unwrap_or(Timestamp::MIN));
        if from >= before {
            return Err(Problem::field("from", "out_of_range", "an instant before `to`"));
        }

        let most = grain.length().saturating_mul(POINTS);
        if before.duration_since(from) > most {
            let detail = format!("at most {POINTS} times: a later instant, or a longer `by`");
            return Err(Problem::field("from", "out_of_range", detail));
        }
        Ok(Self { grain, from: grain.start_of(from), before })
    }

    async fn read(
        &self,
        tx: &mut Scoped,
        tenant: &TenantId,
        scope: &Scope,
    ) -> Result<Json<Series>, Problem> {
        let span = (self.from, self.before);
        let points = timed::series(tx, tenant, scope, self.grain, span).await?;
        let point = |one: SeriesPoint| Point { starts_at: one.starts_at, counts: one.counts };
        let points = points.into_iter().map(point).collect();
        Ok(Json(Series { by: self.grain.as_str(), from: self.from, to: self.before, points }))
    }
}

/// Answers 404 where the tenant has no such campaign.
async fn must_be_there(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<(), Problem> {
    let found = campaigns::get(tx, tenant, CampaignId(id), false).await?;
    found.map(drop).ok_or_else(|| Problem::not_found("campaign"))
}

/// The totals before anything was counted.
fn nothing(as_of: Timestamp, id: Option<Uuid>) -> Totals {
    Totals { as_of, watermark: 0, version: 0, id, totals: [].into() }
}
