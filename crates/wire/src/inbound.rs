//! `inbound.<tenant>`: a text from a person that wants an answer.

use domain::{
    ids::{ContactId, ConversationId, SenderId, TenantId},
    message::class::Channel,
    phone::PhoneNumber,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::frame::{MemberKey, Payload};

/// One text, understood and stored by `inbound`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundText {
    /// Derived from the account and the carrier's id.
    pub id: Uuid,
    /// Whose number was texted.
    pub tenant: TenantId,
    /// The thread.
    pub conversation: ConversationId,
    /// The thread's epoch when the text came: a take-over or an opt-out ends it.
    pub epoch: u32,
    /// The person.
    pub contact: ContactId,
    /// The person's number.
    pub number: PhoneNumber,
    /// The sender that was texted.
    pub sender: SenderId,
    /// How it came.
    pub channel: Channel,
    /// What they wrote.
    pub body: String,
    /// The language of the answer, ISO 639-1.
    pub language: String,
    /// Business time of arrival.
    pub received_at: Timestamp,
    /// W3C `traceparent`.
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
