//! `/v1/canned-answers`: texts with variables that people keep at hand for replies.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::template::{MAX_TEMPLATE, Template};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::conversations::canned::{self, CannedAnswer};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditCampaigns, Needs, Read},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Creation, Errors, Id, Page, Paging, Problem, Query, creation::IdempotencyKey},
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, remove))
}

/// A canned answer to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCannedAnswer {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it says, with variables as templates have them: `{first_name|there}` is the contact's,
    /// `{order}` one that the reply gives, or that the contact's own fields have.
    #[schema(min_length = 1, max_length = 6400)]
    body: String,
}

/// A text that people keep at hand for replies.
#[derive(Serialize, ToSchema)]
#[schema(as = CannedAnswer)]
struct CannedAnswerView {
    /// The id of the answer.
    id: Uuid,
    /// What people call it.
    name: String,
    /// What it says, with variables.
    body: String,
    /// The variables that must have a value.
    required: Vec<String>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was changed last.
    changed_at: Timestamp,
}

fn view(answer: CannedAnswer) -> CannedAnswerView {
    let CannedAnswer { id, name, body, created_at, changed_at } = answer;
    let template = Template::parse(&body).ok();
    let mut required: Vec<String> =
        template.iter().flat_map(Template::required).map(str::to_owned).collect();
    required.sort_unstable();
    required.dedup();
    CannedAnswerView { id, name, body, required, created_at, changed_at }
}

/// The text of a canned answer: it must be one that a template can have.
fn check_body(body: &str, errors: &mut Errors) {
    errors.text("body", body, 1, MAX_TEMPLATE);
    if let Err(why) = Template::parse(body) {
        errors.add("body", "invalid_template", why.to_string());
    }
}

/// `POST /v1/canned-answers`, for operators, admins and owners: keeps an answer at hand. Answers
/// 201 with it, or 409 where one has its name or there are 1,000.
#[utoipa::path(
    post, path = "/v1/canned-answers", tag = "conversations",
    operation_id = "create_canned_answer", security(("bearer" = [EditCampaigns::NAME])),
    params(IdempotencyKey),
    request_body(content = NewCannedAnswer, example = json!({
        "name": "Shipped", "body": "Hi {first_name|there}, order {order} has left our house.",
    })),
    responses(
        (status = 201, description = "The new answer.", body = CannedAnswerView),
        Always, OfBody, Conflict,
    ),
)]
async fn create(mut new: Creation<EditCampaigns, NewCannedAnswer>) -> Result<Response, Problem> {
    // check
    let mut errors = Errors::default();
    fields::name(&new.body.name, &mut errors);
    check_body(&new.body.body, &mut errors);
    errors.done()?;

    // record
    let (tenant, now) = (new.caller.tenant.clone(), new.now);
    let answer = CannedAnswer {
        id: ids::fresh(),
        name: new.body.name.trim().to_owned(),
        body: new.body.body.clone(),
        created_at: now,
        changed_at: now,
    };
    if !canned::create(&mut new.tx, &tenant, &answer).await? {
        return Err(Problem::name_taken("a canned answer", canned::MOST));
    }
    let (caller, subject) = (new.caller.clone(), format!("canned_answer:{}", answer.id));
    let detail = json!({ "name": answer.name });
    audit::note(&mut new.tx, &caller, now, "canned_answer.created", subject, detail).await?;

    // answer
    new.finish(StatusCode::CREATED, &view(answer)).await
}

/// `GET /v1/canned-answers`, for every role: the answers at hand, in pages.
#[utoipa::path(
    get, path = "/v1/canned-answers", tag = "conversations", operation_id = "list_canned_answers",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of answers.", body = Page<CannedAnswerView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CannedAnswerView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = canned::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |one| one.id)))
}

/// `GET /v1/canned-answers/{id}`, for every role: one of them, or 404.
#[utoipa::path(
    get, path = "/v1/canned-answers/{id}", tag = "conversations",
    operation_id = "get_canned_answer", security(("bearer" = [Read::NAME])),
    params((
        "id" = Uuid, Path, description = "The answer.", example = json!(examples::CANNED_ANSWER),
    )),
    responses(
        (status = 200, description = "The answer.", body = CannedAnswerView), Always, Missing,
    ),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<CannedAnswerView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = canned::get(&mut tx, &caller.tenant, id, false).await?;
    found.map(|found| Json(view(found))).ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("canned answer")
}

/// What is to be otherwise about a canned answer. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = CannedAnswerChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What people call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What it says.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 6400)]
    body: Option<String>,
}

/// `PATCH /v1/canned-answers/{id}`, for operators, admins and owners: renames or rewrites one.
/// Answers 200 with it, 404, or 409 where another one has its name.
#[utoipa::path(
    patch, path = "/v1/canned-answers/{id}", tag = "conversations",
    operation_id = "update_canned_answer", security(("bearer" = [EditCampaigns::NAME])),
    params((
        "id" = Uuid, Path, description = "The answer.", example = json!(examples::CANNED_ANSWER),
    )),
    request_body(content = Change, example = json!({ "name": "On its way" })),
    responses(
        (status = 200, description = "The answer as it is now.", body = CannedAnswerView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<CannedAnswerView>, Problem> {
    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut answer = canned::get(&mut tx, &caller.tenant, id, true).await?.ok_or_else(none)?;

    // check
    let mut errors = Errors::default();
    if let Some(name) = body.name {
        fields::name(&name, &mut errors);
        answer.name = name.trim().to_owned();
    }
    if let Some(body) = body.body {
        check_body(&body, &mut errors);
        answer.body = body;
    }
    errors.done()?;
    answer.changed_at = now;

    // record
    if !canned::save(&mut tx, &caller.tenant, &answer).await? {
        return Err(Problem::name_taken("a canned answer", canned::MOST));
    }
    let (subject, detail) = (format!("canned_answer:{id}"), json!({ "name": answer.name }));
    audit::note(&mut tx, &caller, now, "canned_answer.changed", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view(answer)))
}

/// `DELETE /v1/canned-answers/{id}`, for operators, admins and owners: keeps it no longer. Answers
/// 204, or 404.
#[utoipa::path(
    delete, path = "/v1/canned-answers/{id}", tag = "conversations",
    operation_id = "delete_canned_answer", security(("bearer" = [EditCampaigns::NAME])),
    params((
        "id" = Uuid, Path, description = "The answer.", example = json!(examples::CANNED_ANSWER),
    )),
    responses((status = 204, description = "It is removed."), Always, Missing),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if !canned::remove(&mut tx, &caller.tenant, id).await? {
        return Err(none());
    }
    let subject = format!("canned_answer:{id}");
    audit::note(&mut tx, &caller, now, "canned_answer.removed", subject, json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
