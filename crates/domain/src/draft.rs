//! What a message becomes before the gates see it: its text, segments, cost, place and candidate
//! senders. Pure: enrich, explain and simulate make the same draft of the same facts.

mod content;
mod length;
mod request;
mod senders;
mod texts;
mod variables;
mod wording;

use std::collections::{HashMap, HashSet};

pub use content::{
    BadCarrierTemplate, BadRichContent, ButtonKind, ButtonValue, CarrierTemplate, Content,
    FileKind, From, HeaderValue, ListRow, MAX_RICH_TEXT, ReplyButton, RichContent,
};
pub use length::{SURELY_FITS, TOO_LONG, fits, fits_in, too_long};
pub use request::{CONTACT_FIELDS, DraftRequest, Origin, Person};
pub use senders::{MAX_CANDIDATES, SenderCandidate};
pub use texts::{CampaignText, Code, PickedVariant, Texts, Variants};
pub use variables::{NOT_FILLED_IN, variable_in};
use wording::{Rendered, Wording, render, wording};

use crate::{
    address::Address,
    billing::{PriceCategory, RateCard, WhatsappRates},
    country::Country,
    ids::{ContactId, MediaId, PoolId, SenderId, TenantId},
    message::class::Channel,
    money::Micros,
    zones::{self, OnFile, Place, Zone},
};

/// The code of a message to an address that its channel does not reach.
pub const NO_PHONE_NUMBER: Code = "no_phone_number";

/// The code of a message with media that the platform does not have, or not yet.
pub const UNKNOWN_MEDIA: Code = "unknown_media";

/// What holds for everything of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantDefaults {
    /// Its name, for the opt-out line.
    pub name: String,
    /// The language of texts to contacts that have none.
    pub language: String,
    /// The zone where a number tells nothing; none when the row's zone is not known.
    pub zone: Option<Zone>,
}

/// A template of the carrier's, by its tenant, name and language.
pub type TemplateName = (TenantId, String, String);

/// What drafts are made from.
#[derive(Debug, Default)]
pub struct Supplies {
    /// The defaults of each tenant.
    pub tenants: HashMap<TenantId, TenantDefaults>,
    /// What messages on WhatsApp cost the tenants that have said it.
    pub whatsapp_rates: HashMap<TenantId, WhatsappRates>,
    /// What the carrier's templates are billed as, where it is known.
    pub template_categories: HashMap<TemplateName, PriceCategory>,
    /// Senders whose accounts surely do not send a template of the carrier's.
    pub without_template: HashMap<TemplateName, HashSet<SenderId>>,
    /// The templates, parsed.
    pub texts: Texts,
    /// The senders of each pool.
    pub pools: HashMap<(TenantId, PoolId), Vec<SenderCandidate>>,
    /// All senders of tenants that leave the choice to us.
    pub senders: HashMap<TenantId, Vec<SenderCandidate>>,
    /// Media that are named by an id, and stored.
    pub media: HashSet<(TenantId, MediaId)>,
}

impl Supplies {
    /// What a message on WhatsApp is expected to cost, by the template that it is sent with.
    fn on_whatsapp(
        &self,
        request: &DraftRequest<'_>,
        template: Option<&CarrierTemplate>,
        to: Option<Country>,
    ) -> Micros {
        let tenant = request.origin.tenant;
        let category = template.map_or(PriceCategory::Service, |template| {
            let known = self.template_categories.get(&name_of(tenant, template)).copied();
            known.unwrap_or_else(|| PriceCategory::of_class(request.class))
        });
        let rates = self.whatsapp_rates.get(tenant);
        rates.map_or(Micros::ZERO, |rates| rates.price(to, category))
    }
}

/// A message made complete, or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The text; empty where it failed.
    pub text: String,
    /// The template that the carrier fills, with the person's values, or where it failed as it was
    /// to be filled; none of another text.
    pub carrier: Option<CarrierTemplate>,
    /// Why it failed.
    pub failed: Option<Code>,
    /// The key of the template's variant that the person gets, also where that could not be
    /// rendered; none for a text of its own, and where there is no template to read.
    pub variant: Option<String>,
    /// How many segments it takes; 0 where it failed.
    pub segments: u16,
    /// What it costs by the rate card.
    pub cost: Micros,
    /// Where the person may be.
    pub place: Place,
    /// Candidate senders, preferred first.
    pub senders: Vec<SenderId>,
}

