//! `/v1/brands`: the names that a tenant writes to people under, with what registries of senders
//! say of them.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::ids::BrandId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::{
    brands::{self, Brand},
    tenants::{self, COLOUR},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{
        Body, Creation, Errors, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey,
    },
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change))
}

/// A brand to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBrand {
    /// What the company's people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What recipients know it as; its name where it is not said.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// Its colour, as `#6366f1`, which is also meant where it is not said.
    #[serde(default)]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    colour: Option<String>,
    /// Where its picture is, by https.
    #[serde(default)]
    #[schema(pattern = "^https://", max_length = 2000)]
    logo_url: Option<String>,
    /// What a registry of senders says of it.
    #[serde(default)]
    registration: Option<Registration>,
}

/// What a registry of senders, such as that of 10DLC, says of a brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Registration {
    /// The brand's id at the registry.
    #[schema(min_length = 1, max_length = 64)]
    brand: String,
    /// The id of its campaign at the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    campaign: Option<String>,
    /// How far it has come there.
    state: RegistrationState,
}

/// How far a registration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RegistrationState {
    /// It was handed in, and nobody has decided.
    Pending,
    /// It stands, and texts may be sent under it.
    Approved,
    /// It was refused.
    Rejected,
    /// It stood, and does not at the moment.
    Suspended,
}

/// One of the names that a tenant writes to people under.
#[derive(Serialize, ToSchema)]
#[schema(as = Brand)]
struct BrandView {
    id: BrandId,
    /// What the company's people call it.
    name: String,
    /// What recipients know it as.
    display_name: String,
    /// Its colour, in small letters.
    #[schema(pattern = "^#[0-9a-f]{6}$")]
    colour: String,
    /// Where its picture is; null where it has none.
    #[schema(required, pattern = "^https://")]
    logo_url: Option<String>,
    /// What a registry of senders says of it; null where none does.
    #[schema(required)]
    registration: Option<Registration>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was archived; null while it is in use.
    #[schema(required)]
    archived_at: Option<Timestamp>,
}

fn view(brand: Brand) -> BrandView {
    // One that this version cannot read is shown as none.
    let registration = brand.registration.and_then(|it| serde_json::from_value(it).ok());
    BrandView {
        id: brand.id,
        name: brand.name,
        display_name: brand.display_name,
        colour: brand.colour,
        logo_url: brand.logo_url,
        registration,
        created_at: brand.created_at,
        archived_at: brand.archived_at,
    }
}

/// `POST /v1/brands`, for admins and owners: makes a brand. Answers 201 with it, or 409 where one
/// has its name, or there are 1,000 or as many as the company's plan has.
#[utoipa::path(
    post, path = "/v1/brands", tag = "settings", operation_id = "create_brand",
    security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewBrand, example = json!({
        "name": "Acme Coffee", "display_name": "Acme", "colour": "#0f766e",
        "registration": { "brand": "BEXAMPLE", "campaign": "CEXAMPLE", "state": "approved" },
    })),
    responses(
        (status = 201, description = "The new brand.", body = BrandView), Always, OfBody, Conflict,
    ),
)]
async fn create(mut new: Creation<EditSettings, NewBrand>) -> Result<Response, Problem> {
    // check
    let body = &new.body;
    let brand = checked(Brand {
        id: BrandId(ids::fresh()),
        name: body.name.trim().to_owned(),
        display_name: body.display_name.as_ref().unwrap_or(&body.name).trim().to_owned(),
        colour: body.colour.as_deref().unwrap_or(COLOUR).to_ascii_lowercase(),
        logo_url: body.logo_url.clone(),
        registration: registration(body.registration.as_ref())?,
        created_at: new.now,
        archived_at: None,
    })?;

    // record
    let limits = tenants::lock_limits(&mut new.tx, &new.caller.tenant).await?;
    if let Some(most) = limits.brands
        && brands::count(&mut new.tx, &new.caller.tenant).await? >= i64::from(most)
    {
        return Err(Problem::over_plan("brands", most));
    }
    if !brands::create(&mut new.tx, &new.caller.tenant, &brand).await? {
        return Err(Problem::name_taken("a brand", brands::MOST));
    }
    let (caller, now, view) = (new.caller.clone(), new.now, view(brand));
    let (subject, detail) = (format!("brand:{}", view.id), wire::json::to_value(&view));
    audit::note(&mut new.tx, &caller, now, "brand.created", subject, detail).await?;

    // answer
    new.finish(StatusCode::CREATED, &view).await
}

