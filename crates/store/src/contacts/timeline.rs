//! Everything between a tenant and a person, in one order: messages to them, what they wrote, each
//! change of their consent, what people noted, and the campaigns that they were in. The newest
//! first, a page at a time, read set by set: as many statements as there are kinds.
//!
//! Retention removes what it removes elsewhere: texts whose time is over are empty, and rows that
//! are no longer kept are missing.

mod said;
mod stood;

use std::cmp::Reverse;

use domain::{
    gates::Basis,
    ids::{CampaignId, ContactId, ConversationId, MediaId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    campaigns::CampaignState,
    fault,
    messages::{
        list::{self, ListedMessages},
        read::MessageDetail,
    },
    recipients::consent::{Action, ConsentMethod},
};

/// How many addresses of a contact are looked at; who has more is no person.
const MOST_ADDRESSES: i64 = 100;

/// What kind of thing an entry is. Of those at one instant the last kind is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimelineKind {
    /// A campaign took them into its audience.
    Campaign,
    /// A message to them.
    Message,
    /// A text of theirs.
    Text,
    /// A change of their consent.
    Consent,
    /// A note of somebody of the tenant.
    Note,
}

impl TimelineKind {
    /// Every kind, in their order.
    pub const ALL: [Self; 5] =
        [Self::Campaign, Self::Message, Self::Text, Self::Consent, Self::Note];

    /// The name in cursors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Message => "message",
            Self::Text => "text",
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
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: TimelineKind,
    /// Which.
    pub id: Uuid,
}

impl TimelinePosition {
    /// Before everything that there is.
    pub const NEWEST: Self = Self { at: Timestamp::MAX, kind: TimelineKind::Note, id: Uuid::max() };

