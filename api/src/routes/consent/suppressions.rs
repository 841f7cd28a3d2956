//! `/v1/suppressions`: numbers that have had a promotion so lately that they get none now, and
//! until when, by the policy in force.

use axum::{Json, extract::State};
use domain::{
    address::Address,
    draft,
    gates::LEAD_TIME,
    ids::{ContactId, TenantId},
    message::class::Channel,
    quiet_hours::next_allowed,
    zones::{Place, Zone},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stage::Fault;
use store::{Scoped, recipients::list, settings::policies};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Conflict},
        examples,
    },
    dry_run, fields,
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
    /// From then on a promotion may be sent again: the gate lets it pass, and the person's hours
    /// allow it, where they are known.
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
    let zone = Zone::read(&tenant.time_zone).ok();
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
    let places = places(&mut tx, tenant, &found, zone).await?;

    // answer
    let own = [policy.quiet_hours.window];
    let view = |(one, place): (list::Suppressed, Option<Place>)| {
        let passes = one.last_promo_at.saturating_add(span).unwrap_or(Timestamp::MAX);
        let allowed = place.and_then(|place| next_allowed(&place, &own, passes, LEAD_TIME));
        SuppressionView {
            phone: one.address,
            channel: one.channel,
            last_promo_at: one.last_promo_at,
            until: allowed.unwrap_or(passes),
        }
    };
    let found: Vec<_> = found.into_iter().zip(places).map(view).collect();
    Ok(Json(Page::new(found, limit, |one| format!("{} {}", one.phone, one.channel.as_str()))))
}

/// Where these people may be, as far as it is known; none for an address that cannot be read.
async fn places(
    tx: &mut Scoped,
    tenant: &TenantId,
    found: &[list::Suppressed],
    zone: Option<Zone>,
) -> Result<Vec<Option<Place>>, Fault> {
    let addresses: Vec<Option<Address>> =
        found.iter().map(|one| one.address.parse().ok()).collect();
    let known = addresses.iter().flatten();
    let keys: Vec<_> =
        known.map(|address| (ContactId::of(tenant, address.as_str()), address)).collect();
    let mut people = dry_run::people(tx, tenant, Channel::Sms, &keys, false).await?.into_iter();

    let mut place = |address: &Address| {
        let person = people.next().and_then(|one| one.contact).unwrap_or_default();
        draft::place(address, &person, zone)
    };
    Ok(addresses.iter().map(|one| one.as_ref().map(&mut place)).collect())
}
