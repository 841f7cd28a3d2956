//! `/v1/conversations/{id}/reply|preview`: a person answers. The reply is a message of the class
//! `conversational`, which passes the gates as every other does; what the assistant has begun is
//! void before it goes out.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use domain::{
    conversation::{ConversationOwner, ConversationStatus},
    draft::{self, DraftRequest},
    encoding::{Encoding, measure},
    ids::MessageId,
    message::class::MessageClass,
    money::Money,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{
    Scoped,
    conversations::{
        entries,
        list::ListedConversation,
        row::{self, Conversation},
    },
    drafts,
    outbox::insert,
    settings::tenants::Tenant,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{EventKind, Submitted};

use super::{
    body::NewReply,
    change::{by, event, find, subject},
    view::Shown,
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, Needs, SendMessages},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    dry_run,
    http::{
        Body, Id, Kind, Problem, Trace,
        body::{JSON_LIMIT, decode, expect_json},
        creation::{IdempotencyKey, RequestKey},
        read_body,
        view::money,
    },
    ids, outbox,
    submit::{
        message::{Accepted, NewMessage, Submission},
        one,
    },
    withdraw,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reply)).routes(routes!(preview))
}

/// A reply that is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedReply)]
struct AcceptedReply {
    /// The message: `GET /v1/messages/{id}` says what becomes of it.
    id: MessageId,
    /// What it says.
    #[schema(required)]
    body: Option<String>,
}

/// `POST /v1/conversations/{id}/reply`, for every role but viewer: answers as a person. From then
/// on a person has the conversation, it is open and read, and what the assistant has begun is
/// thrown away. The reply leaves by the sender that was texted last. Answers 202 once the broker
/// has it on disk, 404, or 409 where nobody can be answered: a machine writes, or the contact last
/// wrote too long ago.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/reply", tag = "conversations",
    operation_id = "reply_to_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    ), IdempotencyKey),
    request_body(content = NewReply, example = json!({
        "body": "We are open until six today.",
    })),
    responses(
        (status = 202, description = "The broker has the reply on disk.", body = AcceptedReply,
            headers(
                ("RateLimit-Limit" = u32, description = "Messages that may come at once."),
                ("RateLimit-Remaining" = u32, description = "How many of these are left."),
                ("RateLimit-Reset" = u64, description = "Seconds until all of them are there."),
            )),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn reply(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
    trace: Trace,
    request: Request,
) -> Result<Response, Problem> {
    // parse
    let (parts, body) = request.into_parts();
    expect_json(&parts.headers)?;
    let key = RequestKey::of(&parts.headers)?;
    let body = read_body(&app, &caller, body, JSON_LIMIT).await?;

    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let now = app.now();
    let found = answerable(&app, &caller, id, now).await?;
    let mut new: NewReply = decode(&body)?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    new.fill_in(&mut tx, &caller.tenant, &found.conversation).await?;
    drop(tx);
    let said = new.body.clone();
    let left = match app.quotas.take(&caller.tenant, 1) {
        Ok(left) => left,
        Err((problem, left)) => return Ok(left.with(problem)),
    };
    let made = Made { app: &app, caller: &caller, tenant: &tenant, trace: &trace, now };
    let message = made.message(&found.conversation, &key, new).await?;

    // record
    let (conversation, events) = record(&app, &caller, id, message.id, now).await?;
    withdraw::answers(&app, &caller, conversation.id, now).await?;

    // publish
    let queue = (caller.tenant.id(), message.lane);
    let stored = app.singles.publish(queue, message.outgoing, message.keyed).await;
    stored.map_err(|why| why.into_problem(&key.text))?;

    // answer
    events.into_iter().for_each(|event| outbox::publish_soon(&app, event));
    let accepted = Json(AcceptedReply { id: message.id, body: said });
    Ok(left.with((StatusCode::ACCEPTED, accepted)))
}

/// The conversation, where it can be answered.
async fn answerable(
    app: &App,
    caller: &Caller,
    id: Uuid,
    now: Timestamp,
) -> Result<ListedConversation, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = find(&mut tx, &caller.tenant, id, false).await?;
    let shown = Shown::at(&mut tx, &caller.tenant, now).await?;
    if !found.conversation.is_person {
        let detail = "a machine writes here: short codes and names cannot be answered";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    if shown.reply_until(&found).is_none() {
        let detail = "the contact last wrote too long ago to be answered: send a message of \
                      another class by POST /v1/messages, on WhatsApp an approved template";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(found)
}

/// What a message of a reply is made with.
struct Made<'a> {
    app: &'a App,
    caller: &'a Caller,
    tenant: &'a Tenant,
    trace: &'a Trace,
    now: Timestamp,
}

impl Made<'_> {
    /// The message of a reply, checked as any other is.
    async fn message(
        &self,
        conversation: &Conversation,
        key: &RequestKey,
        new: NewReply,
    ) -> Result<Accepted, Problem> {
        let submission = Submission {
            tenant: self.tenant,
            now: self.now,
            trace: self.trace,
            key,
            is_batch: false,
            batch: None,
        };
        let to = conversation.address.clone().unwrap_or_default();
        let from = conversation.sender.to_string();
        let message = NewMessage::reply(to, conversation.channel, from, new.body, new.media);
        one::accept(self.app, &self.caller.tenant, &submission, message).await
    }
}

