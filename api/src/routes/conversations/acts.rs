//! `/v1/conversations/{id}/take-over|hand-back|close|reopen|read`: acts without a body. One that
//! changes nothing is answered with the conversation as it is.

use axum::{Json, extract::State};
use domain::conversation::{Act, ConversationOwner, ConversationStatus};
use store::{
    conversations::row::{self, Conversation},
    outbox::insert,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::EventKind;

use super::{
    change::{act, event, find},
    view::{ConversationView, Shown},
};
use crate::{
    app::App,
    auth::{Allowed, Needs, SendMessages},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Problem},
    outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(take_over))
        .routes(routes!(hand_back))
        .routes(routes!(close))
        .routes(routes!(reopen))
        .routes(routes!(read))
}

/// `POST /v1/conversations/{id}/take-over`, for every role but viewer: the caller answers from now
/// on, and whatever the assistant has begun is thrown away. Somebody who has signed in looks after
/// it from then on; a program leaves whoever does. Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/take-over", tag = "conversations",
    operation_id = "take_over_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "The conversation, with a person.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn take_over(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    let person = caller.signed_in.map(|signed_in| signed_in.person);
    let take_over = |conversation: &mut Conversation| {
        let ownership = &mut conversation.ownership;
        let has_it = ownership.owner == ConversationOwner::Person
            && (person.is_none() || ownership.assignee == person);
        if !has_it {
            ownership.take_over(person);
        }
        conversation.attention = None;
    };
    act(&app, &caller, id, Act::TakenOver, take_over).await.map(Json)
}

/// `POST /v1/conversations/{id}/hand-back`, for every role but viewer: the assistant answers from
/// now on, beginning with the next text, and nobody looks after it any more. Answers 200 with it,
/// or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/hand-back", tag = "conversations",
    operation_id = "hand_back_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "It is the assistant's.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn hand_back(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    let hand_back = |conversation: &mut Conversation| {
        if conversation.ownership.owner != ConversationOwner::Assistant {
            conversation.ownership.hand_back();
        }
        conversation.attention = None;
    };
    act(&app, &caller, id, Act::HandedBack, hand_back).await.map(Json)
}

/// `POST /v1/conversations/{id}/close`, for every role but viewer: it is done. When its contact
/// writes again it opens by itself, and is the assistant's. Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/close", tag = "conversations",
    operation_id = "close_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "The conversation, closed.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn close(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    let close = |conversation: &mut Conversation| {
        if conversation.status != ConversationStatus::Closed {
            conversation.ownership.close();
        }
        conversation.status = ConversationStatus::Closed;
        conversation.snoozed_until = None;
        conversation.attention = None;
        conversation.unread = 0;
    };
    act(&app, &caller, id, Act::Closed, close).await.map(Json)
}

/// `POST /v1/conversations/{id}/reopen`, for every role but viewer: it is to be looked at again, by
/// whoever had it. Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/reopen", tag = "conversations",
    operation_id = "reopen_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "The conversation, open.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn reopen(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    let reopen = |conversation: &mut Conversation| {
        conversation.status = ConversationStatus::Open;
        conversation.snoozed_until = None;
    };
    act(&app, &caller, id, Act::Reopened, reopen).await.map(Json)
}

/// `POST /v1/conversations/{id}/read`, for every role but viewer: everything that came has been
/// read. Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/read", tag = "conversations",
    operation_id = "read_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "Nothing of it is unread.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn read(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut found = find(&mut tx, &caller.tenant, id, true).await?;
    let shown = Shown::at(&mut tx, &caller.tenant, now).await?;
    if found.conversation.unread == 0 {
        return Ok(Json(shown.view(found)));
    }

    // record
    found.conversation.unread = 0;
    row::save(&mut tx, &caller.tenant, &mut found.conversation).await?;
    let event = event(EventKind::ConversationRead, &caller, &found.conversation, now);
    insert(&mut tx, std::slice::from_ref(&event)).await?;
    tx.commit().await?;

    // answer
    outbox::publish_soon(&app, event);
    Ok(Json(shown.view(found)))
}
