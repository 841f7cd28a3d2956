//! `/v1/conversations`: those that there are, the one with the newest text first, and one of them.

use axum::{Json, extract::State};
use domain::{
    conversation::{ConversationOwner, ConversationStatus},
    ids::{BrandId, InboxId},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::Deserialize;
use store::conversations::list::{self, ConversationFilter};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    change::find,
    view::{ConversationView, Shown},
};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Errors, Id, Page, Paging, Problem, Query, time_and_id},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those of this status. A snooze that has ended counts as open.
    #[param(value_type = Option<ConversationStatus>, inline, example = "open")]
    status: Option<String>,
    /// Those that the assistant, a person or nobody answers.
    #[param(value_type = Option<ConversationOwner>, inline, example = "assistant")]
    owner: Option<String>,
    /// Those that this person looks after.
    assignee: Option<Uuid>,
    /// `true`: those that nobody looks after.
    #[param(example = false)]
    unassigned: Option<bool>,
    /// Those in this inbox.
    #[param(example = json!(examples::INBOX))]
    inbox: Option<Uuid>,
    /// Those that were written to under this brand.
    brand: Option<Uuid>,
    /// Those with this label.
    #[param(max_length = 50)]
    label: Option<String>,
    /// `true`: those with something that nobody has read.
    #[param(example = true)]
    unread: Option<bool>,
    /// `true`: those that a person is to look at for a reason.
    attention: Option<bool>,
    /// Those on this channel.
    #[param(value_type = Option<Channel>, inline, example = "sms")]
    channel: Option<String>,
    /// Those of this contact.
    #[param(example = json!(examples::CONTACT))]
    contact: Option<Uuid>,
    /// Those whose contact's name, address or last text holds this, whatever the case.
    #[param(max_length = 100)]
    q: Option<String>,
}

/// `GET /v1/conversations`, for every role: the conversations in pages, the one with the newest
/// text first. A page looks at 2,000 conversations at most: where a filter lets few of them
/// through, it may hold less than was asked for, or nothing, and a `next_cursor`, behind which it
/// goes on. Whoever is limited to brands or inboxes sees those of their inboxes, and of their
/// brands those that are in no inbox.
#[utoipa::path(
    get, path = "/v1/conversations", tag = "conversations", operation_id = "list_conversations",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of conversations.", body = Page<ConversationView>),
        Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<ConversationView>>, Problem> {
    // check
    let limit = paging.limit()?;
    let before = paging.after_time_and_id()?.unwrap_or((Timestamp::MAX, Uuid::max()));
    let filter = filter(wanted)?;

    // load
    let (now, of) = (app.now(), &caller.tenant);
    let mut tx = app.transactions.begin(of).await?;
    let page = list::before(&mut tx, of, &filter, before, now, limit).await?;
    let shown = Shown::at(&mut tx, of, now).await?;

    // answer
    let next = page.next.map(|(at, id)| time_and_id(at, id));
    let found = page.conversations.into_iter().map(|one| shown.view(one)).collect();
    Ok(Json(Page::until(found, next)))
}

/// The filter that the query asks for, or everything that is wrong with it.
fn filter(wanted: Wanted) -> Result<ConversationFilter, Problem> {
    let mut errors = Errors::default();
    let status = wanted.status.as_deref().map(ConversationStatus::from_name);
    errors.check(status != Some(None), "status", "unknown", "open, snoozed or closed");
    let owner = wanted.owner.as_deref().map(ConversationOwner::from_name);
    errors.check(owner != Some(None), "owner", "unknown", "assistant, person or nobody");
    let channel = wanted.channel.as_deref().map(Channel::from_name);
    errors.check(channel != Some(None), "channel", "unknown", "sms or whatsapp");
    if let Some(q) = &wanted.q {
        errors.text("q", q, 1, 100);
    }
    if let Some(label) = &wanted.label {
        errors.text("label", label, 1, 50);
    }
    errors.done()?;

    Ok(ConversationFilter {
        status: status.flatten(),
        owner: owner.flatten(),
        assignee: wanted.assignee,
        unassigned: wanted.unassigned.unwrap_or_default(),
        inbox: wanted.inbox.map(InboxId),
        brand: wanted.brand.map(BrandId),
        label: wanted.label.map(|label| label.trim().to_lowercase()),
        unread: wanted.unread.unwrap_or_default(),
        attention: wanted.attention.unwrap_or_default(),
        channel: channel.flatten(),
        contact: wanted.contact,
        q: wanted.q,
    })
}

/// `GET /v1/conversations/{id}`, for every role: one conversation, or 404.
#[utoipa::path(
    get, path = "/v1/conversations/{id}", tag = "conversations",
    operation_id = "get_conversation", security(("bearer" = [Read::NAME])),
    params((
        "id" = Uuid, Path, description = "The conversation.",
        example = json!(examples::CONVERSATION),
    )),
    responses(
        (status = 200, description = "The conversation.", body = ConversationView),
        Always, Missing,
    ),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<ConversationView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = find(&mut tx, &caller.tenant, id, false).await?;
    let shown = Shown::at(&mut tx, &caller.tenant, app.now()).await?;
    Ok(Json(shown.view(found)))
}
