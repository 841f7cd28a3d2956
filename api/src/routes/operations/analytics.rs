//! `/v1/analytics`: the totals so far, with what they are of, and what was counted when.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::ids::{CampaignId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    analytics::{
        self,
        timed::{self, Grain, SeriesPoint},
    },
    campaigns::{self, Campaign},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{subject::Scope, totals::Totals};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
        words::SeriesGrain,
    },
    http::{Id, Problem, Query},
};

/// The most times of one series: a day of minutes, sixty days of hours, four years of days.
const POINTS: i32 = 1_440;

/// How long a series is that says nothing else.
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(dashboard))
        .routes(routes!(dashboard_series))
        .routes(routes!(campaign))
        .routes(routes!(campaign_series))
}

/// `GET /v1/analytics/dashboard`, for every role: the totals of the tenant, as its messages are at
/// this instant.
#[utoipa::path(
    get, path = "/v1/analytics/dashboard", tag = "operations", operation_id = "get_totals",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "The totals.", body = Totals), Always),
)]
async fn dashboard(State(app): State<App>, caller: Allowed<Read>) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Dashboard).await?;
    Ok(Json(found.unwrap_or_else(|| nothing(app.now(), None))))
}

/// `GET /v1/analytics/campaigns/{id}`, for every role: the totals of a campaign, as its messages
/// are at this instant, or 404.
#[utoipa::path(
    get, path = "/v1/analytics/campaigns/{id}", tag = "operations",
    operation_id = "get_campaign_totals",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING))),
    responses((status = 200, description = "The totals.", body = Totals), Always, Missing),
)]
async fn campaign(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<Totals>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let known = must_be_there(&mut tx, &caller.tenant, id).await?;
    let found = analytics::get(&mut tx, &caller.tenant, &Scope::Campaign(id)).await?;

    // The event that tells of it may be on its way: the messages counted here are of this audience.
    let mut totals = found.unwrap_or_else(|| nothing(app.now(), Some(id)));
    if known.audience_size > 0 {
        totals.totals.insert("audience".into(), known.audience_size);
    }
    Ok(Json(totals))
}

/// Which times of a series are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// How long each time is; `hour` where it is not said.
    #[param(inline, value_type = Option<SeriesGrain>, example = "hour")]
    by: Option<String>,
    /// The first instant, at most 1,440 times before `to`; a day before it where it is not said.
    #[param(example = "2026-05-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// The instant at which it ends; now where it is not said.
    #[param(example = "2026-05-02T00:00:00Z")]
    to: Option<Timestamp>,
}

/// What was counted, time by time.
#[derive(Serialize, ToSchema)]
#[schema(as = TotalsSeries)]
struct Series {
    /// How long each time is.
    #[schema(value_type = SeriesGrain)]
    by: &'static str,
    /// The beginning of the first minute, hour or day.
    from: Timestamp,
    /// The instant before which it ends.
    to: Timestamp,
    /// Times in which nothing was counted are left out.
    points: Vec<Point>,
}

/// What was counted in one minute, hour or day.
#[derive(Serialize, ToSchema)]
#[schema(as = TotalsPoint)]
struct Point {
    /// When the span of this point begins.
    starts_at: Timestamp,
    /// How many messages came into each state, and what else was counted then, by the names that
    /// totals have.
    counts: BTreeMap<String, i64>,
}

/// `GET /v1/analytics/dashboard/series?by=&from=&to=`, for every role: what was counted of the
/// tenant, by minutes (kept for 7 days), hours (90 days) or days in UTC.
#[utoipa::path(
    get, path = "/v1/analytics/dashboard/series", tag = "operations",
    operation_id = "get_totals_series",
    security(("bearer" = [Read::NAME])),
    params(Wanted),
    responses((status = 200, description = "The series.", body = Series), Always),
)]
async fn dashboard_series(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Series>, Problem> {
    let span = Span::of(wanted, app.now())?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    span.read(&mut tx, &caller.tenant, &Scope::Dashboard).await
}

/// `GET /v1/analytics/campaigns/{id}/series?by=&from=&to=`, for every role: what was counted of a
/// campaign, by minutes (kept for 7 days), hours (90 days) or days in UTC, or 404.
#[utoipa::path(
    get, path = "/v1/analytics/campaigns/{id}/series", tag = "operations",
    operation_id = "get_campaign_totals_series",
    security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING)),
        Wanted,
    ),
    responses((status = 200, description = "The series.", body = Series), Always, Missing),
)]
async fn campaign_series(
    State(app): State<App>,
    caller: Allowed<Read>,
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

/// The campaign, or 404 where the tenant has none with this id.
async fn must_be_there(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<Campaign, Problem> {
    let found = campaigns::get(tx, tenant, CampaignId(id), false).await?;
    found.ok_or_else(|| Problem::not_found("campaign"))
}

/// The totals before anything was counted.
fn nothing(as_of: Timestamp, id: Option<Uuid>) -> Totals {
    Totals { as_of, watermark: 0, version: 0, id, totals: [].into() }
}
