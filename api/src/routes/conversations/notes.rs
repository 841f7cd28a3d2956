//! `/v1/conversations/{id}/notes|labels`: what people note about a conversation. Its contact never
//! sees it.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::conversation::{Act, LONGEST_LABEL, LONGEST_NOTE, MOST_LABELS};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    conversations::{
        entries,
        row::{self, Conversation},
    },
    outbox::insert,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::EventKind;

use super::{
    change::{act, by, event, find, subject},
    view::ConversationView,
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Needs, SendMessages},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Creation, Errors, Id, Kind, Problem, creation::IdempotencyKey},
    ids, outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(note)).routes(routes!(label))
}

/// A note to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNote {
    /// What it says.
    #[schema(min_length = 1, max_length = 4096)]
    body: String,
}

/// A note as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Note)]
struct NoteView {
    /// The id of the note.
    id: Uuid,
    /// Who has written it, `key:` or `user:` and their id.
    author: String,
    /// What it says.
    body: String,
    /// When it was written.
    at: Timestamp,
}

/// `POST /v1/conversations/{id}/notes`, for every role but viewer: writes a note, which the contact
/// never sees. Answers 201 with it, 404, or 409 where 10,000 notes and acts stand in the
/// conversation.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/notes", tag = "conversations",
    operation_id = "note_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    ), IdempotencyKey),
    request_body(content = NewNote, example = json!({ "body": "She wants a call on Monday." })),
    responses(
        (status = 201, description = "The note.", body = NoteView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn note(
    State(app): State<App>,
    Id(id): Id,
    mut new: Creation<SendMessages, NewNote>,
) -> Result<Response, Problem> {
    // check
    let (caller, now) = (new.caller.clone(), new.now);
    let mut conversation = find(&mut new.tx, &caller.tenant, id, true).await?.conversation;
    let mut errors = Errors::default();
    errors.text("body", &new.body.body, 1, LONGEST_NOTE);
    errors.done()?;

    // record
    let (note, body) = (ids::fresh(), new.body.body.trim().to_owned());
    let by = by(&caller, &conversation, now);
    if !entries::note(&mut new.tx, by, note, &body).await? {
        let detail = "10,000 notes and acts stand in the conversation: it takes no more";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    row::save(&mut new.tx, &caller.tenant, &mut conversation).await?;
    let event = event(EventKind::ConversationNoted, &caller, &conversation, now);
    insert(&mut new.tx, std::slice::from_ref(&event)).await?;
    let (subject, detail) = (subject(&conversation), json!({ "note": note }));
    audit::note(&mut new.tx, &caller, now, "conversation.noted", subject, detail).await?;

    // answer
    let view = NoteView { id: note, author: caller.subject.clone(), body, at: now };
    let answer = new.finish(StatusCode::CREATED, &view).await?;
    outbox::publish_soon(&app, event);
    Ok(answer)
}

/// The labels of a conversation, all of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Labels {
    /// At most 20, in any order. They are kept in small letters, each once.
    #[schema(max_items = 20, min_length = 1, max_length = 50)]
    labels: Vec<String>,
}

/// `PUT /v1/conversations/{id}/labels`, for every role but viewer: says which labels it has.
/// Answers 200 with it, or 404.
#[utoipa::path(
    put, path = "/v1/conversations/{id}/labels", tag = "conversations",
    operation_id = "label_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    request_body(content = Labels, example = json!({ "labels": ["order", "vip"] })),
    responses(
        (status = 200, description = "The conversation with its labels.", body = ConversationView),
        Always, OfBody, Missing,
    ),
)]
async fn label(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
    Body(body): Body<Labels>,
) -> Result<Json<ConversationView>, Problem> {
    let mut errors = Errors::default();
    errors.check(body.labels.len() <= MOST_LABELS, "labels", "too_many", "at most 20 labels");
    for (index, label) in body.labels.iter().enumerate() {
        errors.text(&format!("labels[{index}]"), label, 1, LONGEST_LABEL);
    }
    errors.done()?;

    let labels: BTreeSet<String> =
        body.labels.iter().map(|label| label.trim().to_lowercase()).collect();
    let label = |conversation: &mut Conversation| {
        conversation.labels = labels.into_iter().collect();
    };
    act(&app, &caller, id, Act::Labelled, label).await.map(Json)
}
