//! `/v1/suppressions`: numbers that have had a promotion so lately that they get none now, and
//! until when, by the policy in force.

use axum::{Json, extract::State};
use domain::{address::Address, message::class::Channel};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{recipients::list, settings::policies};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Conflict},
        examples,
    },
    fields,
    http::{Errors, Kind, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// This number alone.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    phone: Option<String>,
}

/// A number that gets no promotion on a channel for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = Suppression)]
struct SuppressionView {
    /// The number, in E.164.
    #[schema(example = json!(examples::PHONE))]
    phone: String,
    channel: Channel,
    /// When the latest promotion to it passed the gates.
    last_promo_at: Timestamp,
    /// From then on a promotion passes the gate again.
    until: Timestamp,
}

/// `GET /v1/suppressions?phone=`, for every role: the numbers that get no promotion now, in pages.
/// Answers 409 where the policy in force cannot be read.
#[utoipa::path(
    get, path = "/v1/suppressions", tag = "consent", operation_id = "list_suppressions",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of numbers.", body = Page<SuppressionView>),
        Always, Conflict,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<SuppressionView>>, Problem> {
    // check
    let (after, limit) = (paging.after_number_and_channel()?, paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let (phone, home) = (wanted.phone.as_deref(), tenant.country.parse().ok());
    let number = phone.and_then(|phone| fields::number("phone", phone, home, &mut errors));
    errors.done()?;

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let policies = policies::in_force(&mut tx, &[caller.tenant.id()]).await?;
    let Some(policy) = policies.into_values().flatten().next() else {
        let detail = "the policy in force cannot be read, and nothing is sent: put a new one";
        return Err(Problem::new(Kind::Conflict, detail));
    };
    let span = policy.suppression();
    let since = app.now().checked_sub(span).unwrap_or(Timestamp::MIN);
    let address = number.map(Address::from);
    let after = (after.0.as_str(), after.1.as_str());
    let (tenant, address) = (&caller.tenant, address.as_ref());
    let found = list::list_suppressed(&mut tx, tenant, address, since, after, limit).await?;

    // answer
    let view = |one: list::Suppressed| SuppressionView {
        phone: one.address,
        channel: one.channel,
        last_promo_at: one.last_promo_at,
        until: one.last_promo_at.saturating_add(span).unwrap_or(Timestamp::MAX),
    };
    let found: Vec<_> = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |one| format!("{} {}", one.phone, one.channel.as_str()))))
}
