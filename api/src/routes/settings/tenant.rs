//! `/v1/tenant`: the company itself, and the settings that hold for everything of theirs.

use axum::{Json, extract::State};
use domain::{country::Country, zones::Zone};
use serde::Deserialize;
use serde_json::json;
use store::settings::tenants::{self, Tenant};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::senders::{country, read};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::answers::{Always, OfBody},
    fields,
    http::{Body, Errors, Problem, view::TenantView},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// `GET /v1/tenant`, for every role: the company, with the settings that hold for everything of
/// theirs.
#[utoipa::path(
    get, path = "/v1/tenant", tag = "settings", operation_id = "get_tenant",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "The company.", body = TenantView), Always),
)]
async fn show(State(app): State<App>, caller: Allowed<Read>) -> Result<Json<TenantView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = tenants::get(&mut tx, &caller.tenant).await?;
    found.map(|tenant| Json(TenantView::of(&tenant))).ok_or_else(|| Problem::not_found("tenant"))
}

/// What is to be otherwise about the company. What is not said, or `null`, stays. The currency is
/// that of every price and budget, and stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = TenantChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What people call it: they read it in confirmations.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Where numbers without a plus sign are read.
    #[serde(default)]
    #[schema(value_type = Option<Country>)]
    country: Option<String>,
    /// An IANA zone: of the days of budgets, and of recipients of whom nothing better is known.
    #[serde(default)]
    #[schema(max_length = 100, example = "America/New_York")]
    time_zone: Option<String>,
    /// ISO 639-1: of texts to contacts that have none.
    #[serde(default)]
    #[schema(pattern = "^[a-z]{2}$", example = "en")]
    language: Option<String>,
}

/// `PATCH /v1/tenant`, for admins and owners: changes the company's settings. They hold for what is
/// decided from then on, within half a minute in every process; a day of a budget that has begun
/// goes on by the zone that it began in. Answers 200 with the company.
#[utoipa::path(
    patch, path = "/v1/tenant", tag = "settings", operation_id = "update_tenant",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = Change, example = json!({
        "name": "Acme Coffee", "time_zone": "America/Chicago",
    })),
    responses(
        (status = 200, description = "The company as it is now.", body = TenantView),
        Always, OfBody,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<Change>,
) -> Result<Json<TenantView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = tenants::lock(&mut tx, &caller.tenant).await?;
    let before = before.ok_or_else(|| Problem::not_found("tenant"))?;
    let after = changed(before.clone(), body)?;

    // record
    tenants::save(&mut tx, &after).await?;
    let (before, after) = (TenantView::of(&before), TenantView::of(&after));
    let detail = json!({ "before": &before, "after": &after });
    let (subject, now) = (format!("tenant:{}", caller.tenant), app.now());
    audit::note(&mut tx, &caller, now, "tenant.changed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(after))
}

/// The company with a change, or everything that is wrong with the change.
fn changed(mut tenant: Tenant, body: Change) -> Result<Tenant, Problem> {
    let mut errors = Errors::default();
    if let Some(name) = &body.name {
        fields::name(name, &mut errors);
        tenant.name = name.trim().to_owned();
    }
    if let Some(written) = &body.country {
        tenant.country = country(written, &mut errors);
    }
    if let Some(written) = &body.time_zone {
        tenant.time_zone = read::<Zone>("time_zone", written, &mut errors);
    }
    if let Some(language) = body.language {
        let is_one = fields::is_language(&language);
        errors.check(is_one, "language", "unknown_language", "two letters, such as en or es");
        tenant.language = language;
    }
    errors.done()?;
    Ok(tenant)
}
