//! `/v1/templates`: texts with variables, in versions, with variants and languages.

mod preview;
mod variants;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::ids::TemplateId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::settings::templates::{self, StoredTemplate};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use preview::{Preview, Trial, trial_values};
pub(super) use variants::Variant;
use variants::check;

use crate::{
    app::App,
    auth::{Allowed, EditCampaigns, Needs, Read},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    fields,
    http::{Creation, Errors, Id, Page, Paging, Problem, Query, creation::IdempotencyKey},
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show))
        .routes(routes!(add_version))
        .merge(preview::router())
}

/// A template to be made, with its first version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTemplate {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Ways to say it, of which each person gets one.
    #[schema(min_items = 1, max_items = 26)]
    variants: Vec<Variant>,
    /// What the texts may use beside the contact's own fields.
    #[serde(default)]
    #[schema(max_items = 50, pattern = "^[a-z0-9_]{1,64}$")]
    variables: Vec<String>,
}

/// A version to be added to a template.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewTemplateVersion)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    /// Ways to say it, of which each person gets one.
    #[schema(min_items = 1, max_items = 26)]
    variants: Vec<Variant>,
    /// What the texts may use beside the contact's own fields.
    #[serde(default)]
    #[schema(max_items = 50, pattern = "^[a-z0-9_]{1,64}$")]
    variables: Vec<String>,
}

/// A template in one of its versions.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
pub(super) struct TemplateView {
    id: TemplateId,
    /// What people call it.
    name: String,
    /// From 1, the highest is the newest.
    #[schema(minimum = 1)]
    pub(super) version: i32,
    /// Ways to say it, of which each person gets one.
    #[schema(value_type = Vec<Variant>)]
    variants: Value,
    /// What the texts may use beside the contact's own fields.
    variables: Vec<String>,
    /// When this version was added.
    created_at: Timestamp,
}

pub(super) fn view(template: StoredTemplate) -> TemplateView {
    let StoredTemplate { id, name, version, variants, variables, created_at } = template;
    TemplateView { id, name, version, variants, variables, created_at }
}

fn json(variants: &[Variant]) -> Value {
    wire::json::to_value(&variants)
}

/// `POST /v1/templates`, for operators, admins and owners: makes a template with its first version.
/// Answers 201 with it.
#[utoipa::path(
    post, path = "/v1/templates", tag = "templates", operation_id = "create_template",
    security(("bearer" = [EditCampaigns::NAME])),
    params(IdempotencyKey),
    request_body(content = NewTemplate, example = json!({
        "name": "Spring sale",
        "variants": [{
            "key": "a",
            "weight": 1,
            "bodies": {
                "en": "Hi {first_name|there}, {offer} until Sunday.",
                "es": "Hola {first_name|amiga}, {offer} hasta el domingo.",
            },
        }],
        "variables": ["offer"],
    })),
    responses(
        (status = 201, description = "The new template.", body = TemplateView, headers(
            ("Location" = String, description = "The template's path."),
        )),
        Always, OfBody,
    ),
)]
async fn create(mut new: Creation<EditCampaigns, NewTemplate>) -> Result<Response, Problem> {
    // check
    let mut errors = Errors::default();
    fields::name(&new.body.name, &mut errors);
    check(&new.body.variants, &new.body.variables, &mut errors);
    errors.done()?;

    // record
    let template = StoredTemplate {
        id: TemplateId(ids::fresh()),
        name: new.body.name.trim().to_owned(),
        version: 1,
        variants: json(&new.body.variants),
        variables: std::mem::take(&mut new.body.variables),
        created_at: new.now,
    };
    templates::create(&mut new.tx, &new.caller.tenant, &template).await?;

    // answer
    let path = format!("/v1/templates/{}", template.id);
    new.finish_at(StatusCode::CREATED, &view(template), &path).await
}

/// `POST /v1/templates/{id}/versions`, for operators, admins and owners: adds a version; campaigns
/// that have started keep theirs. Answers 201 with it, or 404.
#[utoipa::path(
    post, path = "/v1/templates/{id}/versions", tag = "templates",
    operation_id = "create_template_version", security(("bearer" = [EditCampaigns::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::TEMPLATE),
    ), IdempotencyKey),
    request_body(content = NewVersion, example = json!({
        "variants": [
            { "key": "a", "weight": 3, "bodies": { "en": "Hi {first_name|there}, last day!" } },
            { "key": "b", "weight": 1, "bodies": { "en": "{first_name|Hello}, last day!" } },
        ],
    })),
    responses(
        (status = 201, description = "The new version.", body = TemplateView),
        Always, OfBody, Missing,
    ),
)]
async fn add_version(
    State(app): State<App>,
    Id(id): Id,
    mut new: Creation<EditCampaigns, NewVersion>,
) -> Result<Response, Problem> {
    // check
    let mut errors = Errors::default();
    check(&new.body.variants, &new.body.variables, &mut errors);
    errors.done()?;

    // record: name and number come from the versions before
    let next = StoredTemplate {
        id: TemplateId(id),
        name: String::new(),
        version: 0,
        variants: json(&new.body.variants),
        variables: std::mem::take(&mut new.body.variables),
        created_at: new.now,
    };
    let added = templates::add_version(&mut new.tx, &new.caller.tenant, &next).await?;
    let added = added.ok_or_else(|| Problem::not_found("template"))?;

    // answer
    let tenant = new.caller.tenant.clone();
    let answer = new.finish(StatusCode::CREATED, &view(added)).await;
    app.named.forget(&tenant);
    answer
}

/// `GET /v1/templates/{id}`, for every role: the latest version of a template, or 404.
#[utoipa::path(
    get, path = "/v1/templates/{id}", tag = "templates", operation_id = "get_template",
    security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::TEMPLATE),
    )),
    responses(
        (status = 200, description = "The latest version.", body = TemplateView), Always, Missing,
    ),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<TemplateView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = templates::get(&mut tx, &caller.tenant, TemplateId(id)).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("template"))
}

/// `GET /v1/templates`, for every role: the templates in pages, each with its latest version.
#[utoipa::path(
    get, path = "/v1/templates", tag = "templates", operation_id = "list_templates",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of templates.", body = Page<TemplateView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TemplateView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = templates::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |template| template.id)))
}