    /// Before which time and id those of a kind stand that come behind this place.
    fn of(self, kind: TimelineKind) -> (Timestamp, Uuid) {
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
    /// Business time.
    pub at: Timestamp,
    /// What it is.
    pub what: TimelineFact,
}

impl TimelineEntry {
    /// Where it stands.
    fn position(&self) -> TimelinePosition {
        let kind = match self.what {
            TimelineFact::Campaign(_) => TimelineKind::Campaign,
            TimelineFact::Message(_) => TimelineKind::Message,
            TimelineFact::Text(_) => TimelineKind::Text,
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

/// A page of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelinePage {
    /// The entries, the newest first.
    pub entries: Vec<TimelineEntry>,
    /// Where the next page goes on; none where there is nothing more.
    pub next: Option<TimelinePosition>,
}

/// What stands in a contact's timeline behind a position, `limit` entries at most. A page may be
/// short before the end where a contact has more than [`list::MOST`] messages.
pub async fn page(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    before: TimelinePosition,
    limit: usize,
) -> Result<TimelinePage, Fault> {
    let person = Person::load(tx, tenant, contact).await?;
    let of = |kind| before.of(kind);

    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let messages =
        list::by_contacts(tx, tenant, &person.contacts, of(TimelineKind::Message), limit).await?;
    let texts = said::texts(tx, tenant, &person, of(TimelineKind::Text), at_most).await?;
    let notes = said::notes(tx, tenant, &person, of(TimelineKind::Note), at_most).await?;
    let consents = stood::consents(tx, tenant, &person, of(TimelineKind::Consent), at_most).await?;
    let campaigns =
        stood::campaigns(tx, tenant, &person, of(TimelineKind::Campaign), at_most).await?;

    let others = [texts, notes, consents, campaigns].concat();
    Ok(merge(messages, others, limit))
}

/// The entries of every kind in one order. Where not every message was looked at, nothing that is
/// older than the last one looked at is told: messages may stand before it.
fn merge(
    messages: ListedMessages<(Timestamp, Uuid)>,
    others: Vec<TimelineEntry>,
    limit: usize,
) -> TimelinePage {
    let is_short = messages.messages.len() < limit;
    let reached = messages.next.filter(|_| is_short).map(|(at, id)| TimelinePosition {
        at,
        kind: TimelineKind::Message,
        id,
    });

    let messages = messages.messages.into_iter().map(|message| TimelineEntry {
        id: message.id.0,
        at: message.submitted_at,
        what: TimelineFact::Message(Box::new(message)),
    });
    let mut entries: Vec<TimelineEntry> = messages.chain(others).collect();
    entries.retain(|entry| reached.is_none_or(|reached| entry.position() >= reached));
    entries.sort_unstable_by_key(|entry| Reverse(entry.position()));
    entries.truncate(limit);

    let is_full = entries.len() == limit;
    let last = entries.last().map(TimelineEntry::position);
    TimelinePage { next: if is_full { last } else { reached }, entries }
}

/// A contact as rows name them: by addresses, and by the ids that these make.
struct Person {
    /// The contact, and those that their addresses were first known as.
    contacts: Vec<ContactId>,
    addresses: Vec<String>,
}

impl Person {
    async fn load(tx: &mut Scoped, tenant: &TenantId, contact: ContactId) -> Result<Self, Fault> {
        let addresses = sqlx::query_scalar!(
            r#"(select a.address as "address!" from contact_addresses a
                where a.tenant_id = $1 and a.contact_id = $2
                order by a.address limit $3)
               union
               select c.number from contacts c where c.tenant_id = $1 and c.contact_id = $2"#,
            tenant.as_str(),
            contact.0,
            MOST_ADDRESSES,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;

        let of_addresses = addresses.iter().map(|address| ContactId::of(tenant, address));
        let mut contacts: Vec<ContactId> = of_addresses.chain([contact]).collect();
        contacts.sort_unstable();
        contacts.dedup();
        Ok(Self { contacts, addresses })
    }

    /// The ids, as statements take them.
    fn ids(&self) -> Vec<Uuid> {
        self.contacts.iter().map(|contact| contact.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn note(second: i64, id: u128) -> TimelineEntry {
        let what = TimelineFact::Note(NoteEntry {
            conversation: ConversationId(Uuid::nil()),
            author: String::new(),
            body: String::new(),
        });
        TimelineEntry { id: Uuid::from_u128(id), at: at(second), what }
    }

    fn nothing(next: Option<(Timestamp, Uuid)>) -> ListedMessages<(Timestamp, Uuid)> {
        ListedMessages { messages: Vec::new(), next }
    }

    #[test]
    fn a_place_lets_through_what_is_behind_it_whatever_its_kind() {
        let place =
            TimelinePosition { at: at(5), kind: TimelineKind::Text, id: Uuid::from_u128(7) };
        for kind in TimelineKind::ALL {
            for (second, id) in [(4, 9), (5, 6), (5, 7), (5, 8), (6, 1)] {
                let one = TimelinePosition { at: at(second), kind, id: Uuid::from_u128(id) };
                let is_behind = (one.at, one.id) < place.of(kind);
                assert_eq!(is_behind, one < place, "{one:?}");
            }
        }
    }

    #[test]
    fn a_page_is_cut_at_its_limit_and_goes_on_behind_its_last_entry() {
        let page = merge(nothing(None), vec![note(1, 1), note(3, 3), note(2, 2)], 2);
        let seconds: Vec<i64> = page.entries.iter().map(|entry| entry.at.as_second()).collect();
        assert_eq!(seconds, [3, 2]);
        assert_eq!(page.next, page.entries.last().map(TimelineEntry::position));

        assert_eq!(merge(nothing(None), vec![note(1, 1)], 2).next, None);
    }

    #[test]
    fn nothing_is_told_behind_messages_that_were_not_looked_at() {
        let reached = (at(2), Uuid::from_u128(9));
        let page = merge(nothing(Some(reached)), vec![note(1, 1), note(2, 1), note(3, 1)], 5);
        assert_eq!(page.entries, [note(3, 1), note(2, 1)]);
        let next = page.next.expect("where it goes on");
        assert_eq!((next.at, next.kind, next.id), (reached.0, TimelineKind::Message, reached.1));
    }
}