/// Records that a person answers, before the reply goes out: from here on nothing of the assistant
/// does. A repeat of the request changes nothing.
async fn record(
    app: &App,
    caller: &Caller,
    id: Uuid,
    message: MessageId,
    now: Timestamp,
) -> Result<(Conversation, Vec<wire::Event>), Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut conversation = find(&mut tx, &caller.tenant, id, true).await?.conversation;
    let by = by(caller, &conversation, now);
    if !entries::reply(&mut tx, by, message).await? {
        return Ok((conversation, Vec::new()));
    }

    let had_owner = conversation.ownership.owner;
    conversation.ownership.take_over(caller.signed_in.map(|signed_in| signed_in.person));
    conversation.status = ConversationStatus::Open;
    conversation.snoozed_until = None;
    conversation.attention = None;
    conversation.unread = 0;
    conversation.last_text_at = conversation.last_text_at.max(Some(now));
    conversation.last_text = Some(message.0);
    row::save(&mut tx, &caller.tenant, &mut conversation).await?;

    let mut events = vec![event(EventKind::ConversationReplied, caller, &conversation, now)];
    if had_owner != ConversationOwner::Person {
        events.push(event(EventKind::ConversationTakenOver, caller, &conversation, now));
    }
    insert(&mut tx, &events).await?;
    let (subject, detail) = (subject(&conversation), json!({ "message": message }));
    audit::note(&mut tx, caller, now, "conversation.replied", subject, detail).await?;
    tx.commit().await?;
    Ok((conversation, events))
}

/// What a reply would be.
#[derive(Serialize, ToSchema)]
struct ReplyPreview {
    /// The text as it would be sent: letters that GSM 03.38 lacks are written otherwise where that
    /// says the same.
    body: String,
    /// How many segments it takes.
    #[schema(minimum = 0)]
    segments: u16,
    /// The alphabet that its letters need, where it goes as SMS.
    encoding: Encoding,
    /// What it costs by the rate card.
    cost: Money,
    /// Until when it may be sent; null where no reply may be.
    #[schema(required)]
    reply_until: Option<Timestamp>,
}

/// `POST /v1/conversations/{id}/preview`, for every role but viewer: how many segments a reply
/// takes and what it costs, before it is sent. Nothing is sent and nothing is written. Answers 200,
/// or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/preview", tag = "conversations",
    operation_id = "preview_reply", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    request_body(content = NewReply, example = json!({
        "body": "We are open until six today.",
    })),
    responses(
        (status = 200, description = "What the reply would be.", body = ReplyPreview),
        Always, OfBody, Missing,
    ),
)]
async fn preview(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
    trace: Trace,
    Body(mut new): Body<NewReply>,
) -> Result<Json<ReplyPreview>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let now = app.now();
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let found = find(&mut tx, &caller.tenant, id, false).await?;
    let reply_until = Shown::at(&mut tx, &caller.tenant, now).await?.reply_until(&found);
    new.fill_in(&mut tx, &caller.tenant, &found.conversation).await?;
    drop(tx);
    let key = RequestKey { text: ids::generated_key(), is_given: false };
    let made = Made { app: &app, caller: &caller, tenant: &tenant, trace: &trace, now };
    let message = made.message(&found.conversation, &key, new).await?;
    let Some(message) = message.naming else { return Err(Problem::not_found("sender")) };

    // load and decide
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let drafted = drafted(&mut tx, &tenant, &found.conversation, &message, now).await?;

    // answer
    Ok(Json(ReplyPreview {
        encoding: measure(&drafted.text).encoding,
        body: drafted.text,
        segments: drafted.segments,
        cost: money(drafted.cost, &tenant.currency),
        reply_until,
    }))
}

/// The message as enrich would make it.
async fn drafted(
    tx: &mut Scoped,
    tenant: &Tenant,
    conversation: &Conversation,
    message: &Submitted,
    now: Timestamp,
) -> Result<draft::Draft, Problem> {
    let (contact, to) = (conversation.contact, &message.head.to);
    let found =
        dry_run::people(tx, &tenant.id, message.head.channel, &[(contact, to)], false).await?.pop();
    let person = found.and_then(|found| found.contact).unwrap_or_default();

    let origin = draft::Origin {
        tenant: &tenant.id,
        campaign: None,
        content: &message.content,
        from: &message.from,
    };
    let (class, channel) = (MessageClass::Conversational, conversation.channel);
    let supplies = drafts::supplies(tx, now, std::iter::once((origin, channel))).await?;
    let request = DraftRequest { class, channel, to, origin };
    let drafted = draft::draft(&request, contact, &person, &supplies);
    let drafted = drafted.ok_or_else(|| Problem::not_found("tenant"))?;
    match drafted.failed {
        None => Ok(drafted),
        Some(code) => Err(Problem::field("body", "unfit", draft::reason(code))),
    }
}
