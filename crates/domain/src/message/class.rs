//! Message classes, lanes and channels. The class is set by whoever makes the message and decides
//! which gates apply; it is never guessed from the text.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::address::Address;

/// What a message is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// Marketing: every gate applies.
    Promo,
    /// A later step of a marketing journey: every gate but suppression.
    Journey,
    /// An answer within 24 hours of the contact's own text.
    Conversational,
    /// Something the contact asked for: codes, receipts, reminders.
    Transactional,
    /// An opt-out confirmation or HELP answer. Made by `inbound` alone.
    Compliance,
}

impl MessageClass {
    /// Every class, as the table of the gates lists them.
    pub const ALL: [Self; 5] =
        [Self::Promo, Self::Journey, Self::Conversational, Self::Transactional, Self::Compliance];

    /// The lane that this class travels in.
    pub fn lane(self) -> Lane {
        match self {
            Self::Promo | Self::Journey => Lane::Bulk,
            Self::Conversational | Self::Transactional | Self::Compliance => Lane::Urgent,
        }
    }

    /// Whether marketing law (consent, quiet hours, frequency) applies.
    pub fn is_marketing(self) -> bool {
        match self {
            Self::Promo | Self::Journey => true,
            Self::Conversational | Self::Transactional | Self::Compliance => false,
        }
    }

    /// The name on the wire and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promo => "promo",
            Self::Journey => "journey",
            Self::Conversational => "conversational",
            Self::Transactional => "transactional",
            Self::Compliance => "compliance",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// A lane of the pipeline. A bulk backlog never delays an urgent message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// For answers, codes and confirmations: somebody waits for them.
    Urgent,
    /// For campaigns and journeys.
    Bulk,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Bulk];

    /// The token in subjects.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Bulk => "bulk",
        }
    }

    /// The lane of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}

/// How a message reaches a person. SMS and MMS share opt-outs; WhatsApp has its own.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Default,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Short messages of the phone network.
    #[default]
    Sms,
    /// WhatsApp, by its business interface.
    Whatsapp,
}

impl Channel {
    /// Every channel, the one that is meant where none is named first.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Whatsapp];

    /// The name on the wire and in rows; also the channel group that opt-outs are kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// Whether it reaches an address: SMS goes to phone numbers alone.
    pub fn reaches(self, address: &Address) -> bool {
        match (self, address) {
            (Self::Sms, Address::Carrier(_)) => false,
            (Self::Sms, Address::Phone(_)) | (Self::Whatsapp, _) => true,
        }
    }

    /// How long a sender waits between two messages to one person; none where nobody limits it.
    /// WhatsApp takes one in six seconds (Meta, "Pair rate limits" of the Cloud API).
    pub fn pair_interval(self) -> Option<Duration> {
        match self {
            Self::Sms => None,
            Self::Whatsapp => Some(Duration::from_secs(6)),
        }
    }

    /// The channel of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}
