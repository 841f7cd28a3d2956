//! `carrier.<carrier>.<account>.<kind>`: a webhook request as it came, after its signature was
//! checked and before anybody has understood it.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::ids::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::frame::{MemberKey, Payload};

/// One request of a carrier.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// From the account and the carrier's own token for this request, else its content.
    pub id: Uuid,
    /// The tenant that the account belongs to; none where it serves several, and what the request
    /// holds tells whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The carrier's name. Requests from before there were several have none.
    #[serde(default = "first_carrier")]
    pub carrier: String,
    /// The account's handle.
    pub account: String,
    /// Business time of arrival.
    pub received_at: Timestamp,
    /// The query string, without the `?`.
    pub query: String,
    /// The body, to the byte.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub body: Vec<u8>,
    /// W3C `traceparent`, if the carrier sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl std::fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookRequest({}, {}, {} bytes)", self.id, self.account, self.body.len())
    }
}

impl Payload for WebhookRequest {
    fn key(&self) -> MemberKey {
        MemberKey::of(self.id)
    }

    fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }
}

fn first_carrier() -> String {
    "twilio".to_owned()
}

fn to_base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    STANDARD.decode(text.as_bytes()).map_err(serde::de::Error::custom)
}
