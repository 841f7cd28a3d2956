//! `/v1/ai/tools`: what the company's assistants may look up at a server of the company.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::assistant::{AssistantTool, MOST_TOOLS};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::settings::assistant_tools::{self, StoredTool};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Creation, Errors, Id, Page, Paging, Problem, Query, creation::IdempotencyKey},
    ids,
};

/// The header that carries a secret where none is named.
const HEADER: &str = "authorization";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, remove))
}

/// A tool to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewAssistantTool)]
#[serde(deny_unknown_fields)]
struct NewTool {
    /// What the model calls it: small letters, digits and `_`; not `answer`.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", max_length = 40)]
    name: String,
    /// What it is for, and when it is to be used, as the model reads it.
    #[schema(min_length = 1, max_length = 500)]
    description: String,
    /// The form of its input, as JSON Schema: an object, at most four deep and 8 KiB, of `type`,
    /// `description`, `enum`, `properties`, `required`, `additionalProperties` and `items`.
    #[schema(value_type = Object)]
    input_schema: Value,
    /// Where it is called, by POST, at a host that the platform's operator has listed.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
    /// The header that carries the secret: `authorization`, or one that begins with `x-`;
    /// `authorization` where a secret is given and none is named.
    #[serde(default)]
    #[schema(pattern = "^(authorization|x-[a-z0-9-]{1,60})$", max_length = 64)]
    header: Option<String>,
    /// What the header says, which no answer shows; null: no header is sent.
    #[serde(default)]
    #[schema(pattern = "^[ -~]{1,1024}$", write_only)]
    secret: Option<String>,
    /// How many seconds a call may take; 3 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10)]
    timeout_seconds: Option<i16>,
}

/// What the company's assistants may look up.
#[derive(Serialize, ToSchema)]
#[schema(as = AssistantTool)]
struct ToolView {
    /// The id of the tool.
    id: Uuid,
    /// What the model calls it.
    name: String,
    /// What it is for, as the model reads it.
    description: String,
    /// The form of its input.
    #[schema(value_type = Object)]
    input_schema: Value,
    /// Where it is called, by POST.
    url: String,
    /// The header that carries its secret; null where it has none.
    #[schema(required)]
    header: Option<String>,
    /// How many seconds a call may take.
    timeout_seconds: i16,
    /// Whether its host is one that the operator lists now; one that is not is not called.
    allowed: bool,
    /// When it was made.
    created_at: Timestamp,
    /// When it was changed last.
    changed_at: Timestamp,
}

fn view(app: &App, stored: StoredTool) -> ToolView {
    let StoredTool { id, tool, created_at, changed_at, .. } = stored;
    let AssistantTool { name, description, schema, url, header, timeout_seconds } = tool;
    let caller = app.settings.tools.as_ref();
    let allowed = caller.is_some_and(|caller| caller.check(&url).is_ok());
    ToolView {
        id,
        name,
        description,
        input_schema: schema,
        url,
        header,
        timeout_seconds,
        allowed,
        created_at,
        changed_at,
    }
}

/// Everything that is wrong with a tool and its secret.
fn check(app: &App, tool: &AssistantTool, secret: Option<&str>, errors: &mut Errors) {
    for fault in tool.faults() {
        errors.add(&fault.field, "out_of_range", fault.fits);
    }
    match app.settings.tools.as_ref().map(|caller| caller.check(&tool.url)) {
        Some(Ok(())) => {}
        Some(Err(why)) => errors.add("url", "not_allowed", why.to_string()),
        None => errors.add("url", "not_allowed", "this platform calls no tools"),
    }
    let is_header = |text: &str| {
        let is_seen = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        (1..=1024).contains(&text.len()) && text.trim() == text && text.bytes().all(is_seen)
    };
    let fits = "1 to 1024 ASCII characters, no blank at its ends";
    errors.check(secret.is_none_or(is_header), "secret", "invalid", fits);
}

