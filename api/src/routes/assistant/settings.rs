//! `/v1/ai/settings`: what the assistant of the company, a brand or an inbox goes by.

use axum::{Json, extract::State, http::StatusCode};
use domain::assistant::{AssistantScope, AssistantSettings};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::settings::assistant::{self, StoredSettings};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::scope::{named, subject};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::answers::{Always, Conflict, OfBody},
    http::{Body, Errors, Kind, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, set, remove))
}

/// What an assistant is to go by.
#[derive(Deserialize, ToSchema)]
#[schema(as = AssistantSettingsChange)]
#[serde(deny_unknown_fields)]
struct SetSettings {
    /// Whose assistant it is.
    #[schema(value_type = AssistantScope)]
    scope: String,
    /// The id of the brand or the inbox; none for the company.
    #[serde(default)]
    target: Option<Uuid>,
    /// The version that this comes after, 0 where there are none: 409 where somebody has changed
    /// them since. Left out, it comes after whatever is there.
    #[serde(default)]
    #[schema(minimum = 0)]
    version: Option<i64>,
    /// All of it: what is left out has its default.
    settings: AssistantSettings,
}

/// What an assistant goes by.
#[derive(Serialize, ToSchema)]
#[schema(as = AssistantSettingsOf)]
struct SettingsView {
    /// Whose assistant it is.
    #[schema(value_type = AssistantScope)]
    scope: &'static str,
    /// The id of the brand or the inbox; null for the company.
    #[schema(required)]
    target: Option<Uuid>,
    /// From 1, raised by every change; 0: the defaults, which nobody has set.
    #[schema(minimum = 0)]
    version: i64,
    #[schema(value_type = AssistantSettings)]
    settings: Value,
    /// When they were changed last; null of version 0.
    #[schema(required)]
    changed_at: Option<Timestamp>,
    /// Who changed them last, `key:` or `user:` and their id; null of version 0.
    #[schema(required)]
    changed_by: Option<String>,
}

fn view(stored: StoredSettings) -> SettingsView {
    SettingsView {
        scope: stored.scope.as_str(),
        target: (stored.scope != AssistantScope::Company).then_some(stored.target),
        version: stored.version,
        settings: stored.body,
        changed_at: Some(stored.changed_at),
        changed_by: Some(stored.changed_by),
    }
}

/// The defaults, by which the assistant of a company goes that has set nothing.
fn defaults() -> SettingsView {
    SettingsView {
        scope: AssistantScope::Company.as_str(),
        target: None,
        version: 0,
        settings: wire::json::to_value(&AssistantSettings::default()),
        changed_at: None,
        changed_by: None,
    }
}

/// `GET /v1/ai/settings`, for every role: what the assistants go by, in pages, the company's first.
/// Of several the most specific holds, whole: the inbox's, else the brand's, else the company's.
#[utoipa::path(
    get, path = "/v1/ai/settings", tag = "settings", operation_id = "list_assistant_settings",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of settings.", body = Page<SettingsView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<SettingsView>>, Problem> {
    let is_first = paging.after_text()?.is_none();
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut page = Vec::new();
    if is_first {
        let company = AssistantScope::Company;
        let found = assistant::get(&mut tx, &caller.tenant, company, Uuid::nil()).await?;
        page.push(found.map_or_else(defaults, view));
    }
    let room = limit - page.len() as i64;
    let found = assistant::list(&mut tx, &caller.tenant, after, room).await?;
    page.extend(found.into_iter().map(view));
    Ok(Json(Page::new(page, limit, |one| one.target.unwrap_or_default())))
}

/// `PUT /v1/ai/settings`, for admins and owners: sets what the assistant of the company, a brand or
/// an inbox goes by, at once. Who is limited to brands may not set the company's (403). Answers 200
/// with it, or 409 where somebody else has changed it since the version that is named.
#[utoipa::path(
    put, path = "/v1/ai/settings", tag = "settings", operation_id = "set_assistant_settings",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = SetSettings, example = json!({
        "scope": "company",
        "settings": {
            "persona": "Friendly and short.",
            "knowledge": "Open Monday to Friday, nine to six. Parking is free.",
            "forbidden": ["promise a discount"],
            "hours": "mon-fri 08:00-20:00",
            "closed_answer": "We are back at eight.",
            "keywords": [{ "words": ["hours"], "answer": "Monday to Friday, nine to six." }],
            "qualification": [{ "name": "visit_day", "about": "when they want to come" }],
            "escalate_on": ["complaint"],
            "budget": { "answers_per_hour": 5, "tokens_per_day": 2_000_000 },
        },
    })),
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsView),
        Always, OfBody, Conflict,
    ),
)]
async fn set(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<SetSettings>,
) -> Result<Json<SettingsView>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut errors = Errors::default();
    for fault in body.settings.faults() {
        errors.add(&format!("settings.{}", fault.field), "out_of_range", fault.fits);
    }
    let (scope, target) = named(&mut tx, &caller, (&body.scope, body.target), errors).await?;
    if scope == AssistantScope::Company {
        caller.sees_all("the company's assistant")?;
    }

    // load
    let before = assistant::get(&mut tx, &caller.tenant, scope, target).await?;
    let known = before.as_ref().map_or(0, |before| before.version);
    let raced = || Problem::new(Kind::Conflict, "somebody else has changed these settings since");
    if body.version.is_some_and(|version| version != known) {
        return Err(raced());
    }

    // record
    let now = app.now();
    let after = StoredSettings {
        scope,
        target,
        version: known + 1,
        body: wire::json::to_value(&body.settings),
        changed_at: now,
        changed_by: caller.subject.clone(),
    };
    if !assistant::save(&mut tx, &caller.tenant, known, &after).await? {
        return Err(raced());
    }
    let was = before.map(|before| before.body);
    let detail = json!({ "version": after.version, "before": was, "after": after.body });
    audit::note(&mut tx, &caller, now, "assistant.changed", subject(scope, target), detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(after)))
}

/// Whose settings are to go.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Named {
    /// Whose assistant it is.
    #[param(value_type = AssistantScope, inline, example = "company")]
    scope: String,
    /// The id of the brand or the inbox; none for the company.
    #[serde(default)]
    target: Option<Uuid>,
}

/// `DELETE /v1/ai/settings`, for admins and owners: takes the settings of the company, a brand or
/// an inbox away, so that the next wider ones hold, or the defaults. Answers 204, also where there
/// were none. Who is limited to brands may not take the company's away (403).
#[utoipa::path(
    delete, path = "/v1/ai/settings", tag = "settings",
    operation_id = "delete_assistant_settings",
    security(("bearer" = [EditSettings::NAME])),
    params(Named),
    responses((status = 204, description = "They are gone."), Always),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Query(query): Query<Named>,
) -> Result<StatusCode, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let asked = (query.scope.as_str(), query.target);
    let (scope, target) = named(&mut tx, &caller, asked, Errors::default()).await?;
    if scope == AssistantScope::Company {
        caller.sees_all("the company's assistant")?;
    }

    // record
    if let Some(before) = assistant::get(&mut tx, &caller.tenant, scope, target).await?
        && assistant::remove(&mut tx, &caller.tenant, scope, target).await?
    {
        let (subject, detail) = (subject(scope, target), json!({ "before": before.body }));
        audit::note(&mut tx, &caller, app.now(), "assistant.deleted", subject, detail).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
