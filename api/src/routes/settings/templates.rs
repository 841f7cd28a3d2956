//! `/v1/templates`: texts with variables, in versions, with variants and languages.

mod variants;

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use domain::{
    billing::RateCard,
    draft,
    encoding::{Encoding, as_sent, measure},
    ids::TemplateId,
    language::Language,
    message::class::MessageClass,
    money::Money,
    template::{Template as Text, TemplateError, with_opt_out_line},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::settings::{
    templates::{self, StoredTemplate},
    tenants::Tenant,
};

pub(super) use variants::Variant;
use variants::{check, check_body};

use crate::{
    app::App,
    auth::Caller,
    fields,
    http::{
        Body, Creation, Errors, Id, Page, Paging, Problem, Query,
        view::{located, money},
    },
    ids,
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/templates", get(list).post(create))
        .route("/v1/templates/preview", post(preview))
        .route("/v1/templates/{id}", get(show))
        .route("/v1/templates/{id}/versions", post(add_version))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTemplate {
    name: String,
    variants: Vec<Variant>,
    #[serde(default)]
    variables: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    variants: Vec<Variant>,
    #[serde(default)]
    variables: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct TemplateView {
    id: TemplateId,
    name: String,
    pub(super) version: i32,
    variants: Value,
    variables: Vec<String>,
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
async fn create(mut new: Creation<NewTemplate>) -> Result<Response, Problem> {
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
    Ok(located(new.finish(StatusCode::CREATED, &view(template)).await?, &path))
}

/// `POST /v1/templates/{id}/versions`, for operators, admins and owners: adds a version; campaigns
/// that have started keep theirs. Answers 201 with it, or 404.
async fn add_version(Id(id): Id, mut new: Creation<NewVersion>) -> Result<Response, Problem> {
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
    new.finish(StatusCode::CREATED, &view(added)).await
}

/// `GET /v1/templates/{id}`, for every role: the latest version of a template, or 404.
async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<TemplateView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = templates::get(&mut tx, &caller.tenant, TemplateId(id)).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("template"))
}

/// `GET /v1/templates`, for every role: the templates in pages, each with its latest version.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TemplateView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = templates::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |template| template.id)))
}

/// A text to try, with values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    pub(super) body: String,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    /// Marketing gets the opt-out line.
    #[serde(default)]
    pub(super) class: Option<MessageClass>,
    #[serde(default)]
    pub(super) language: Option<String>,
    /// The recipient's country; without it the tenant's.
    #[serde(default)]
    pub(super) country: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Preview {
    text: String,
    encoding: Encoding,
    units: u32,
    segments: u16,
    cost: Money,
    /// The character that forces UCS-2.
    forces_ucs2: Option<char>,
    /// What would keep it from being sent.
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Warning {
    code: &'static str,
    detail: &'static str,
}

/// `POST /v1/templates/preview`, for operators, admins and owners: the text that a body becomes
/// with these values, its segments and its cost. Nothing is stored.
async fn preview(
    State(app): State<App>,
    caller: Caller,
    Body(trial): Body<Trial>,
) -> Result<Json<Preview>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let declared: Vec<String> = trial.variables.keys().cloned().collect();
    check_body("body", &trial.body, &declared, &mut errors);
    errors.done()?;

    // answer
    Ok(Json(trial.preview("body", &tenant)?))
}

impl Trial {
    /// What the trial becomes, and what it costs. `field` is at fault where it becomes nothing.
    pub(super) fn preview(&self, field: &str, tenant: &Tenant) -> Result<Preview, Problem> {
        let rendered = self.rendered(field)?;
        let class = self.class.unwrap_or(MessageClass::Transactional);
        let too_long = (!draft::fits(&rendered, class))
            .then_some(Warning { code: "too_long", detail: draft::TOO_LONG });
        let text = self.complete(&rendered, &tenant.language);
        let measured = measure(&text);
        let country = self.country.as_deref().unwrap_or(&tenant.country).parse();
        let country =
            country.map_err(|_| Problem::field("country", "unknown", "two letters, such as US"))?;
        let cost = RateCard::standard().cost(Some(country), measured.segments);

        Ok(Preview {
            text,
            encoding: measured.encoding,
            units: measured.units,
            segments: measured.segments,
            cost: money(cost, &tenant.currency),
            forces_ucs2: measured.offender,
            warnings: too_long.into_iter().collect(),
        })
    }

    /// The text with its values.
    fn rendered(&self, field: &str) -> Result<String, Problem> {
        let wrong = |why: TemplateError| Problem::field(field, "invalid_template", why.to_string());
        let value = |name: &str| self.variables.get(name).map(String::as_str);
        Text::parse(&self.body).map_err(wrong)?.render(value).map_err(wrong)
    }

    /// The text as a person would read it.
    fn complete(&self, text: &str, tenants_language: &str) -> String {
        let language = self.language.as_deref().unwrap_or(tenants_language);
        let language = Language::from_tag(language).unwrap_or_default();
        let text = if self.class.is_some_and(MessageClass::is_marketing) {
            with_opt_out_line(text, language)
        } else {
            Cow::Borrowed(text)
        };
        as_sent(&text).into_owned()
    }
}
