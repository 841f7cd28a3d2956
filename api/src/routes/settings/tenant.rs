//! `/v1/tenant`: the company itself, and the settings that hold for everything of theirs.

use axum::{Json, extract::State};
use domain::{country::Country, ids::TenantId, money::Currency, zones::Zone};
use serde::Deserialize;
use serde_json::json;
use store::settings::{
    api_keys::KeyRole,
    archive,
    tenants::{self, Tenant},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::senders::{country, read};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, ManagePeople, Needs, Read},
    document::answers::{Always, Conflict, OfBody},
    fields,
    http::{Body, Errors, Kind, Problem, view::TenantView},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change)).routes(routes!(archive_tenant))
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

/// What is to be otherwise about the company. What is not said, or `null`, stays.
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
    /// The currency of all prices and budgets: it is chosen before the first message. Amounts that
    /// are there stay as they are, in the other currency.
    #[serde(default)]
    #[schema(value_type = Option<Currency>)]
    currency: Option<String>,
    #[serde(default)]
    theme: Option<ThemeChange>,
}

/// What is to be otherwise about what the company's pages look like. What is not said, or `null`,
/// stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ThemeChange {
    /// Its colour, as `#6366f1`.
    #[serde(default)]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    colour: Option<String>,
    /// Where its picture is, by https.
    #[serde(default)]
    #[schema(pattern = "^https://", max_length = 2000)]
    logo_url: Option<String>,
    /// What pages call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
}

/// `PATCH /v1/tenant`, for admins and owners: changes the company's settings. They hold for what is
/// decided from then on, within half a minute in every process; a day of a budget that has begun
/// goes on by the zone that it began in. Answers 200 with the company, or 409 where the currency is
/// to change and a message was priced.
#[utoipa::path(
    patch, path = "/v1/tenant", tag = "settings", operation_id = "update_tenant",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = Change, example = json!({
        "name": "Acme Coffee", "time_zone": "America/Chicago",
        "theme": { "colour": "#0f766e", "display_name": "Acme" },
    })),
    responses(
        (status = 200, description = "The company as it is now.", body = TenantView),
        Always, OfBody, Conflict,
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
    if after.currency != before.currency && tenants::has_prices(&mut tx, &caller.tenant).await? {
        let detail = format!(
            "messages are priced in {}: the currency is chosen before the first message",
            before.currency
        );
        return Err(Problem::new(Kind::Conflict, detail));
    }

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

    // what it is
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

    // how it speaks and counts
    if let Some(language) = body.language {
        let is_one = fields::is_language(&language);
        errors.check(is_one, "language", "unknown_language", "two letters, such as en or es");
        tenant.language = language;
    }
    if let Some(written) = &body.currency {
        match written.parse::<Currency>() {
            Ok(currency) => tenant.currency = currency.as_str().to_owned(),
            Err(why) => errors.add("currency", "invalid", why.to_string()),
        }
    }

    // what it looks like
    if let Some(ThemeChange { colour, logo_url, display_name }) = body.theme {
        let theme = &mut tenant.theme;
        theme.colour = colour.unwrap_or_else(|| theme.colour.clone()).to_ascii_lowercase();
        theme.logo_url = logo_url.or_else(|| theme.logo_url.take());
        let display_name = display_name.map(|name| name.trim().to_owned());
        theme.display_name = display_name.or_else(|| theme.display_name.take());
        let (logo_url, name) = (theme.logo_url.as_deref(), theme.display_name.as_deref());
        fields::look("theme.", &theme.colour, logo_url, name, &mut errors);
    }

    errors.done()?;
    Ok(tenant)
}

/// Which company is to be archived: said once more, so that nobody does so by mistake.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Archival {
    /// The key of the caller's company, as `GET /v1/tenant` shows it.
    tenant: TenantId,
}

/// `POST /v1/tenant/archive`, for owners: archives the company. Within some seconds its keys and
/// sessions are refused (403), its campaigns are paused, and nothing of it is sent any more: what
/// waits ends as blocked. What its recipients write is taken as before, opt-outs above all. The
/// platform's operator restores it. Answers 200 with the company.
#[utoipa::path(
    post, path = "/v1/tenant/archive", tag = "settings", operation_id = "archive_tenant",
    security(("bearer" = [ManagePeople::NAME])),
    request_body(content = Archival, example = json!({ "tenant": "acme" })),
    responses(
        (status = 200, description = "The company, archived.", body = TenantView),
        Always, OfBody,
    ),
)]
async fn archive_tenant(
    State(app): State<App>,
    caller: Allowed<ManagePeople>,
    Body(body): Body<Archival>,
) -> Result<Json<TenantView>, Problem> {
    // check
    if caller.role != KeyRole::Owner {
        return Err(Problem::new(Kind::Forbidden, "only an owner archives the company"));
    }
    if body.tenant != *caller.tenant.id() {
        let detail = format!("not your company: yours is {}", caller.tenant);
        return Err(Problem::field("tenant", "not_found", &detail));
    }

    // record: one that was archived just now stays as it is
    let mut tx = app.transactions.of_both(&caller.tenant).await?;
    archive::archive(&mut tx, &caller.tenant, &caller.subject, app.now()).await?;
    let after = tenants::get(&mut tx, &caller.tenant).await?;
    tx.commit().await?;

    // answer
    after.map(|after| Json(TenantView::of(&after))).ok_or_else(|| Problem::not_found("tenant"))
}
