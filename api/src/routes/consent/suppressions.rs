//! `/v1/suppressions`: numbers that have had a promotion so lately that they get none now, and
//! until when, by the policy in force.

use axum::{Json, Router, extract::State, routing::get};
use domain::{address::Address, message::class::Channel};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{recipients::list, settings::policies};

use crate::{
    app::App,
    auth::Caller,
    fields,
    http::{Errors, Kind, Page, Paging, Problem, Query},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/suppressions", get(list))
}

#[derive(Deserialize)]
struct Wanted {
    phone: Option<String>,
}

#[derive(Serialize)]
struct SuppressionView {
    phone: String,
    channel: Channel,
    last_promo_at: Timestamp,
    /// From then on a promotion passes the gate again.
    until: Timestamp,
}

/// `GET /v1/suppressions?phone=`, for every role: the numbers that get no promotion now, in pages.
/// Answers 409 where the policy in force cannot be read.
async fn list(
    State(app): State<App>,
    caller: Caller,
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
    let policies = policies::in_force(&mut tx, &[&caller.tenant]).await?;
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
