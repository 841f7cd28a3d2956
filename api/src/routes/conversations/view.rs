//! A conversation as the API shows it.

use domain::{
    conversation::{Attention, ConversationOwner, ConversationStatus, answerable_until, status_at},
    gates::Policy,
    ids::{BrandId, ContactId, ConversationId, InboxId, SenderId},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::Serialize;
use store::{Scoped, conversations::list::ListedConversation, settings::policies};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{auth::Reach, document::examples, http::Problem};

/// A conversation as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(super) struct ConversationView {
    pub(super) id: ConversationId,
    contact_id: ContactId,
    /// The contact's name, as far as it is known.
    #[schema(max_length = 401)]
    contact_name: String,
    /// Where the contact wrote from last: a number in E.164, WhatsApp's id of somebody without one,
    /// or the code or name of a machine. Null where it is not known any more.
    #[schema(required, example = json!(examples::PHONE))]
    address: Option<String>,
    channel: Channel,
    /// The sender that was texted last: replies leave by it.
    sender_id: SenderId,
    /// The brand that was written to.
    #[schema(required)]
    brand_id: Option<BrandId>,
    /// The inbox that it is looked after in.
    #[schema(required)]
    inbox_id: Option<InboxId>,
    status: ConversationStatus,
    /// Of a snooze: when it ends.
    #[schema(required)]
    snoozed_until: Option<Timestamp>,
    owner: ConversationOwner,
    /// The person who looks after it.
    #[schema(required)]
    assignee: Option<Uuid>,
    /// Why a person is to look at it; null: for no special reason.
    #[schema(required)]
    attention: Option<Attention>,
    /// Its labels, sorted.
    labels: Vec<String>,
    /// Texts that came since somebody has read it.
    #[schema(minimum = 0)]
    unread: i32,
    /// When the first text came.
    opened_at: Timestamp,
    /// The last text, in or out.
    #[schema(required)]
    last_text: Option<LastText>,
    /// Until when a reply may be sent; null where none may: nothing has come for too long, or a
    /// machine writes. On WhatsApp it is the customer service window.
    #[schema(required)]
    reply_until: Option<Timestamp>,
    /// How many seconds are left until then; 0 where no reply may be sent.
    #[schema(minimum = 0)]
    reply_seconds_left: i64,
    /// Raised by every text and every change.
    version: i64,
}

/// The last text of a conversation.
#[derive(Serialize, ToSchema)]
struct LastText {
    /// When it was.
    at: Timestamp,
    /// Whether it came in or went out.
    direction: Direction,
    /// What it says; null where it is not stored yet, or not kept any more.
    #[schema(required)]
    body: Option<String>,
}

/// Which way a text went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextDirection)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    /// From the contact.
    In,
    /// To the contact.
    Out,
}

/// What a conversation is shown by.
pub(super) struct Shown {
    policy: Option<Policy>,
    now: Timestamp,
}

impl Shown {
    /// At this instant, by the tenant's policy in force.
    pub(super) async fn at(
        tx: &mut Scoped,
        tenant: &Reach,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let policy = policies::in_force(tx, &[tenant.id()]).await?.remove(tenant.id()).flatten();
        Ok(Self { policy, now })
    }

    /// Until when a reply may be sent; none where none may.
    pub(super) fn reply_until(&self, listed: &ListedConversation) -> Option<Timestamp> {
        let conversation = &listed.conversation;
        let last = conversation.last_inbound_at.filter(|_| conversation.is_person)?;
        let after = self.policy.as_ref()?.conversation();
        let until = answerable_until(last, conversation.channel, after);
        (until > self.now).then_some(until)
    }

    /// Makes the view.
    pub(super) fn view(&self, listed: ListedConversation) -> ConversationView {
        let reply_until = self.reply_until(&listed);
        let left = reply_until.map_or(0, |until| until.duration_since(self.now).as_secs());
        let ListedConversation { conversation, name, last_body, is_last_in } = listed;

        let status = status_at(conversation.status, conversation.snoozed_until, self.now);
        let is_snoozed = status == ConversationStatus::Snoozed;
        let last_text = conversation.last_text_at.map(|at| LastText {
            at,
            direction: if is_last_in { Direction::In } else { Direction::Out },
            body: last_body,
        });
        ConversationView {
            id: conversation.id,
            contact_id: conversation.contact,
            contact_name: name,
            address: conversation.address,
            channel: conversation.channel,
            sender_id: conversation.sender,
            brand_id: conversation.brand,
            inbox_id: conversation.inbox,
            status,
            snoozed_until: conversation.snoozed_until.filter(|_| is_snoozed),
            owner: conversation.ownership.owner,
            assignee: conversation.ownership.assignee,
            attention: conversation.attention,
            labels: conversation.labels,
            unread: conversation.unread,
            opened_at: conversation.opened_at.unwrap_or(Timestamp::UNIX_EPOCH),
            last_text,
            reply_until,
            reply_seconds_left: left,
            version: conversation.version,
        }
    }
}
