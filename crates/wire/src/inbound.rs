//! `inbound.<tenant>`: a text from a person that wants an answer.

use domain::{
    address::Address,
    ids::{ContactId, ConversationId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::frame::{MemberKey, Payload};

/// One text, as the stage `inbound` understood and stored it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundText {
    /// Derived from the carrier account and the carrier's id of the text.
    pub id: Uuid,
    /// The tenant whose sender was texted.
    pub tenant: TenantId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The conversation's epoch when the text came. A take-over or an opt-out begins the next one,
    /// and no answer of an earlier epoch is sent.
    pub epoch: u32,
    /// The contact who wrote.
    pub contact: ContactId,
    /// The address that it came from.
    #[serde(rename = "number")]
    pub address: Address,
    /// The sender that was texted.
    pub sender: SenderId,
    /// Whether it came as SMS or by another channel.
    pub channel: Channel,
    /// The text as written.
    pub body: String,
    /// What the button or row that the person chose brings back, as the tenant has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The language of the answer, ISO 639-1.
    pub language: String,
    /// Business time of arrival.
    pub received_at: Timestamp,
    /// W3C `traceparent` of the webhook request, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl std::fmt::Debug for InboundText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InboundText({}, {})", self.id, self.tenant)
    }
}

impl Payload for InboundText {
    fn key(&self) -> MemberKey {
        MemberKey::of(self.id)
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.tenant)
    }

    fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }
}
