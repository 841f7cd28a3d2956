//! An admitted message as whoever only hands it on reads it: what its order goes by, and its JSON
//! as it came. Nothing is encoded anew, and what a newer version has put into it goes on with it.

use std::fmt;

use domain::{
    ids::{MessageId, SenderId, TenantId},
    message::class::MessageClass,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::frame::{MemberKey, Payload};

/// A message of `msg.admitted.<lane>.<shard>`, to be published as it came. In JSON it is what it
/// was read from: [`Admitted`](crate::Admitted).
#[derive(Clone)]
pub struct Relayed {
    read: Read,
    json: Box<RawValue>,
}

/// What is read of it.
#[derive(Clone, Deserialize)]
struct Read {
    message: Message,
    route: Route,
}

#[derive(Clone, Deserialize)]
struct Message {
    head: Head,
    segments: u16,
}

#[derive(Clone, Deserialize)]
struct Head {
    id: MessageId,
    tenant: TenantId,
    turn: u32,
    class: MessageClass,
    #[serde(default)]
    trace: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Route {
    sender: SenderId,
    account: String,
    pace: u32,
    #[serde(default = "one")]
    weight: u32,
}

fn one() -> u32 {
    1
}

impl Relayed {
    /// The tenant that sends it.
    pub fn tenant(&self) -> &TenantId {
        &self.read.message.head.tenant
    }

    /// What it is for.
    pub fn class(&self) -> MessageClass {
        self.read.message.head.class
    }

    /// How many segments its text takes.
    pub fn segments(&self) -> u16 {
        self.read.message.segments
    }

    /// The sender that the gates chose.
    pub fn sender(&self) -> SenderId {
        self.read.route.sender
    }

    /// The handle of the sender's carrier account.
    pub fn account(&self) -> &str {
        &self.read.route.account
    }

    /// Segments per second that the sender may send.
    pub fn pace(&self) -> u32 {
        self.read.route.pace
    }

    /// The tenant's part of the account where several tenants compete for it.
    pub fn weight(&self) -> u32 {
        self.read.route.weight
    }
}

impl fmt::Debug for Relayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.read.message.head;
        f.debug_struct("Relayed")
            .field("tenant", &head.tenant)
            .field("id", &head.id)
            .finish_non_exhaustive()
    }
}

impl Serialize for Relayed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Relayed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(json.get()).map_err(de::Error::custom)?;
        Ok(Self { read, json })
    }
}

impl Payload for Relayed {
    fn key(&self) -> MemberKey {
        let Head { id, turn, .. } = &self.read.message.head;
        MemberKey { id: id.0, turn: *turn, body: 0 }
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(self.tenant())
    }

    fn trace(&self) -> Option<&str> {
        self.read.message.head.trace.as_deref()
    }
}
