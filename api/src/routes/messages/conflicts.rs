//! `/v1/messages/conflicts`: other bodies that came under a key and were accepted before that was
//! known. The first body stands; these were told of by `message.rejected`, and never sent.

use axum::{Json, extract::State};
use domain::ids::MessageId;
use jiff::Timestamp;
use serde::Serialize;
use store::messages::{
    conflicts::{self, Conflict},
    list::AgePosition,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query, time_and_id},
};

/// Before every conflict.
const NEWEST: AgePosition = (Timestamp::MAX, Uuid::max());

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Another body than the first under a key.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageConflict)]
struct ConflictView {
    /// The id that was answered when it was accepted, which is the id of the first body as well.
    message_id: MessageId,
    /// When it was seen that the key belongs to another body.
    at: Timestamp,
    /// Whether a message with this id is there, which is the first body's. False: the first batch
    /// under the key has no such item, and nothing of the second batch was taken.
    message_exists: bool,
}

fn view(conflict: Conflict) -> ConflictView {
    let Conflict { message, at, has_message } = conflict;
    ConflictView { message_id: message, at, message_exists: has_message }
}

/// `GET /v1/messages/conflicts`, for every role: other bodies under a key that were answered 202
/// because the database was away, and refused afterwards; in pages, the newest first. They are kept
/// as long as messages. Who is limited to brands sees those of messages that they see.
#[utoipa::path(
    get, path = "/v1/messages/conflicts", tag = "messages",
    operation_id = "list_message_conflicts",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of conflicts.", body = Page<ConflictView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ConflictView>>, Problem> {
    let (before, limit) = (paging.after_time_and_id()?.unwrap_or(NEWEST), paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = conflicts::list(&mut tx, &caller.tenant, before, limit).await?;

    let found = found.into_iter().map(view).collect();
    let key = |one: &ConflictView| time_and_id(one.at, one.message_id);
    Ok(Json(Page::new(found, limit, key)))
}
