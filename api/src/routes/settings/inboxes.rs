//! `/v1/inboxes`: where the conversations of a brand are looked after.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::ids::{BrandId, InboxId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::{
    brands,
    inboxes::{self, Inbox},
};
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
    fields,
    http::{
        Body, Creation, Errors, Id, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey,
    },
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change))
}

/// An inbox to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInbox {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The brand whose conversations are looked after in it.
    brand: Uuid,
}

/// Where the conversations of a brand are looked after.
#[derive(Serialize, ToSchema)]
#[schema(as = Inbox)]
struct InboxView {
    id: InboxId,
    /// What people call it.
    name: String,
    /// The brand whose conversations are looked after in it.
    brand: BrandId,
    /// When it was made.
    created_at: Timestamp,
    /// When it was archived; null while it is in use.
    #[schema(required)]
    archived_at: Option<Timestamp>,
}

fn view(inbox: Inbox) -> InboxView {
    let Inbox { id, brand, name, created_at, archived_at } = inbox;
    InboxView { id, name, brand, created_at, archived_at }
}

/// `POST /v1/inboxes`, for admins and owners: makes an inbox of a brand that is in use. Answers 201
/// with it, or 409 where one of the brand has its name or there are 1,000.
#[utoipa::path(
    post, path = "/v1/inboxes", tag = "settings", operation_id = "create_inbox",
    security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewInbox, example = json!({
        "name": "Support", "brand": examples::BRAND,
    })),
    responses(
        (status = 201, description = "The new inbox.", body = InboxView), Always, OfBody, Conflict,
    ),
)]
async fn create(mut new: Creation<EditSettings, NewInbox>) -> Result<Response, Problem> {
    // check
    let (tenant, brand) = (new.caller.tenant.clone(), BrandId(new.body.brand));
    let found = brands::get(&mut new.tx, &tenant, brand, true).await?;
    let mut errors = Errors::default();
    fields::name(&new.body.name, &mut errors);
    let is_there = found.is_some_and(|brand| brand.archived_at.is_none());
    errors.check(is_there, "brand", "not_found", "a brand that is not archived");
    errors.done()?;

    // record
    let (id, name) = (InboxId(ids::fresh()), new.body.name.trim().to_owned());
    let inbox = Inbox { id, brand, name, created_at: new.now, archived_at: None };
    if !inboxes::create(&mut new.tx, &tenant, &inbox).await? {
        return Err(Problem::name_taken("an inbox of the brand", inboxes::MOST));
    }
    let (caller, now, view) = (new.caller.clone(), new.now, view(inbox));
    let (subject, detail) = (format!("inbox:{id}"), wire::json::to_value(&view));
    audit::note(&mut new.tx, &caller, now, "inbox.created", subject, detail).await?;

    // answer
    new.finish(StatusCode::CREATED, &view).await
}

/// `GET /v1/inboxes/{id}`, for every role: one inbox, or 404.
#[utoipa::path(
    get, path = "/v1/inboxes/{id}", tag = "settings", operation_id = "get_inbox",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The inbox.", example = json!(examples::INBOX))),
    responses((status = 200, description = "The inbox.", body = InboxView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<InboxView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = inboxes::get(&mut tx, &caller.tenant, InboxId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("inbox"))
}

/// What is to be otherwise about an inbox. What is not said, or `null`, stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = InboxChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What people call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// True: nobody looks into it, until this is false again.
    #[serde(default)]
    archived: Option<bool>,
}

/// `PATCH /v1/inboxes/{id}`, for admins and owners: renames an inbox, or archives it. Answers 200
/// with it, 404, or 409 where another of its brand has its name, or where it is taken back and its
/// brand is archived.
#[utoipa::path(
    patch, path = "/v1/inboxes/{id}", tag = "settings", operation_id = "update_inbox",
    security(("bearer" = [EditSettings::NAME])),
    params(("id" = Uuid, Path, description = "The inbox.", example = json!(examples::INBOX))),
    request_body(content = Change, example = json!({ "name": "Orders" })),
    responses(
        (status = 200, description = "The inbox as it is now.", body = InboxView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<InboxView>, Problem> {
    // load
    let (now, id) = (app.now(), InboxId(id));
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = inboxes::get(&mut tx, &caller.tenant, id, true).await?;
    let before = before.ok_or_else(|| Problem::not_found("inbox"))?;

    // check
    let mut errors = Errors::default();
    let name = body.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned());
    fields::name(&name, &mut errors);
    errors.done()?;
    let archived_at = fields::archived_at(before.archived_at, body.archived, now);
    if archived_at.is_none() && before.archived_at.is_some() {
        let brand = brands::get(&mut tx, &caller.tenant, before.brand, true).await?;
        if brand.is_none_or(|brand| brand.archived_at.is_some()) {
            let detail = "its brand is archived: take that back first";
            return Err(Problem::new(Kind::Conflict, detail));
        }
    }
    let after = Inbox { name, archived_at, ..before.clone() };

    // record
    if !inboxes::save(&mut tx, &caller.tenant, &after).await? {
        return Err(Problem::name_taken("an inbox of the brand", inboxes::MOST));
    }
    let (before, after) = (view(before), view(after));
    let detail = json!({ "before": &before, "after": &after });
    audit::note(&mut tx, &caller, now, "inbox.changed", format!("inbox:{id}"), detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(after))
}

/// `GET /v1/inboxes`, for every role: the inboxes in pages, archived ones among them.
#[utoipa::path(
    get, path = "/v1/inboxes", tag = "settings", operation_id = "list_inboxes",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of inboxes.", body = Page<InboxView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<InboxView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = inboxes::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |inbox| inbox.id)))
}
