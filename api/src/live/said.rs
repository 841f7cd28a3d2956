//! One thing that moved, as readers get it.

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
    /// What is counted of it; none of what has no totals.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self {
            Self::Dashboard => Some(Scope::Dashboard),
            Self::Campaign(id) => Some(Scope::Campaign(*id)),
            Self::Conversation(_) | Self::Inbox(_) => None,
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
    /// The campaign that the event is about: whoever does not see it is not told.
    #[serde(skip)]
    pub(crate) campaign: Option<Uuid>,
    /// The conversation that the event is about, likewise.
    #[serde(skip)]
    pub(crate) conversation: Option<Uuid>,
}

/// A message that is written out.
#[derive(Debug)]
pub(crate) struct Said {
    /// Where it stands among everything that this process says.
    pub(crate) position: u64,
    /// How much the totals count; none of what holds no totals.
    pub(crate) watermark: Option<i64>,
    /// The campaign that it is about, where it is an event of one.
    pub(crate) campaign: Option<Uuid>,
    /// The conversation that it is about, where it is an event of one.
    pub(crate) conversation: Option<Uuid>,
    /// The message as JSON.
    pub(crate) json: String,
}

impl Said {
    /// A message about a topic, at its position.
    pub(crate) fn new(topic: &Topic, position: u64, mut message: LiveMessage) -> Self {
        message.topic = name_of(topic);
        message.sequence = position;
        let watermark = message.totals.as_ref().map(|totals| totals.watermark);
        let json = String::from_utf8(wire::json::to_vec(&message)).unwrap_or_default();
        let LiveMessage { campaign, conversation, .. } = message;
        Self { position, watermark, campaign, conversation, json }
    }

    /// The name that server-sent events give it.
    pub(crate) fn kind(&self) -> &'static str {
        if self.watermark.is_some() { "totals" } else { "event" }
    }
}

/// How a topic is written.
fn name_of(topic: &Topic) -> String {
    match topic {
        Topic::Dashboard => "dashboard".to_owned(),
        Topic::Campaign(id) => format!("campaign:{id}"),
        Topic::Conversation(id) => format!("conversation:{id}"),
        Topic::Inbox(id) => format!("inbox:{id}"),
    }
}
