//! `/v1/conversations/{id}/assign|snooze`: who looks after a conversation, where, and when.

use axum::{Json, extract::State};
use domain::{
    conversation::{Act, ConversationStatus},
    ids::InboxId,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use store::{
    Scoped,
    conversations::row::Conversation,
    people::members::{self, Member},
    settings::{
        api_keys::KeyRole,
        inboxes::{self, Inbox},
        limits::BrandLimits,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    change::{act, find},
    view::ConversationView,
};
use crate::{
    app::App,
    auth::{Allowed, Caller, Needs, SendMessages},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    http::{Body, Errors, Id, Problem},
};

/// The longest snooze.
const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(24 * 366);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(assign)).routes(routes!(snooze))
}

/// Who is to look after a conversation, and where. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    /// A person who works for the company, may answer and sees its inbox, who has it from now on;
    /// `null`: nobody. Either way the assistant is quiet until it is handed back.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    assignee: Option<Option<Uuid>>,
    /// The inbox that it is looked after in; `null`: in none.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    inbox: Option<Option<Uuid>>,
}

fn said<'de, D: Deserializer<'de>>(decoder: D) -> Result<Option<Option<Uuid>>, D::Error> {
    Option::deserialize(decoder).map(Some)
}

/// `POST /v1/conversations/{id}/assign`, for every role but viewer: names who looks after it, or
/// the inbox that it is in. Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/assign", tag = "conversations",
    operation_id = "assign_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    request_body(content = Assignment, example = json!({ "inbox": examples::INBOX })),
    responses(
        (status = 200, description = "The conversation, assigned.", body = ConversationView),
        Always, OfBody, Missing,
    ),
)]
async fn assign(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
    Body(body): Body<Assignment>,
) -> Result<Json<ConversationView>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = find(&mut tx, &caller.tenant, id, false).await?;
    check(&mut tx, &caller, &found.conversation, &body).await?;
    drop(tx);

    // record
    let assign = |conversation: &mut Conversation| {
        if let Some(person) = body.assignee
            && !(person.is_some() && conversation.ownership.assignee == person)
        {
            conversation.ownership.assign(person);
        }
        if let Some(inbox) = body.inbox {
            conversation.inbox = inbox.map(InboxId);
        }
    };
    act(&app, &caller, id, Act::Assigned, assign).await.map(Json)
}

/// Whether there are such a person and such an inbox, as far as the caller sees.
async fn check(
    tx: &mut Scoped,
    caller: &Caller,
    conversation: &Conversation,
    body: &Assignment,
) -> Result<(), Problem> {
    let mut errors = Errors::default();
    errors.check(
        body.assignee.is_some() || body.inbox.is_some(),
        "assignee",
        "required",
        "give an assignee, an inbox or both",
    );

    if let Some(Some(person)) = body.assignee {
        let found = members::get(tx, &caller.tenant, person).await?;
        let may = found.as_ref().is_some_and(|member| member.role != KeyRole::Viewer);
        errors.check(may, "assignee", "not_found", "nobody here who may answer has this id");

        let place = match body.inbox.unwrap_or(conversation.inbox.map(|inbox| inbox.0)) {
            Some(inbox) => inboxes::get(tx, &caller.tenant, InboxId(inbox), false).await?,
            None => None,
        };
        let sees = |member: Member| place.is_none_or(|place| sees(&member.limits, &place));
        let sees = found.is_none_or(sees);
        let detail =
            "a person who sees the conversation: the inbox that it is in is none of theirs";
        errors.check(sees, "assignee", "invalid", detail);
    }

    match body.inbox {
        Some(Some(inbox)) => {
            let found = inboxes::get(tx, &caller.tenant, InboxId(inbox), false).await?;
            let fits = found.is_some_and(|inbox| {
                let is_of_brand = conversation.brand.is_none_or(|brand| brand == inbox.brand);
                inbox.archived_at.is_none() && is_of_brand
            });
            let detail = "an inbox of the conversation's brand that is in use";
            errors.check(fits, "inbox", "not_found", detail);
        }
        // Out of every inbox, only who sees its brand would see it.
        Some(None) => {
            let stays_seen = caller.tenant.sight().is_none_or(|sight| {
                conversation.brand.is_some_and(|brand| sight.brands.contains(&brand.0))
            });
            errors.check(stays_seen, "inbox", "invalid", "an inbox that you see");
        }
        None => {}
    }
    errors.done()
}

/// Whether somebody with these limits sees the conversations of an inbox.
fn sees(limits: &BrandLimits, inbox: &Inbox) -> bool {
    limits.are_none()
        || limits.inboxes.contains(&inbox.id.0)
        || limits.brands.contains(&inbox.brand.0)
}

/// Until when a conversation is to be left alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Snooze {
    /// When it is to be looked at again: later than now, at most 366 days. When its contact writes
    /// before that, it is open at once.
    until: Timestamp,
}

/// `POST /v1/conversations/{id}/snooze`, for every role but viewer: it is looked at again later.
/// Answers 200 with it, or 404.
#[utoipa::path(
    post, path = "/v1/conversations/{id}/snooze", tag = "conversations",
    operation_id = "snooze_conversation", security(("bearer" = [SendMessages::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    request_body(content = Snooze, example = json!({ "until": "2026-05-04T13:00:00Z" })),
    responses(
        (status = 200, description = "The conversation, snoozed.", body = ConversationView),
        Always, OfBody, Missing,
    ),
)]
async fn snooze(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    Id(id): Id,
    Body(body): Body<Snooze>,
) -> Result<Json<ConversationView>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    find(&mut tx, &caller.tenant, id, false).await?;
    drop(tx);
    let ahead = body.until.duration_since(app.now());
    let fits = ahead > SignedDuration::ZERO && ahead <= LONGEST_SNOOZE;
    if !fits {
        let detail = "later than now, at most 366 days";
        return Err(Problem::field("until", "out_of_range", detail));
    }

    // record
    let snooze = |conversation: &mut Conversation| {
        conversation.status = ConversationStatus::Snoozed;
        conversation.snoozed_until = Some(body.until);
    };
    act(&app, &caller, id, Act::Snoozed, snooze).await.map(Json)
}
