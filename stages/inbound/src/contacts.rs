//! Whose contact the writer of a text is: the names that the carrier tells beside an address join
//! its contact, and a card's texts are its contact's.

use std::collections::HashMap;

use domain::ids::{ContactId, ConversationId};
use stage::Fault;
use store::{
    Scoped, Store,
    contacts::{
        join::{self, ToldName},
        set,
    },
    conversations::inbound::{NewText, Thread},
};
use uuid::Uuid;

use crate::decide::{Arrived, received, received_mut};

/// What the carrier tells of the people who have written.
pub(crate) fn told_of(arrived: &[Arrived]) -> Vec<ToldName> {
    received(arrived)
        .filter_map(|received| Some((received, received.text.address()?)))
        .flat_map(|(received, address)| {
            let (text, names) = (&received.text, &received.names);
            names.iter().map(move |(kind, name)| ToldName {
                tenant: text.tenant.clone(),
                address: address.clone(),
                kind: *kind,
                name: name.clone(),
                at: text.received_at,
            })
        })
        .collect()
}

/// Has what the carrier tells of people be theirs, before what they have written or were written is
/// stored: a stop among it reaches every address.
pub(crate) async fn join(store: &Store, told: &[ToldName]) -> Result<(), Fault> {
    let left_out = join::join(store, told).await?;
    if left_out > 0 {
        tracing::warn!(left_out, "names that do not fit: their contacts have as many as they may");
    }
    Ok(())
}

/// Gives the texts of cards to their contacts.
pub(crate) async fn own(tx: &mut Scoped, arrived: &mut [Arrived]) -> Result<(), Fault> {
    let cards: Vec<_> = received(arrived)
        .filter(|received| received.text.address().is_some())
        .map(|received| (received.text.tenant.clone(), received.text.contact.0))
        .collect();
    let cards: Vec<_> = cards.iter().map(|(tenant, card)| (tenant, *card)).collect();
    let owners = set::owners(tx, &cards).await?;

    for received in received_mut(arrived) {
        let text = &mut received.text;
        if let Some(owner) = owners.get(&text.contact.0) {
            text.contact = ContactId(*owner);
            text.conversation = ConversationId::of(text.contact, text.sender);
        }
    }
    Ok(())
}

/// Says of each text whose it was when it was stored: contacts may have come together since, and a
/// repeat says the same.
pub(crate) fn as_stored<'a>(
    texts: impl Iterator<Item = &'a mut NewText>,
    threads: &HashMap<Uuid, Thread>,
) {
    for text in texts {
        if let Some(thread) = threads.get(&text.id) {
            text.contact = thread.contact;
            text.conversation = thread.conversation;
        }
    }
}
