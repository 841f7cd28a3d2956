//! What stands in a timeline, and where.

use domain::{
    gates::Basis,
    ids::{CampaignId, ConversationId, MediaId, SenderId},
    message::class::Channel,
};
use jiff::Timestamp;
use sqlx::types::Uuid;

use crate::{
    campaigns::CampaignState,
    messages::read::MessageDetail,
    recipients::consent::{Action, ConsentMethod},
};

/// What kind of thing an entry is. Of those at one instant the last kind is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimelineKind {
    /// A campaign took them into its audience.
    Campaign,
    /// A message to them.
    Message,
    /// A text of theirs.
    Text,
    /// What somebody of the tenant wrote to them on the phone itself.
    Phone,
    /// A change of their consent.
    Consent,
    /// A note of somebody of the tenant.
    Note,
}

impl TimelineKind {
    /// Every kind, in their order.
    pub const ALL: [Self; 6] =
        [Self::Campaign, Self::Message, Self::Text, Self::Phone, Self::Consent, Self::Note];

    /// The name in cursors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Message => "message",
            Self::Text => "text",
            Self::Phone => "phone",
            Self::Consent => "consent",
            Self::Note => "note",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A place in a timeline: a business time, the kind of what stands there, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelinePosition {
    /// Business time of the entry.
    pub at: Timestamp,
    /// What kind of entry it is.
    pub kind: TimelineKind,
    /// The id of what it tells of.
    pub id: Uuid,
}

impl TimelinePosition {
    /// Before everything that there is.
    pub const NEWEST: Self = Self { at: Timestamp::MAX, kind: TimelineKind::Note, id: Uuid::max() };

    /// Before which time and id those of a kind stand that come behind this place.
    pub(super) fn of(self, kind: TimelineKind) -> (Timestamp, Uuid) {
        match kind.cmp(&self.kind) {
            std::cmp::Ordering::Less => (self.at, Uuid::max()),
            std::cmp::Ordering::Equal => (self.at, self.id),
            std::cmp::Ordering::Greater => (self.at, Uuid::nil()),
        }
    }
}

/// One thing between a tenant and a person.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// Its id among those of its kind.
    pub id: Uuid,
    /// Business time of the entry.
    pub at: Timestamp,
    /// What it is.
    pub what: TimelineFact,
}

impl TimelineEntry {
    /// Where it stands.
    pub(super) fn position(&self) -> TimelinePosition {
        let kind = match self.what {
            TimelineFact::Campaign(_) => TimelineKind::Campaign,
            TimelineFact::Message(_) => TimelineKind::Message,
            TimelineFact::Text(_) => TimelineKind::Text,
            TimelineFact::Phone(_) => TimelineKind::Phone,
            TimelineFact::Consent(_) => TimelineKind::Consent,
            TimelineFact::Note(_) => TimelineKind::Note,
        };
        TimelinePosition { at: self.at, kind, id: self.id }
    }
}

/// What stands in a timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum TimelineFact {
    /// A campaign took them into its audience.
    Campaign(CampaignEntry),
    /// A message to them.
    Message(Box<MessageDetail>),
    /// A text of theirs.
    Text(TextEntry),
    /// What somebody of the tenant wrote to them on the phone itself.
    Phone(PhoneEntry),
    /// A change of their consent.
    Consent(ConsentEntry),
    /// A note of somebody of the tenant.
    Note(NoteEntry),
}

/// A campaign that a person was in, at the time of its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignEntry {
    /// The campaign's id.
    pub id: CampaignId,
    /// What the tenant calls it.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
}

/// A text of a person. Holds what they wrote: `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct TextEntry {
    /// The conversation that it is in.
    pub conversation: ConversationId,
    /// The channel that it came by.
    pub channel: Channel,
    /// The sender that was texted.
    pub sender: SenderId,
    /// What they wrote; empty once it is no longer kept.
    pub body: String,
    /// What it asks for, by the name of its [`Meaning`](crate::conversations::inbound::Meaning).
    pub meaning: String,
    /// What came with it, in order.
    pub media: Vec<MediaId>,
}

impl std::fmt::Debug for TextEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({}, {})", self.conversation, self.meaning)
    }
}

/// What somebody of the tenant wrote on the phone itself. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneEntry {
    /// The conversation that it is in.
    pub conversation: ConversationId,
    /// The channel that it went by.
    pub channel: Channel,
    /// The sender whose number it is.
    pub sender: Option<SenderId>,
    /// What it says; empty for a file without words, and once it is no longer kept.
    pub body: String,
}

impl std::fmt::Debug for PhoneEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Phone({})", self.conversation)
    }
}

/// A change of a person's consent; the whole line is in their ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEntry {
    /// The channel that it is about.
    pub channel: Channel,
    /// What was done.
    pub action: Action,
    /// How it was captured.
    pub method: ConsentMethod,
    /// The program that it is about; none: everything of the tenant.
    pub program: Option<String>,
    /// The legal ground of a consent.
    pub basis: Option<Basis>,
    /// List, form or vendor; for do-not-contact the reason.
    pub source: Option<String>,
    /// Who wrote it: API key, user, or part of the platform.
    pub by: String,
}

/// A note of somebody of the tenant. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteEntry {
    /// The conversation that it is in.
    pub conversation: ConversationId,
    /// Who has written it.
    pub author: String,
    /// What it says.
    pub body: String,
}

impl std::fmt::Debug for NoteEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({})", self.conversation)
    }
}