/// `POST /v1/ai/tools`, for admins and owners: gives the company's assistants something to look up.
/// Its secret goes in and never comes out. Answers 201 with the tool, or 409 where one has its name
/// or there are 10. Who is limited to brands may not (403).
#[utoipa::path(
    post, path = "/v1/ai/tools", tag = "settings", operation_id = "create_assistant_tool",
    security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewTool, example = json!({
        "name": "order_status",
        "description": "Where an order is, by its number.",
        "input_schema": {
            "type": "object",
            "properties": { "order": { "type": "string", "description": "The order's number." } },
            "required": ["order"],
        },
        "url": "https://orders.example.com/status",
        "secret": "Bearer an-example",
        "timeout_seconds": 2,
    })),
    responses(
        (status = 201, description = "The new tool.", body = ToolView),
        Always, OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    mut new: Creation<EditSettings, NewTool>,
) -> Result<Response, Problem> {
    // check
    new.caller.sees_all("the company's tools")?;
    let body = &new.body;
    let header = body.header.clone().or_else(|| body.secret.is_some().then(|| HEADER.to_owned()));
    let tool = AssistantTool {
        name: body.name.clone(),
        description: body.description.trim().to_owned(),
        schema: body.input_schema.clone(),
        url: body.url.clone(),
        header,
        timeout_seconds: body.timeout_seconds.unwrap_or(AssistantTool::TIMEOUT),
    };
    let mut errors = Errors::default();
    check(&app, &tool, body.secret.as_deref(), &mut errors);
    let is_whole = tool.header.is_none() || body.secret.is_some();
    errors.check(is_whole, "secret", "required", "what the header says");
    errors.done()?;

    // record
    let (tenant, now) = (new.caller.tenant.clone(), new.now);
    let stored = StoredTool {
        id: ids::fresh(),
        tool,
        sealed_secret: body.secret.as_ref().map(|secret| app.sealer.seal(secret.as_bytes())),
        created_at: now,
        changed_at: now,
    };
    if !assistant_tools::create(&mut new.tx, &tenant, &stored).await? {
        return Err(Problem::name_taken("a tool", MOST_TOOLS));
    }
    let (caller, subject) = (new.caller.clone(), format!("assistant_tool:{}", stored.id));
    let detail = json!({ "name": stored.tool.name, "url": stored.tool.url });
    audit::note(&mut new.tx, &caller, now, "assistant_tool.created", subject, detail).await?;

    // answer
    new.finish(StatusCode::CREATED, &view(&app, stored)).await
}

/// `GET /v1/ai/tools`, for every role: what the company's assistants may look up, in pages.
#[utoipa::path(
    get, path = "/v1/ai/tools", tag = "settings", operation_id = "list_assistant_tools",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of tools.", body = Page<ToolView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ToolView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = assistant_tools::list(&mut tx, &caller.tenant, after, limit).await?;
    let page = found.into_iter().map(|tool| view(&app, tool)).collect();
    Ok(Json(Page::new(page, limit, |one| one.id)))
}

/// `GET /v1/ai/tools/{id}`, for every role: one of them, or 404.
#[utoipa::path(
    get, path = "/v1/ai/tools/{id}", tag = "settings", operation_id = "get_assistant_tool",
    security(("bearer" = [Read::NAME])),
    params((
        "id" = Uuid, Path, description = "The tool.", example = json!(examples::ASSISTANT_TOOL),
    )),
    responses((status = 200, description = "The tool.", body = ToolView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<ToolView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = assistant_tools::get(&mut tx, &caller.tenant, id, false).await?;
    found.map(|found| Json(view(&app, found))).ok_or_else(none)
}

pub(super) fn none() -> Problem {
    Problem::not_found("tool")
}

/// What is to be otherwise about a tool. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = AssistantToolChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What the model calls it.
    #[serde(default)]
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", max_length = 40)]
    name: Option<String>,
    /// What it is for, as the model reads it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    description: Option<String>,
    /// The form of its input.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Value>,
    /// Where it is called, by POST. A tool with a secret needs its secret again where this is
    /// another server: no secret goes where it was not given for.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    url: Option<String>,
    /// The header that carries its secret.
    #[serde(default)]
    #[schema(pattern = "^(authorization|x-[a-z0-9-]{1,60})$", max_length = 64)]
    header: Option<String>,
    /// What the header says from now on, which no answer shows.
    #[serde(default)]
    #[schema(pattern = "^[ -~]{1,1024}$", write_only)]
    secret: Option<String>,
    /// How many seconds a call may take.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10)]
    timeout_seconds: Option<i16>,
}

