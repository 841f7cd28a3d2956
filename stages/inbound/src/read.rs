//! A carrier's request becomes texts with a meaning. Pure.

use carriers::{Carrier, KeywordGroup, ReceivedText};
use domain::{
    ids::{ContactId, ConversationId, SenderId, TenantId, carrier_id},
    language::Language,
    lexicon::{self, Intent, LexiconRule, Tier},
    phone::PhoneNumber,
};
use stage::Cause;
use store::{
    conversations::inbound::{Meaning, NewText},
    recipients::consent::ConsentMethod,
};
use wire::WebhookRequest;

/// The cause of a dead letter for a request that is no text.
pub const UNREADABLE: Cause = Cause("unreadable_request");

/// The cause of a dead letter for a text to a number that is nobody's: whose it is, is not guessed.
pub const UNKNOWN_DESTINATION: Cause = Cause("unknown_destination");

/// A text, and what the carrier has already answered by itself.
pub struct Received {
    /// The row that is stored.
    pub text: NewText,
    /// The person's number.
    pub number: PhoneNumber,
    /// The handle of the account that it came through.
    pub account: String,
    /// The words that the carrier acts on and answers where the account says so.
    pub keyword: Option<KeywordGroup>,
    /// The language that the words were in, where they are of one.
    pub language: Option<Language>,
    /// The trace it belongs to.
    pub trace: Option<String>,
}

/// The texts of a request as its carrier writes them; none where it cannot be read.
pub fn texts(request: &WebhookRequest) -> Option<Vec<ReceivedText>> {
    let carrier = Carrier::from_name(&request.carrier)?;
    carrier.read_texts(&request.body).ok()
}

/// What one text of a request means to the tenant whose number it came to; none when it is not from
/// a phone number.
pub fn read(
    request: &WebhookRequest,
    tenant: &TenantId,
    inbound: ReceivedText,
) -> Option<Received> {
    let number = PhoneNumber::from_e164(&inbound.from).ok()?;
    let contact = ContactId::of(tenant, number.as_str());
    let sender = SenderId::of(tenant, &inbound.to);
    let keyword = inbound.keyword;
    let said = lexicon::classify(&inbound.body);
    let rule = rule(&said);

    let country = number.country().map_or("ZZ".to_owned(), |country| country.as_str().to_owned());
    let text = NewText {
        tenant: tenant.clone(),
        id: carrier_id(&request.account, &inbound.sid),
        conversation: ConversationId::of(contact, sender),
        contact,
        number: number.as_str().to_owned(),
        country,
        sender,
        body: inbound.body,
        meaning: meaning(keyword, &said),
        method: method(keyword, &said),
        rule: rule.map(|rule| rule.to_string()),
        received_at: request.received_at,
    };
    Some(Received {
        text,
        number,
        account: request.account.clone(),
        keyword,
        language: rule.map(|rule| rule.language),
        trace: request.trace.clone(),
    })
}

/// The carrier's own word comes first: what it blocks, we must not send. A word that may also be an
/// ordinary answer is an opt-in only where the carrier takes it for one.
fn meaning(keyword: Option<KeywordGroup>, said: &Intent) -> Meaning {
    match (keyword, said) {
        (Some(KeywordGroup::OptOut), _) | (None, Intent::OptOut { .. }) => Meaning::OptOut,
        (Some(KeywordGroup::OptIn), _) | (None, Intent::OptIn { unless_asked: false, .. }) => {
            Meaning::OptIn
        }
        (Some(KeywordGroup::Help), _) | (None, Intent::Help { .. }) => Meaning::Help,
        (None, Intent::OptIn { unless_asked: true, .. }) => Meaning::Text,
        (None, Intent::Question | Intent::Other) => Meaning::Text,
    }
}

/// Whether it was said by a keyword, or in other words, which a person may want to look at.
fn method(keyword: Option<KeywordGroup>, said: &Intent) -> ConsentMethod {
    match (keyword, said) {
        (None, Intent::OptOut { tier: Tier::Phrase, .. }) => ConsentMethod::Phrase,
        (Some(_), _)
        | (
            None,
            Intent::OptOut { tier: Tier::Keyword, .. }
            | Intent::OptIn { .. }
            | Intent::Help { .. }
            | Intent::Question
            | Intent::Other,
        ) => ConsentMethod::Keyword,
    }
}

fn rule(said: &Intent) -> Option<LexiconRule> {
    match said {
        Intent::OptOut { rule, .. } | Intent::OptIn { rule, .. } | Intent::Help { rule } => {
            Some(*rule)
        }
        Intent::Question | Intent::Other => None,
    }
}
