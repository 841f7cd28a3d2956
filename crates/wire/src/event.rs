//! What happened: `events.<tenant>.<entity>.<what>`. An event's id is stable across redelivery and
//! replay: `v5(entity id, type, entity version)`.

pub mod kind;

use domain::{
    conversation::{ConversationOwner, ConversationStatus},
    country::Country,
    gates::Gate,
    health::HealthCause,
    ids::{CampaignId, ContactId, ConversationId, InboxId, MediaId, MessageId, SenderId, TenantId},
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

pub use kind::EventKind;

use crate::{
    frame::{MemberKey, Outgoing, Payload},
    json,
    subject::Subject,
};

/// One event as subscribers read it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Stable: the same happening has the same id, however often it is published.
    pub id: Uuid,
    /// What happened, and to which kind of entity.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The tenant that may read it.
    pub tenant: TenantId,
    /// Time at which it happened.
    pub at: Timestamp,
    /// The version of the entity that this change made.
    pub version: i64,
    /// Fields by type: each channel of this document names them.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

impl Event {
    /// The event that brought an entity to this version.
    pub fn new<D: Serialize>(
        kind: EventKind,
        tenant: &TenantId,
        entity: Uuid,
        version: i64,
        at: Timestamp,
        data: &D,
    ) -> Self {
        Self {
            id: domain::ids::event_id(entity, kind.as_str(), version),
            kind,
            tenant: tenant.clone(),
            at,
            version,
            data: json::to_raw(data),
        }
    }

    /// The event, addressed to its own subject.
    pub fn outgoing(&self) -> Outgoing {
        Outgoing::new(Subject::Event(self.tenant.clone(), self.kind), self)
    }
}

impl Payload for Event {
    fn key(&self) -> MemberKey {
        MemberKey::of(self.id)
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.tenant)
    }
}

/// The data of `message.*` (but `message.received`) and `in_doubt.raised`. It holds neither text
/// nor number: a subscriber who may see them asks the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageData {
    /// The message it happened to.
    pub message: MessageId,
    /// The state that the message is in now.
    pub state: MessageState,
    /// The turn in which it came to that state.
    pub turn: u32,
    /// What the message is for.
    pub class: MessageClass,
    /// The contact that it goes to.
    pub contact: ContactId,
    /// The campaign that the message belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub campaign: Option<CampaignId>,
    /// The sender that carries it, once one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sender: Option<SenderId>,
    /// How many segments its text takes.
    pub segments: u16,
    /// What it costs by the rate card.
    pub cost: Micros,
    /// The gate that blocked, deferred or held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub gate: Option<Gate>,
    /// The reason code, or the carrier's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// Until when it waits; none where no time ends the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<Timestamp>,
}

/// The data of `message.received`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedData {
    /// The inbound text's id.
    pub inbound: Uuid,
    /// The contact who wrote it.
    pub contact: ContactId,
    /// The tenant's sender that was texted.
    pub sender: SenderId,
    /// The conversation that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub conversation: Option<ConversationId>,
    /// The campaign whose message was the last one from this sender to this contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub campaign: Option<CampaignId>,
    /// What the text means: `opt_out`, `opt_in`, `help`, `text`, `reaction` (a sign on a message)
    /// or `automatic` (a machine's answer).
    pub meaning: String,
    /// The media that came with it, at most 10: `GET /v1/media/{id}` says what each is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaId>,
    /// The carrier's id of the text: what a reaction to it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub carrier_id: Option<String>,
    /// What the button or row that the person chose brings back, as the tenant has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub payload: Option<String>,
}

/// The data of `contact.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactData {
    /// The contact whose consent changed, or was reviewed; of a merge, and of its undo, the one
    /// that stays.
    pub contact: ContactId,
    /// How the change came: `keyword`, `phrase`, `carrier`, `api` or `import`. Of a review what was
    /// decided: `opted_out` or `dismissed`.
    pub cause: String,
    /// The campaign whose message was the last one before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub campaign: Option<CampaignId>,
    /// The contact that was taken in, or is one of its own again; left out of all but merges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub merged: Option<ContactId>,
}

/// The data of `conversation.*`: the conversation as it is since. Its texts and notes are with the
/// API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationData {
    /// The conversation it happened to.
    pub conversation: ConversationId,
    /// The contact who writes in it.
    pub contact: ContactId,
    /// The inbox that it is looked after in, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub inbox: Option<InboxId>,
    /// Whether somebody is to look at it.
    pub status: ConversationStatus,
    /// Who answers its next text.
    pub owner: ConversationOwner,
    /// The person who looks after it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignee: Option<Uuid>,
    /// Who did it, as the audit trail names them, `phone` for somebody of the company on the phone
    /// that has their number; left out where a text of the contact did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub by: Option<String>,
}

/// The data of `budget.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetData {
    /// The campaign whose budget it is; none: the tenant's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub campaign: Option<CampaignId>,
    /// What the budget is for: a `day` or a `month`.
    pub period: String,
    /// When the period began, in the tenant's time zone.
    pub window_start: Timestamp,
    /// What is spent or reserved in this period.
    pub spent: Micros,
    /// What may be spent in this period.
    pub cap: Micros,
}

/// The data of `sender.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SenderData {
    /// The sender it happened to.
    pub sender: SenderId,
    /// Why it was quarantined; left out where it has recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cause: Option<HealthCause>,
    /// When its quarantine ends in a probe; left out where it has recovered, and where somebody has
    /// to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<Timestamp>,
    /// How many of its texts that were looked at were delivered.
    pub delivered: i64,
    /// How many of them the carrier refused or could not deliver.
    pub failed: i64,
    /// How many of the failed texts carriers filtered or blocked.
    pub complaints: i64,
}

/// The data of `campaign.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CampaignData {
    /// The campaign it happened to.
    pub campaign: CampaignId,
    /// How many recipients its audience has; 0 until the audience is fixed.
    pub audience: i64,
}

/// The data of `counts.moved`: messages that went from one state to another, a group of equal ones
/// per event. What a message counts as may change within its state too: its detail, its segments
/// and its cost, or that it was put aside before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CountsData {
    /// The group's own id.
    pub group: Uuid,
    /// Time of the changes, at the beginning of their minute.
    pub minute_start: Timestamp,
    /// The campaign that the messages belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub campaign: Option<CampaignId>,
    /// The key of the template's variant that they were made from; left out for texts without a
    /// template, and where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub variant: Option<String>,
    /// The sender that carries them, once one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sender: Option<SenderId>,
    /// The country of the people's numbers, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub country: Option<Country>,
    /// The reason code, or the carrier's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// What they were before; none where they are new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub from: Option<CountedState>,
    /// What they are since.
    pub to: CountedState,
    /// How many they are.
    pub messages: i64,
    /// How many of them came into their second turn with it: they had been put aside, or failed.
    pub released: i64,
    /// By how many segments what the carrier took has changed.
    pub segments: i64,
    /// By how much its cost has changed.
    pub cost: Micros,
}

/// What a message is counted as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct CountedState {
    /// The state that it is in.
    pub state: MessageState,
    /// What else it is counted as: of `blocked` the gate, `pace` of those `deferred` until their
    /// sender has room, `no_receipt` of those `sent` that ended without a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}
