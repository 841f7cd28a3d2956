//! One message made complete. Pure: the same message and facts give the same draft.

use std::{borrow::Cow, collections::HashMap};

use domain::{
    class::MessageClass,
    encoding,
    ids::{ContactId, PoolId, SenderId, TenantId},
    language::Language,
    money::{Micros, RateCard},
    passport::{Passport, Stamp},
    state::MessageState,
    template::{TemplateError, with_opt_out_line},
    zones::{self, OnFile, Place, Zone},
};
use jiff::Timestamp;
use pipeline::Cause;
use store::enrich::{Candidate, Contact, Found, TenantDefaults, record::NewMessage};
use wire::{
    Submitted,
    message::{Content, From},
};

use crate::{
    senders,
    texts::{Code, Texts},
};

/// The most segments that a message may take.
pub const MAX_SEGMENTS: u16 = 10;

/// What drafts are made from.
#[derive(Debug, Default)]
pub struct Facts {
    /// By tenant.
    pub tenants: HashMap<TenantId, TenantDefaults>,
    /// Templates.
    pub texts: Texts,
    /// Senders by pool.
    pub pools: HashMap<(TenantId, PoolId), Vec<Candidate>>,
    /// All senders of tenants that leave the choice to us.
    pub senders: HashMap<TenantId, Vec<Candidate>>,
}

/// A message made complete, or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The person.
    pub contact: ContactId,
    /// The text; empty where it failed.
    pub text: String,
    /// Why it failed.
    pub failed: Option<Code>,
    /// Whether it was cancelled before it came here.
    pub cancelled: bool,
    /// Segments.
    pub segments: u16,
    /// Cost by the rate card.
    pub cost: Micros,
    /// Where the person may be.
    pub place: Place,
    /// Candidate senders, preferred first.
    pub senders: Vec<SenderId>,
    /// SHA-256 of the submitted message.
    pub body_hash: Vec<u8>,
    /// The first stamp.
    pub passport: Passport,
}

/// Makes a draft.
///
/// # Errors
/// What no row can be made of: a tenant that does not exist, a hash that is none.
pub fn draft(
    now: Timestamp,
    message: &Submitted,
    contact: ContactId,
    found: &Found,
    facts: &Facts,
) -> Result<Draft, Cause> {
    let head = &message.head;
    let tenant = facts.tenants.get(&head.tenant).ok_or(Cause("unknown_tenant"))?;
    let body_hash = unhex(&message.body_hash).ok_or(Cause("bad_body_hash"))?;
    let unknown = Contact::default();
    let person = found.contact.as_ref().unwrap_or(&unknown);
    let place = place(message, person, tenant.zone);
    let senders = candidates(message, contact, &place, facts);
    let rendered = render(message, contact, person, tenant, &facts.texts);
    let measured = rendered.and_then(|text| Ok((measured(&text)?, text)));
    let (text, segments, failed) = match measured {
        Ok((segments, text)) => (text, segments, None),
        Err(code) => (String::new(), 0, Some(code)),
    };
    let cost = RateCard::standard().cost(place.country, segments);
    let mut passport = Passport::default();
    passport.stamp(match failed {
        None => Stamp::plain("enrich", now, "accept"),
        Some(code) => Stamp {
            code: Some(code.into()),
            reason: Some(reason(code).into()),
            ..Stamp::plain("enrich", now, "fail")
        },
    });
    Ok(Draft {
        contact,
        text,
        failed,
        cancelled: false,
        segments,
        cost,
        place,
        senders,
        body_hash,
        passport,
    })
}

impl Draft {
    /// The same, withdrawn by its tenant before it was stored: nothing else is of interest.
    #[must_use]
    pub fn cancelled(self, now: Timestamp) -> Self {
        let mut passport = Passport::default();
        passport.stamp(Stamp {
            reason: Some("it was cancelled before it was stored".into()),
            ..Stamp::plain("enrich", now, "cancel")
        });
        Self { failed: None, cancelled: true, passport, ..self }
    }

    /// The state that the message begins in.
    pub fn state(&self) -> MessageState {
        match (self.cancelled, self.failed) {
            (true, _) => MessageState::Cancelled,
            (false, None) => MessageState::Accepted,
            (false, Some(_)) => MessageState::Failed,
        }
    }

    /// The row to store.
    pub fn row<'a>(&'a self, message: &'a Submitted) -> NewMessage<'a> {
        let metadata = (!message.metadata.is_empty()).then(|| {
            serde_json::to_string(&message.metadata).expect("a map of texts is plain data")
        });
        NewMessage {
            head: &message.head,
            contact: self.contact,
            state: self.state(),
            code: self.failed,
            text: &self.text,
            segments: self.segments,
            cost: self.cost,
            body_hash: &self.body_hash,
            metadata,
            passport: &self.passport,
        }
    }
}

