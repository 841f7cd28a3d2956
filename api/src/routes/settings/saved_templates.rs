//! `/v1/templates/{id}/versions` and `/preview`: the versions of a saved template, and what its
//! texts become with values.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{ids::TemplateId, message::class::MessageClass};
use serde::{Deserialize, Serialize};
use store::settings::templates;

use super::templates::{Preview, TemplateView, Trial, Variant, view};
use crate::{
    app::App,
    auth::Caller,
    http::{Body, Id, Page, Paging, Problem, Query},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/templates/{id}/versions", get(versions))
        .route("/v1/templates/{id}/preview", post(preview))
}

/// `GET /v1/templates/{id}/versions`, for every role: the versions of a template in pages, the
/// newest first, or 404.
async fn versions(
    State(app): State<App>,
    caller: Caller,
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    /// Without it the latest.
    #[serde(default)]
    version: Option<i32>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Marketing gets the opt-out line.
    #[serde(default)]
    class: Option<MessageClass>,
    /// The recipient's country; without it the tenant's.
    #[serde(default)]
    country: Option<String>,
}

#[derive(Serialize)]
struct SavedPreview {
    template_id: TemplateId,
    version: i32,
    previews: Vec<VariantPreview>,
}

#[derive(Serialize)]
struct VariantPreview {
    variant: String,
    language: String,
    #[serde(flatten)]
    preview: Preview,
}

/// `POST /v1/templates/{id}/preview`, for operators, admins and owners: what each text of a saved
/// template becomes with these values, its segments and its cost. Nothing is stored. 404 where
/// there is no such template or version.
async fn preview(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(values): Body<Values>,
) -> Result<Json<SavedPreview>, Problem> {
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
