//! What happened: `events.<tenant>.<entity>.<what>`. An event's id is stable across redelivery and
//! replay: `v5(entity id, type, entity version)`.

pub mod kind;

use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

pub use kind::EventKind;

use crate::{
    frame::{MemberKey, Outgoing, Payload},
    subject::Subject,
};

/// One event as subscribers read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Stable: the same happening always has the same id.
    pub id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// Whose it is.
    pub tenant: TenantId,
    /// Business time.
    pub at: Timestamp,
    /// The entity's version that this event made.
    pub version: i64,
    /// Fields by type: [`MessageData`], [`ReceivedData`], [`ContactData`], [`CampaignData`] or
    /// [`BudgetData`].
    pub data: Box<RawValue>,
}

impl Event {
    /// An event of an entity at a version.
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
            data: to_raw_value(data).expect("event data is plain data with string keys"),
        }
    }

    /// The event on its way to its subject.
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

/// The data of `message.*` (but `message.received`) and `in_doubt.raised`. Texts and numbers of
/// persons are not in it: who may see them asks the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageData {
    /// Which message.
    pub message: MessageId,
    /// The state that it is in now.
    pub state: MessageState,
    /// The turn in which it got there.
    pub turn: u32,
    /// What it is for.
    pub class: MessageClass,
    /// The person.
    pub contact: ContactId,
    /// The campaign it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// The sender that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<SenderId>,
    /// Segments.
    pub segments: u16,
    /// Cost by the rate card.
    pub cost: Micros,
    /// The gate that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The reason code, or the carrier's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Until when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The data of `message.received`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceivedData {
    /// The inbound text's id.
    pub inbound: Uuid,
    /// Who wrote.
    pub contact: ContactId,
    /// To which of the tenant's senders.
    pub sender: SenderId,
    /// The campaign whose message was the last one to this contact from this sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// `opt_out`, `opt_in`, `help` or `text`.
    pub meaning: String,
}

/// The data of `contact.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactData {
    /// Who.
    pub contact: ContactId,
    /// `keyword`, `phrase`, `carrier`, `api` or `import`.
    pub cause: String,
    /// The campaign whose message was the last one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
}

/// The data of `budget.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetData {
    /// Whose budget: the campaign's, or the tenant's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// `day` or `month`.
    pub period: String,
    /// When the period began, in the tenant's time zone.
    pub window_start: Timestamp,
    /// What is spent or reserved in it.
    pub spent: Micros,
    /// What may be.
    pub cap: Micros,
}

/// The data of `campaign.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignData {
    /// Which.
    pub campaign: CampaignId,
    /// How many recipients its frozen audience has; 0 until it is frozen.
    pub audience: i64,
}
