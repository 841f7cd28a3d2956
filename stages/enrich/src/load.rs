//! What a batch is drafted from: each person as the database has them, and the supplies of all
//! messages together.

use domain::{
    draft::{Origin, Supplies},
    ids::ContactId,
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    drafts::{self, ContactKey, ContactOnFile},
};
use wire::Submitted;

/// A message of the batch, and what the database has of its person.
pub(crate) struct Found<'a> {
    pub(crate) message: &'a Submitted,
    /// Names the person, who may have neither contact nor recipient status yet.
    pub(crate) person: ContactKey<'a>,
    pub(crate) on_file: ContactOnFile,
}

/// Finds the people of a batch, in the order of its messages, and what drafts are made from.
pub(crate) async fn load<'a>(
    tx: &mut Scoped,
    now: Timestamp,
    messages: &[&'a Submitted],
) -> Result<(Vec<Found<'a>>, Supplies), Fault> {
    let messages = || messages.iter().copied();
    let people: Vec<ContactKey<'a>> = messages().map(contact_key).collect();
    let on_file = drafts::contacts(tx, &people).await?;
    let origins = messages().map(|message| (origin(message), message.head.channel));
    let supplies = drafts::supplies(tx, now, origins).await?;

    let found = messages().zip(people).zip(on_file).map(|((message, person), on_file)| Found {
        message,
        person,
        on_file,
    });
    Ok((found.collect(), supplies))
}

fn contact_key(message: &Submitted) -> ContactKey<'_> {
    let head = &message.head;
    ContactKey {
        tenant: &head.tenant,
        contact: ContactId::of(&head.tenant, head.to.as_str()),
        address: &head.to,
        channel: head.channel,
        fields: message.content.is_template(),
    }
}

/// Where the message's text and its senders come from.
pub(crate) fn origin(message: &Submitted) -> Origin<'_> {
    Origin {
        tenant: &message.head.tenant,
        campaign: message.head.campaign,
        content: &message.content,
        from: &message.from,
    }
}
