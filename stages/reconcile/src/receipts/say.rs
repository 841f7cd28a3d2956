//! What there is to say about messages that receipts are about.

use std::collections::BTreeMap;

use store::messages::row::StoredMessage;
use wire::{Event, frame::Outgoing};

use crate::receipts::{
    decide::MergedRow,
    opt_out::told_by,
    record::Stored,
    report::{Key, Reports},
};

/// The events of each message.
pub(crate) type Events = BTreeMap<Key, Vec<Outgoing>>;

/// The events of what must be said again, and of what was raised or costs something else: both
/// where a repeated receipt comes with one that tells the price.
pub(crate) fn events(merged: &[MergedRow<'_>], stored: &Stored) -> Events {
    let mut events = Events::new();
    for one in merged {
        if one.change.repeats {
            let again = events_of(one, &one.row.message);
            events.entry(one.key.clone()).or_default().extend(again);
        }
        if one.change.raised_by.is_some() || one.is_repriced() {
            let message = stored.get(one.key).unwrap_or(&one.row.message);
            let new = events_of(one, message);
            events.entry(one.key.clone()).or_default().extend(new);
        }
    }
    events
}

/// What each request of the batch has to say. The first of a message's receipts says what all of
/// them made.
pub(crate) fn by_request(reports: &Reports, mut events: Events) -> BTreeMap<usize, Vec<Outgoing>> {
    let mut says: BTreeMap<usize, Vec<Outgoing>> = BTreeMap::new();
    for (key, of_message) in reports {
        let mut say = events.remove(key).unwrap_or_default();
        for (index, _) in of_message {
            says.entry(*index).or_default().append(&mut say);
        }
    }
    says
}

/// The event of the row as it is now, and of the opt-out that its receipt tells of.
fn events_of(one: &MergedRow<'_>, message: &StoredMessage) -> Vec<Outgoing> {
    let told = told_by(one.row, &one.change).and_then(|told| told.event());
    message.event().iter().chain(&told).map(Event::outgoing).collect()
}
