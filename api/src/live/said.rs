//! One thing that moved, as readers get it.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::{Event, subject::Scope, totals::Totals};

/// What somebody reads live.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Topic {
    /// The whole tenant.
    Dashboard,
    /// What moves in one campaign.
    Campaign(Uuid),
    /// What happens in one conversation.
    Conversation(Uuid),
    /// The conversations that are looked after in an inbox.
    Inbox(Uuid),
}

impl Topic {
    /// The topic of this name, as it is written in requests and answers.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let (kind, id) = match name.split_once(':') {
            None => return (name == "dashboard").then_some(Self::Dashboard),
            Some((kind, id)) => (kind, id.parse().ok()?),
        };
        match kind {
            "campaign" => Some(Self::Campaign(id)),
            "conversation" => Some(Self::Conversation(id)),
            "inbox" => Some(Self::Inbox(id)),
            _ => None,
        }
    }

    /// What is counted of it; none of what has no totals.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self {
            Self::Dashboard => Some(Scope::Dashboard),
            Self::Campaign(id) => Some(Scope::Campaign(*id)),
            Self::Conversation(_) | Self::Inbox(_) => None,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dashboard => f.write_str("dashboard"),
            Self::Campaign(id) => write!(f, "campaign:{id}"),
            Self::Conversation(id) => write!(f, "conversation:{id}"),
            Self::Inbox(id) => write!(f, "inbox:{id}"),
        }
    }
}

/// What `GET /v1/live` says: the totals of a topic, or what happened to it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct LiveMessage {
    /// What it is about: `dashboard`, or `campaign:`, `conversation:` or `inbox:` with an id.
    pub(crate) topic: String,
    /// Its position: it rises with everything that is said.
    pub(crate) sequence: u64,
    /// The totals so far, in a `snapshot` and in `totals`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) totals: Option<Totals>,
    /// What happened, in an `event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) event: Option<Event>,
    /// The campaign or conversation that the event is about; who does not see it is not told.
    #[serde(skip)]
    pub(crate) about: Option<Topic>,
}

/// A message that is written out.
#[derive(Debug)]
pub(crate) struct Said {
    /// Where it stands among everything that this process says.
    pub(crate) position: u64,
    /// How much the totals count; none of what holds no totals.
    pub(crate) watermark: Option<i64>,
    /// The campaign or the conversation that it is about, where it is an event of one.
    pub(crate) about: Option<Topic>,
    /// The message as JSON.
    pub(crate) json: String,
}

impl Said {
    /// A message about a topic, at its position.
    pub(crate) fn new(topic: &Topic, position: u64, mut message: LiveMessage) -> Self {
        message.topic = topic.to_string();
        message.sequence = position;
        let watermark = message.totals.as_ref().map(|totals| totals.watermark);
        let json = String::from_utf8(wire::json::to_vec(&message)).unwrap_or_default();
        Self { position, watermark, about: message.about, json }
    }

    /// The name that server-sent events give it.
    pub(crate) fn kind(&self) -> &'static str {
        if self.watermark.is_some() { "totals" } else { "event" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_as_it_is_written() {
        let id = Uuid::from_u128(7);
        let all =
            [Topic::Dashboard, Topic::Campaign(id), Topic::Conversation(id), Topic::Inbox(id)];
        for topic in all {
            assert_eq!(Topic::read(&topic.to_string()), Some(topic));
        }
        for other in ["", "campaign", "campaign:", "campaign:7", "dashboard:1", "other:7"] {
            assert_eq!(Topic::read(other), None, "{other}");
        }
    }
}
