//! Everything between a tenant and a person, in one order: messages to them, what they wrote, each
//! change of their consent, what people noted, and the campaigns that they were in. The newest
//! first, a page at a time, read set by set: as many statements as there are kinds.
//!
//! Retention removes what it removes elsewhere: texts whose time is over are empty, and rows that
//! are no longer kept are missing.

mod entry;
mod person;
mod said;
mod stood;

use std::cmp::Reverse;

use domain::ids::{ContactId, TenantId};
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;

pub use entry::{
    CampaignEntry, ConsentEntry, NoteEntry, PhoneEntry, TextEntry, TimelineEntry, TimelineFact,
    TimelineKind, TimelinePosition,
};

use crate::{
    Scoped,
    messages::list::{self, ListedMessages},
};
use person::Person;

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
    let by_phone = said::by_phone(tx, tenant, &person, of(TimelineKind::Phone), at_most).await?;
    let notes = said::notes(tx, tenant, &person, of(TimelineKind::Note), at_most).await?;
    let consents = stood::consents(tx, tenant, &person, of(TimelineKind::Consent), at_most).await?;
    let campaigns =
        stood::campaigns(tx, tenant, &person, of(TimelineKind::Campaign), at_most).await?;

    let others = [texts, by_phone, notes, consents, campaigns].concat();
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

#[cfg(test)]
mod tests {
    use domain::ids::ConversationId;

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