impl Change {
    /// The tool as it is to be.
    fn of(&self, before: &AssistantTool) -> AssistantTool {
        let header = self.header.clone().or_else(|| before.header.clone());
        AssistantTool {
            name: self.name.clone().unwrap_or_else(|| before.name.clone()),
            description: match &self.description {
                Some(description) => description.trim().to_owned(),
                None => before.description.clone(),
            },
            schema: self.input_schema.clone().unwrap_or_else(|| before.schema.clone()),
            url: self.url.clone().unwrap_or_else(|| before.url.clone()),
            header: header.or_else(|| self.secret.is_some().then(|| HEADER.to_owned())),
            timeout_seconds: self.timeout_seconds.unwrap_or(before.timeout_seconds),
        }
    }
}

/// `PATCH /v1/ai/tools/{id}`, for admins and owners: changes one, at once. Answers 200 with it,
/// 404, or 409 where another one has its name. Who is limited to brands may not (403).
#[utoipa::path(
    patch, path = "/v1/ai/tools/{id}", tag = "settings", operation_id = "update_assistant_tool",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = Uuid, Path, description = "The tool.", example = json!(examples::ASSISTANT_TOOL),
    )),
    request_body(content = Change, example = json!({ "timeout_seconds": 5 })),
    responses(
        (status = 200, description = "The tool as it is now.", body = ToolView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<ToolView>, Problem> {
    // load
    caller.sees_all("the company's tools")?;
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = assistant_tools::get(&mut tx, &caller.tenant, id, true).await?;
    let before = before.ok_or_else(none)?;

    // check
    let tool = body.of(&before.tool);
    let mut errors = Errors::default();
    check(&app, &tool, body.secret.as_deref(), &mut errors);
    let stays =
        before.sealed_secret.is_some() && carriers::is_same_place(&before.tool.url, &tool.url);
    let is_whole = tool.header.is_none() || body.secret.is_some() || stays;
    errors.check(is_whole, "secret", "required", "what the header says to this server");
    errors.done()?;

    // record
    let secret = body.secret.as_ref().map(|secret| app.sealer.seal(secret.as_bytes()));
    let changes_secret = secret.is_some();
    let sealed_secret = secret.or(before.sealed_secret);
    let stored = StoredTool { tool, sealed_secret, changed_at: now, ..before };
    if !assistant_tools::save(&mut tx, &caller.tenant, &stored).await? {
        return Err(Problem::name_taken("a tool", MOST_TOOLS));
    }
    let subject = format!("assistant_tool:{id}");
    let detail = json!({ "name": stored.tool.name, "url": stored.tool.url,
                         "secret": changes_secret });
    audit::note(&mut tx, &caller, now, "assistant_tool.changed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(&app, stored)))
}

/// `DELETE /v1/ai/tools/{id}`, for admins and owners: takes one away, at once. Answers 204, or 404.
/// Who is limited to brands may not (403).
#[utoipa::path(
    delete, path = "/v1/ai/tools/{id}", tag = "settings", operation_id = "delete_assistant_tool",
    security(("bearer" = [EditSettings::NAME])),
    params((
        "id" = Uuid, Path, description = "The tool.", example = json!(examples::ASSISTANT_TOOL),
    )),
    responses((status = 204, description = "It is removed."), Always, Missing),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    caller.sees_all("the company's tools")?;
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let name = assistant_tools::remove(&mut tx, &caller.tenant, id).await?.ok_or_else(none)?;
    let (subject, detail) = (format!("assistant_tool:{id}"), json!({ "name": name }));
    audit::note(&mut tx, &caller, now, "assistant_tool.removed", subject, detail).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
