//! What a carrier's request has brought: texts, each with its meaning. Pure.

use std::collections::HashSet;

use carriers::{Carrier, KeywordGroup, ReceivedText};
use domain::{
    address::{Address, AddressKind, CarrierId, is_username},
    ids::{ContactId, ConversationId, SenderId, TenantId, carrier_id},
    language::Language,
    lexicon::{self, Intent, LexiconRule, Tier},
    message::class::Channel,
    phone::PhoneNumber,
};
use stage::Cause;
use store::{
    conversations::inbound::{Meaning, NewText, Writer},
    recipients::consent::ConsentMethod,
};
use wire::WebhookRequest;

use crate::load::OwnedText;

/// The cause of a dead letter for a request that is no text.
const UNREADABLE: Cause = Cause("unreadable_request");

/// The cause of a dead letter for a text to a number that is nobody's: no tenant is guessed.
const UNKNOWN_DESTINATION: Cause = Cause("unknown_destination");

/// What one request has brought.
pub(crate) enum Arrived {
    /// Its texts; none where it holds receipts alone.
    Texts(Vec<Received>),
    /// Nothing that can be handled.
    Dead(Cause),
}

/// A text, and what the carrier has already answered by itself.
pub(crate) struct Received {
    /// The row that is stored.
    pub(crate) text: NewText,
    /// What the carrier tells of the person beside the address that they wrote from.
    pub(crate) names: Vec<(AddressKind, String)>,
    /// The handle of the account that it came through.
    pub(crate) account: String,
    /// The carrier's id of it.
    pub(crate) carrier_id: String,
    /// What the button or row that the person chose brings back.
    pub(crate) payload: Option<String>,
    /// Where the carrier gives what came with it, in its order.
    pub(crate) media: Vec<String>,
    /// The words that the carrier acts on and answers where the account says so.
    pub(crate) keyword: Option<KeywordGroup>,
    /// The carrier says that it has answered this text, whatever the account says.
    pub(crate) answered: bool,
    /// The language that the words were in, where they are of one.
    pub(crate) language: Option<Language>,
    /// The trace it belongs to.
    pub(crate) trace: Option<String>,
}

/// Decides what a request has brought; `texts` is none where it cannot be read. Texts to numbers
/// that are nobody's end the request only where it holds no other.
pub(crate) fn decide(request: &WebhookRequest, texts: Option<Vec<OwnedText>>) -> Arrived {
    let Some(texts) = texts else { return Arrived::Dead(UNREADABLE) };
    let brings_none = texts.is_empty();
    let any_to_nobody = texts.iter().any(|(_, owner)| owner.is_none());

    let received: Vec<Received> =
        texts.into_iter().filter_map(|(text, owner)| read(request, &owner?, text)).collect();

    if brings_none || !received.is_empty() {
        Arrived::Texts(received)
    } else if any_to_nobody {
        Arrived::Dead(UNKNOWN_DESTINATION)
    } else {
        Arrived::Dead(UNREADABLE)
    }
}

/// Each text once: a carrier may have sent one twice.
pub(crate) fn distinct(arrived: &[Arrived]) -> Vec<NewText> {
    let mut known = HashSet::new();
    let texts = received(arrived).map(|received| &received.text);
    texts.filter(|text| known.insert((&text.tenant, text.id))).cloned().collect()
}

/// Everything that was received.
pub(crate) fn received(arrived: &[Arrived]) -> impl Iterator<Item = &Received> {
    arrived.iter().flat_map(|arrived| match arrived {
        Arrived::Texts(received) => received.as_slice(),
        Arrived::Dead(_) => &[],
    })
}

/// The same, to be changed.
pub(crate) fn received_mut(arrived: &mut [Arrived]) -> impl Iterator<Item = &mut Received> {
    arrived.iter_mut().flat_map(|arrived| match arrived {
        Arrived::Texts(received) => received.as_mut_slice(),
        Arrived::Dead(_) => &mut [],
    })
}