/// Makes a draft. None when the tenant is not among the supplies.
pub fn draft(
    request: &DraftRequest<'_>,
    contact: ContactId,
    person: &Person,
    supplies: &Supplies,
) -> Option<Draft> {
    let tenant = supplies.tenants.get(request.origin.tenant)?;

    let languages = [person.language.as_deref(), Some(tenant.language.as_str())];
    let wording = wording(request, contact, languages, &supplies.texts);
    let variant = wording.as_ref().ok().and_then(Wording::variant).map(str::to_owned);
    let unfilled = wording.as_ref().ok().and_then(Wording::at_carrier).cloned();

    let place = place(request.to, person, tenant.zone);
    let senders = candidates(request, contact, (&place, unfilled.as_ref()), supplies);

    let media = request.origin.content.media();
    let rendered = reachable(request)
        .and(known_media(request, &supplies.media))
        .and(wording)
        .and_then(|wording| render(request, person, languages, &wording));
    let measured = rendered
        .and_then(|rendered| Ok((length::measured(&rendered.text, request.channel)?, rendered)));
    let (Rendered { text, carrier }, segments, failed) = match measured {
        Ok((segments, rendered)) => (rendered, segments, None),
        Err(code) => (Rendered { text: String::new(), carrier: unfilled }, 0, Some(code)),
    };

    // A message with media is one, however long its text is. On WhatsApp a message is priced by its
    // category, which the carrier's reports settle.
    let (segments, cost) = match (request.channel, media.is_empty(), failed) {
        (Channel::Whatsapp, _, Some(_)) => (segments, Micros::ZERO),
        (Channel::Whatsapp, _, None) => {
            (segments, supplies.on_whatsapp(request, carrier.as_ref(), place.country))
        }
        (Channel::Sms, false, None) => (1, RateCard::standard().cost_with_media(place.country)),
        (Channel::Sms, ..) => (segments, RateCard::standard().cost(place.country, segments)),
    };
    Some(Draft { text, carrier, failed, variant, segments, cost, place, senders })
}

/// What a support agent reads where a draft failed. The codes are those of this file and of
/// [`Texts`].
pub fn reason(code: Code) -> &'static str {
    match code {
        NO_PHONE_NUMBER => "a text needs a phone number, and the person's address is none",
        UNKNOWN_MEDIA => {
            "media that it names are not stored: GET /v1/media/{id} says what has become of each"
        }
        "unknown_campaign" => "there is no such campaign",
        "unknown_template" => "there is no such template",
        "missing_variable" => "a variable has neither a value nor a fallback",
        "empty_text" => "the text is empty",
        "blank_parameter" => "a value of the carrier's template says nothing for this person",
        "too_long" => TOO_LONG,
        "unsendable_text" => "the text holds a character that cannot be sent",
        _ => "the template cannot be read",
    }
}

/// Whether the channel reaches the person's address at all.
fn reachable(request: &DraftRequest<'_>) -> Result<(), Code> {
    if request.channel.reaches(request.to) { Ok(()) } else { Err(NO_PHONE_NUMBER) }
}

/// Whether the platform has all media that are named by an id.
fn known_media(
    request: &DraftRequest<'_>,
    stored: &HashSet<(TenantId, MediaId)>,
) -> Result<(), Code> {
    let tenant = request.origin.tenant;
    let is_known = |media: &String| match media.parse() {
        Ok(id) => stored.contains(&(tenant.clone(), id)),
        // An address, which the carrier fetches.
        Err(_) => true,
    };
    request.origin.content.media().iter().all(is_known).then_some(()).ok_or(UNKNOWN_MEDIA)
}

/// Where a person may be, by what is on file and by the number, where the address is one.
pub fn place(to: &Address, person: &Person, tenant_default: Option<Zone>) -> Place {
    let number = to.phone();
    let country = number.and_then(|number| number.country());

    // `US-FL` is a state of US; a state of another country than the number's tells nothing.
    let state = person.region.as_deref().map(|region| match region.split_once('-') {
        Some((named, state)) if country.is_some_and(|c| c.as_str() == named) => state,
        Some(_) => "",
        None => region,
    });

    let on_file = OnFile {
        zone: person.time_zone.as_deref().and_then(|name| Zone::read(name).ok()),
        postal_code: person.postal_code.as_deref(),
        state: state.filter(|state| !state.is_empty()),
        tenant_default,
    };
    let place = zones::resolve(number.as_ref(), &on_file);
    match to {
        Address::Phone(_) => place,
        Address::Carrier(_) => Place { country: self::country(to), ..place },
    }
}

/// The country of an address: a carrier's id begins with it.
pub fn country(of: &Address) -> Option<Country> {
    match of {
        Address::Phone(number) => number.country(),
        Address::Carrier(id) => id.as_str()[..2].parse().ok(),
    }
}

/// The name of a tenant's template of the carrier.
fn name_of(tenant: &TenantId, template: &CarrierTemplate) -> TemplateName {
    (tenant.clone(), template.name.clone(), template.language.clone())
}

/// The candidate senders, preferred first.
fn candidates(
    request: &DraftRequest<'_>,
    contact: ContactId,
    (place, template): (&Place, Option<&CarrierTemplate>),
    supplies: &Supplies,
) -> Vec<SenderId> {
    let tenant = request.origin.tenant;
    let without = template.and_then(|named| supplies.without_template.get(&name_of(tenant, named)));
    let looked_at = |sender: &SenderCandidate| {
        let has_template = without.is_none_or(|without| !without.contains(&sender.id));
        let is_of_channel = sender.channel == request.channel;
        is_of_channel.then_some(SenderCandidate { has_template, ..*sender })
    };

    match request.origin.from {
        From::Sender(id) => vec![*id],
        From::Pool(id) => {
            let pool = supplies.pools.get(&(tenant.clone(), *id)).into_iter().flatten();
            senders::of_pool(pool.filter_map(looked_at), contact, place.country)
        }
        From::Any => {
            let all = supplies.senders.get(tenant).into_iter().flatten().filter_map(looked_at);
            match request.channel {
                Channel::Sms => senders::of_tenant(all, contact, place.country),
                // A number on WhatsApp writes to every country.
                Channel::Whatsapp => senders::of_pool(all, contact, place.country),
            }
        }
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
