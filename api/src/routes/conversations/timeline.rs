//! `/v1/conversations/{id}/messages`: what stands in a conversation, in one order.

use axum::{Json, extract::State};
use domain::{
    conversation::Act,
    ids::{CampaignId, MediaId, SenderId},
    message::{class::MessageClass, state::MessageState},
    money::Money,
};
use jiff::Timestamp;
use serde::Serialize;
use store::conversations::timeline::{self, Entry, EntryDetail};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::change::find;
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Page, Paging, Problem, Query, time_and_id, view::money},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(messages))
}

/// What kind of thing stands in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConversationEntryKind)]
#[serde(rename_all = "snake_case")]
enum EntryKind {
    /// A text of the contact.
    In,
    /// A message to the contact, or what was written to them on the company's phone itself.
    Out,
    /// A note, which the contact never sees.
    Note,
    /// Something that was done with the conversation.
    Act,
}

/// Who has written a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MessageWriter)]
#[serde(rename_all = "snake_case")]
enum Writer {
    /// A person, or a program in their place, by a reply; or somebody on the phone itself.
    Person,
    /// The assistant has written it.
    Assistant,
    /// A campaign, a program, or what the law has answered.
    Other,
}

/// One thing in a conversation. What a kind does not have is null.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationEntry)]
struct EntryView {
    /// Its id; of a message that of `GET /v1/messages/{id}`.
    id: Uuid,
    kind: EntryKind,
    /// When it came, went, was written or done.
    at: Timestamp,
    /// What a text, a message or a note says; null once it is no longer kept.
    #[schema(required)]
    body: Option<String>,
    /// Of a note, an act or a reply: who, `key:` or `user:` and their id; `phone` for what was
    /// written on the company's phone itself.
    #[schema(required)]
    author: Option<String>,
    /// Of an act: what was done.
    #[schema(required)]
    act: Option<Act>,
    /// Of a text: what it was taken for, such as `text` or `opt_out`.
    #[schema(required, max_length = 64)]
    meaning: Option<String>,
    /// Of a text: what came with it. `GET /v1/media/{id}` says what each is.
    media: Vec<MediaId>,
    /// Of a text or a message: the company's sender.
    #[schema(required)]
    sender_id: Option<SenderId>,
    /// Of a message: who has written it.
    #[schema(required)]
    writer: Option<Writer>,
    /// Of a message: where it stands. What was written on the phone has none, as the carrier
    /// reports nothing of it here.
    #[schema(required)]
    status: Option<MessageState>,
    /// Of a message: the reason of a gate, or the error of the carrier.
    #[schema(required)]
    code: Option<String>,
    #[schema(required)]
    class: Option<MessageClass>,
    /// Of a message: the campaign that it belongs to.
    #[schema(required)]
    campaign_id: Option<CampaignId>,
    /// Of a message: how many segments it takes.
    #[schema(required, minimum = 0)]
    segments: Option<i16>,
    /// Of a message: what it costs.
    #[schema(required)]
    cost: Option<Money>,
}

/// `GET /v1/conversations/{id}/messages`, for every role: texts in and out, notes and what was
/// done, in pages, the newest first; or 404. Messages are those to the contact by a sender of the
/// conversation, also of campaigns, and what was written on the phone itself.
#[utoipa::path(
    get, path = "/v1/conversations/{id}/messages", tag = "conversations",
    operation_id = "list_conversation_messages", security(("bearer" = [Read::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    ), Paging),
    responses(
        (status = 200, description = "A page of the conversation.", body = Page<EntryView>),
        Always, Missing,
    ),
)]
async fn messages(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<EntryView>>, Problem> {
    // check
    let limit = paging.limit()?;
    let before = paging.after_time_and_id()?.unwrap_or((Timestamp::MAX, Uuid::max()));
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = find(&mut tx, &caller.tenant, id, false).await?.conversation;
    let entries = timeline::before(&mut tx, &caller.tenant, &found, before, limit).await?;

    // answer
    let entries = entries.into_iter().map(|entry| view(entry, &tenant.currency)).collect();
    Ok(Json(Page::new(entries, limit, |one: &EntryView| time_and_id(one.at, one.id))))
}

fn view(entry: Entry, currency: &str) -> EntryView {
    let kept = |body: String| Some(body).filter(|body| !body.is_empty());
    let blank = EntryView {
        id: entry.id,
        kind: EntryKind::Act,
        at: entry.at,
        body: None,
        author: None,
        act: None,
        meaning: None,
        media: Vec::new(),
        sender_id: None,
        writer: None,
        status: None,
        code: None,
        class: None,
        campaign_id: None,
        segments: None,
        cost: None,
    };

    match entry.detail {
        EntryDetail::Act { author, act } => {
            EntryView { author: Some(author), act: Some(act), ..blank }
        }
        EntryDetail::Note { author, body } => {
            EntryView { kind: EntryKind::Note, author: Some(author), body: kept(body), ..blank }
        }
        EntryDetail::In(text) => EntryView {
            kind: EntryKind::In,
            body: kept(text.body),
            meaning: Some(text.meaning),
            media: text.media,
            sender_id: Some(text.sender),
            ..blank
        },
        EntryDetail::Phone(text) => EntryView {
            kind: EntryKind::Out,
            body: kept(text.body),
            writer: Some(Writer::Person),
            author: Some(text.author),
            sender_id: text.sender,
            ..blank
        },
        EntryDetail::Out(message) => EntryView {
            kind: EntryKind::Out,
            body: kept(message.body),
            writer: Some(match (&message.author, message.is_of_assistant) {
                (Some(_), _) => Writer::Person,
                (None, true) => Writer::Assistant,
                (None, false) => Writer::Other,
            }),
            author: message.author,
            sender_id: message.sender,
            status: Some(message.state),
            code: message.code,
            class: Some(message.class),
            campaign_id: message.campaign,
            segments: Some(message.segments),
            cost: Some(money(message.cost, currency)),
            ..blank
        },
    }
}