/// A brand that is right, or everything that is wrong with it.
fn checked(brand: Brand) -> Result<Brand, Problem> {
    let mut errors = Errors::default();
    fields::name(&brand.name, &mut errors);
    let Brand { colour, logo_url, display_name, .. } = &brand;
    fields::look("", colour, logo_url.as_deref(), Some(display_name), &mut errors);
    errors.done()?;
    Ok(brand)
}

/// A registration as it is kept.
fn registration(said: Option<&Registration>) -> Result<Option<serde_json::Value>, Problem> {
    let Some(said) = said else { return Ok(None) };
    let mut errors = Errors::default();
    errors.text("registration.brand", &said.brand, 1, 64);
    if let Some(campaign) = &said.campaign {
        errors.text("registration.campaign", campaign, 1, 64);
    }
    errors.done()?;
    Ok(Some(wire::json::to_value(said)))
}

/// `GET /v1/brands/{id}`, for every role: one brand, or 404.
#[utoipa::path(
    get, path = "/v1/brands/{id}", tag = "settings", operation_id = "get_brand",
    security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The brand.", example = json!(examples::BRAND),
    )),
    responses((status = 200, description = "The brand.", body = BrandView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<BrandView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = brands::get(&mut tx, &caller.tenant, BrandId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("brand"))
}

/// What is to be otherwise about a brand. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = BrandChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What the company's people call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What recipients know it as.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// Its colour, as `#6366f1`.
    #[serde(default)]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    colour: Option<String>,
    /// Where its picture is, by https.
    #[serde(default)]
    #[schema(pattern = "^https://", max_length = 2000)]
    logo_url: Option<String>,
    /// What a registry of senders says of it.
    #[serde(default)]
    registration: Option<Registration>,
    /// True: nothing new belongs to it, until this is false again.
    #[serde(default)]
    archived: Option<bool>,
}

/// `PATCH /v1/brands/{id}`, for admins and owners: changes a brand, or archives it. Answers 200
/// with it, 404, or 409 where another has its name, or where it is to be archived and senders or
/// inboxes belong to it.
#[utoipa::path(
    patch, path = "/v1/brands/{id}", tag = "settings", operation_id = "update_brand",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The brand.", example = json!(examples::BRAND),
    )),
    request_body(content = Change, example = json!({ "colour": "#b45309" })),
    responses(
        (status = 200, description = "The brand as it is now.", body = BrandView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<BrandView>, Problem> {
    // load
    let (now, id) = (app.now(), BrandId(id));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = brands::get(&mut tx, &caller.tenant, id, true).await?;
    let before = before.ok_or_else(|| Problem::not_found("brand"))?;

    // check
    let said = registration(body.registration.as_ref())?;
    let after = checked(Brand {
        name: body.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        display_name: body.display_name.unwrap_or_else(|| before.display_name.clone()),
        colour: body.colour.unwrap_or_else(|| before.colour.clone()).to_ascii_lowercase(),
        logo_url: body.logo_url.or_else(|| before.logo_url.clone()),
        registration: said.or_else(|| before.registration.clone()),
        archived_at: fields::archived_at(before.archived_at, body.archived, now),
        ..before.clone()
    })?;
    if after.archived_at.is_some() && before.archived_at.is_none() {
        let users = brands::in_use_by(&mut tx, &caller.tenant, id).await?;
        if !users.is_empty() {
            let detail = format!("it is in use by {}: give them another brand", users.join(", "));
            return Err(Problem::new(Kind::Conflict, detail));
        }
    }

    // record
    if !brands::save(&mut tx, &caller.tenant, &after).await? {
        return Err(Problem::name_taken("a brand", brands::MOST));
    }
    let (before, after) = (view(before), view(after));
    let detail = json!({ "before": &before, "after": &after });
    audit::note(&mut tx, &caller, now, "brand.changed", format!("brand:{id}"), detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(after))
}

/// `GET /v1/brands`, for every role: the brands in pages, archived ones among them.
#[utoipa::path(
    get, path = "/v1/brands", tag = "settings", operation_id = "list_brands",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of brands.", body = Page<BrandView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<BrandView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = brands::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |brand| brand.id)))
}
