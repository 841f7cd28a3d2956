//! `/v1/templates/{id}/versions` and `/preview`: the versions of a saved template, and what its
//! texts become with values.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{country::Country, ids::TemplateId, message::class::MessageClass};
use serde::{Deserialize, Serialize};
use store::settings::templates;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::templates::{Preview, TemplateView, Trial, Variant, trial_values, view};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Errors, Id, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(versions)).routes(routes!(preview))
}

/// `GET /v1/templates/{id}/versions`, for every role: the versions of a template in pages, the
/// newest first, or 404.
#[utoipa::path(
    get, path = "/v1/templates/{id}/versions", tag = "templates",
    operation_id = "list_template_versions", security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::TEMPLATE),
    ), Paging),
    responses(
        (status = 200, description = "A page of versions.", body = Page<TemplateView>),
        Always, Missing,
    ),
)]
async fn versions(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TemplateView>>, Problem> {
    let (below, limit) = (paging.after_number()?.unwrap_or(i64::MAX), paging.limit()?);
    let below = i32::try_from(below).unwrap_or(i32::MAX);

    let (mut tx, of) = (app.transactions.begin(&caller.tenant).await?, &caller.tenant);
    templates::latest_version(&mut tx, of, TemplateId(id)).await?.ok_or_else(none)?;
    let found = templates::versions(&mut tx, of, TemplateId(id), below, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |one| one.version)))
}

/// The values to try a saved template with.
#[derive(Deserialize, ToSchema)]
#[schema(as = SavedTemplateTrial)]
#[serde(deny_unknown_fields)]
struct Values {
    /// The version to try; the latest where it is not said.
    #[serde(default)]
    #[schema(minimum = 1)]
    version: Option<i32>,
    /// The values of the variables.
    #[serde(default)]
    #[schema(schema_with = trial_values)]
    variables: BTreeMap<String, String>,
    /// Promotions and journeys get the opt-out line; transactional where it is not said.
    #[serde(default)]
    class: Option<MessageClass>,
    /// The recipient's country; the tenant's where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<Country>)]
    country: Option<String>,
}

/// What the texts of a saved template become with values.
#[derive(Serialize, ToSchema)]
#[schema(as = SavedTemplatePreview)]
struct SavedPreview {
    template_id: TemplateId,
    /// The version that was tried.
    version: i32,
    /// One for each variant and language.
    previews: Vec<VariantPreview>,
}

/// What one text of a saved template becomes with values.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateVariantPreview)]
struct VariantPreview {
    /// The variant's key.
    variant: String,
    /// The language of the text, ISO 639-1.
    language: String,
    #[serde(flatten)]
    preview: Preview,
}

/// `POST /v1/templates/{id}/preview`, for every role: what each text of a saved template becomes
/// with these values, its segments and its cost. Nothing is stored. Answers 404 where there is no
/// such template or version.
#[utoipa::path(
    post, path = "/v1/templates/{id}/preview", tag = "templates",
    operation_id = "preview_template", security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::TEMPLATE),
    )),
    request_body(content = Values, example = json!({
        "version": 2, "variables": { "first_name": "Ana" }, "class": "promo", "country": "US",
    })),
    responses(
        (status = 200, description = "What its texts become.", body = SavedPreview),
        Always, OfBody, Missing,
    ),
)]
async fn preview(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Body(values): Body<Values>,
) -> Result<Json<SavedPreview>, Problem> {
    // check
    let mut errors = Errors::default();
    fields::variables("variables", values.variables.len(), &mut errors);
    errors.done()?;

    // load
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let below = values.version.map_or(i32::MAX, |version| version.saturating_add(1));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = templates::versions(&mut tx, &caller.tenant, TemplateId(id), below, 1).await?.pop();
    let is_wanted = |found: i32| values.version.is_none_or(|wanted| wanted == found);
    let found = found.filter(|found| is_wanted(found.version)).ok_or_else(none)?;
    drop(tx);

    // decide
    let variants: Vec<Variant> = serde_json::from_value(found.variants).map_err(|_| newer())?;
    let mut previews = Vec::new();
    for variant in variants {
        for (language, body) in variant.bodies {
            let trial = Trial {
                body,
                variables: values.variables.clone(),
                class: values.class,
                language: Some(language.clone()),
                country: values.country.clone(),
            };
            let preview = trial.preview("variables", &tenant)?;
            previews.push(VariantPreview { variant: variant.key.clone(), language, preview });
        }
    }

    // answer
    Ok(Json(SavedPreview { template_id: TemplateId(id), version: found.version, previews }))
}

fn none() -> Problem {
    Problem::not_found("template")
}

fn newer() -> Problem {
    Problem::unavailable("a newer version stored this template; the platform is being updated", 5)
}