/// What one text of a request means to the tenant whose number it came to; none when it does not
/// say where it is from.
fn read(request: &WebhookRequest, tenant: &TenantId, inbound: ReceivedText) -> Option<Received> {
    let channel = Carrier::from_name(&request.carrier)?.channel();
    let writer = writer(channel, &inbound.from)?;
    let names = match &writer {
        Writer::Person { address, .. } => names(channel, address, &inbound),
        Writer::Code(_) => Vec::new(),
    };
    let contact = ContactId::of(tenant, writer.as_str());
    let sender = SenderId::of(tenant, &inbound.to);

    let (keyword, answered) = (inbound.keyword, inbound.answered);
    let said = lexicon::classify(&inbound.body);
    let rule = rule(&said).filter(|_| !inbound.is_reaction);

    let meaning = match &writer {
        // A sign on a message says nothing that the lexicon knows, whatever it looks like.
        Writer::Person { .. } if inbound.is_reaction => Meaning::Reaction,
        Writer::Person { .. } => meaning(keyword, &said),
        Writer::Code(_) => Meaning::Automatic,
    };

    let text = NewText {
        tenant: tenant.clone(),
        id: carrier_id(&request.account, &inbound.sid),
        conversation: ConversationId::of(contact, sender),
        contact,
        writer,
        channel,
        sender,
        to: inbound.to,
        is_to_sender: true,
        group: sender.0,
        body: inbound.body,
        meaning,
        method: method(keyword, &said),
        rule: rule.map(|rule| rule.to_string()),
        received_at: request.received_at,
    };

    Some(Received {
        text,
        names,
        account: request.account.clone(),
        carrier_id: inbound.sid,
        payload: inbound.payload,
        media: inbound.media,
        keyword,
        answered,
        language: rule.map(|rule| rule.language),
        trace: request.trace.clone(),
    })
}

/// What the carrier tells of a person beside their address: its own id, their name there, and the
/// digits that it writes where they are another form of their number.
fn names(channel: Channel, address: &Address, text: &ReceivedText) -> Vec<(AddressKind, String)> {
    if channel != Channel::Whatsapp {
        return Vec::new();
    }
    let id = text.user_id.as_ref().filter(|id| id.parse::<CarrierId>().is_ok());
    let id = id.map(|id| (AddressKind::CarrierId, id.clone()));
    let digits = text.from.strip_prefix('+').filter(|_| text.from != address.as_str());
    let digits = digits.map(|digits| (AddressKind::WhatsappId, digits.to_owned()));
    let name = text.username.as_ref().map(|name| name.to_lowercase());
    let name = name.filter(|name| is_username(name)).map(|name| (AddressKind::Username, name));
    [id, digits, name].into_iter().flatten().collect()
}

/// Who a text is from, by what the carrier says of it: a number is read in its canonical form.
fn writer(channel: Channel, from: &str) -> Option<Writer> {
    let Ok(number) = PhoneNumber::from_carrier(from) else {
        let id: Option<CarrierId> = match channel {
            Channel::Sms => None,
            Channel::Whatsapp => from.parse().ok(),
        };
        return match id {
            // Somebody who keeps their number to themselves. The id begins with a country.
            Some(id) => {
                let country = id.as_str()[..2].to_owned();
                Some(Writer::Person { address: Address::Carrier(id), country })
            }
            None => from.parse().ok().map(Writer::Code),
        };
    };
    let country = number.country().map_or("ZZ".to_owned(), |country| country.as_str().to_owned());
    Some(Writer::Person { address: Address::from(number), country })
}

/// The carrier's own reading of a word comes first: we must not send to a person whom the carrier
/// blocks. A word that may also be an ordinary answer is an opt-in only where the carrier takes it
/// for one.
fn meaning(keyword: Option<KeywordGroup>, said: &Intent) -> Meaning {
    match (keyword, said) {
        (Some(KeywordGroup::OptOut), _) | (None, Intent::OptOut { .. }) => Meaning::OptOut,
        (Some(KeywordGroup::OptIn), _) | (None, Intent::OptIn { unless_asked: false, .. }) => {
            Meaning::OptIn
        }
        (Some(KeywordGroup::Help), _) | (None, Intent::Help { .. }) => Meaning::Help,
        (None, Intent::OptIn { unless_asked: true, .. }) => Meaning::Text,
        (None, Intent::Question | Intent::Other) => Meaning::Text,
        (None, Intent::Reaction) => Meaning::Reaction,
        (None, Intent::Automatic { .. }) => Meaning::Automatic,
    }
}

/// Whether the text is a keyword, or says it in other words, which somebody may want to look at.
fn method(keyword: Option<KeywordGroup>, said: &Intent) -> ConsentMethod {
    match (keyword, said) {
        (None, Intent::OptOut { tier: Tier::Phrase, .. }) => ConsentMethod::Phrase,
        (Some(_), _)
        | (
            None,
            Intent::OptOut { tier: Tier::Keyword, .. }
            | Intent::OptIn { .. }
            | Intent::Help { .. }
            | Intent::Automatic { .. }
            | Intent::Reaction
            | Intent::Question
            | Intent::Other,
        ) => ConsentMethod::Keyword,
    }
}

fn rule(said: &Intent) -> Option<LexiconRule> {
    match said {
        Intent::OptOut { rule, .. }
        | Intent::OptIn { rule, .. }
        | Intent::Help { rule }
        | Intent::Automatic { rule } => Some(*rule),
        Intent::Reaction | Intent::Question | Intent::Other => None,
    }
}