/// The text that the person reads, in Unicode normal form C.
fn render(
    message: &Submitted,
    contact: ContactId,
    person: &Contact,
    tenant: &TenantDefaults,
    texts: &Texts,
) -> Result<String, Code> {
    let head = &message.head;
    let languages = [person.language.as_deref(), Some(tenant.language.as_str())];
    let own = |name: &str| person.fields.get(name).map(String::as_str);
    let (language, text) = match &message.content {
        Content::Body(text) => {
            let language = languages.into_iter().flatten().next().unwrap_or_default();
            (language, Cow::Borrowed(text.as_str()))
        }
        Content::Template { id, variables } => {
            let of = head.campaign.map_or(id.0, |campaign| campaign.0);
            let picked = texts.of_template(&head.tenant, *id)?.pick(of, contact, languages)?;
            let given = |name: &str| variables.get(name).map(String::as_str).or_else(|| own(name));
            (picked.0, Cow::Owned(picked.1.render(given).map_err(code_of)?))
        }
        Content::Campaign => {
            let campaign = head.campaign.ok_or("unknown_campaign")?;
            let variants = texts.of_campaign(&head.tenant, campaign)?;
            let picked = variants.pick(campaign.0, contact, languages)?;
            (picked.0, Cow::Owned(picked.1.render(own).map_err(code_of)?))
        }
    };
    if text.trim().is_empty() {
        return Err("empty_text");
    }
    let complete = match head.class {
        MessageClass::Promo | MessageClass::Journey => {
            with_opt_out_line(&text, Language::from_tag(language).unwrap_or_default())
        }
        MessageClass::Conversational | MessageClass::Transactional | MessageClass::Compliance => {
            Cow::Borrowed(text.as_ref())
        }
    };
    Ok(encoding::nfc(&complete).into_owned())
}

fn measured(text: &str) -> Result<u16, Code> {
    if text.contains('\0') {
        return Err("unsendable_text");
    }
    match encoding::measure(text).segments {
        segments if segments > MAX_SEGMENTS => Err("too_long"),
        segments => Ok(segments),
    }
}

fn place(message: &Submitted, person: &Contact, tenant_default: Option<Zone>) -> Place {
    let to = &message.head.to;
    // `US-FL` is a state of US; a state of another country than the number's tells nothing.
    let state = person.region.as_deref().map(|region| match region.split_once('-') {
        Some((country, state)) if to.country().is_some_and(|c| c.as_str() == country) => state,
        Some(_) => "",
        None => region,
    });
    let on_file = OnFile {
        zone: person.time_zone.as_deref().and_then(|name| Zone::parse(name).ok()),
        postal_code: person.postal_code.as_deref(),
        state: state.filter(|state| !state.is_empty()),
        tenant_default,
    };
    zones::resolve(to, &on_file)
}

fn candidates(
    message: &Submitted,
    contact: ContactId,
    place: &Place,
    facts: &Facts,
) -> Vec<SenderId> {
    let tenant = &message.head.tenant;
    match &message.from {
        From::Sender(id) => vec![*id],
        From::Pool(id) => {
            let pool = facts.pools.get(&(tenant.clone(), *id)).map_or(&[][..], Vec::as_slice);
            senders::of_pool(pool, contact, place.country)
        }
        From::Any => {
            let all = facts.senders.get(tenant).map_or(&[][..], Vec::as_slice);
            senders::of_tenant(all, contact, place.country)
        }
    }
}

fn code_of(error: TemplateError) -> Code {
    match error {
        TemplateError::MissingValue { .. } => "missing_variable",
        TemplateError::TooLong
        | TemplateError::Unbalanced { .. }
        | TemplateError::BadName { .. }
        | TemplateError::UnknownVariable { .. } => "bad_template",
    }
}

/// What a support agent reads. The codes are those of this file and of `texts`.
fn reason(code: Code) -> &'static str {
    match code {
        "unknown_campaign" => "there is no such campaign",
        "unknown_template" => "there is no such template",
        "missing_variable" => "a variable has neither a value nor a fallback",
        "empty_text" => "the text is empty",
        "too_long" => "the text takes more than 10 segments",
        "unsendable_text" => "the text holds a character that cannot be sent",
        _ => "the template cannot be read",
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    bytes.filter(|bytes| bytes.len() == 32)
}
