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
    FileKind, From, HeaderValue, ListRow, MAX_BUTTON_TITLE, MAX_BUTTON_VALUES, MAX_BUTTONS,
    MAX_CHOICE_ID, MAX_FILENAME, MAX_RICH_TEXT, MAX_ROW_DESCRIPTION, MAX_ROW_TITLE, MAX_ROWS,
    ReplyButton, RichContent,
};
pub use length::{MAX_SEGMENTS, SURELY_FITS, TOO_LONG, fits, fits_in, too_long};
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
mod tests {
    use super::*;
    use crate::{ids::CampaignId, message::class::MessageClass};

    #[test]
    fn every_field_that_a_template_may_name_is_filled() {
        let names = [("first_name", "Ana"), ("last_name", "Diaz"), ("region", "hidden")];
        let person = Person {
            postal_code: Some("10001".into()),
            region: Some("US-NY".into()),
            fields: names.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..Person::default()
        };

        let filled = CONTACT_FIELDS.map(|name| person.field(name));
        assert_eq!(filled, [Some("Ana"), Some("Diaz"), Some("10001"), Some("US-NY")]);
        assert_eq!(person.field("plan"), None);
    }

    #[test]
    fn the_variant_is_known_also_where_its_text_cannot_be_sent() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
        let campaign = CampaignId(uuid::Uuid::nil());
        let json = r#"[{"key": "a", "weight": 0, "bodies": {"en": "Hi"}},
                       {"key": "b", "weight": 1, "bodies": {"en": "Hi {first_name}"}}]"#;
        let variants = [((tenant.clone(), campaign), json.to_owned())].into();
        let supplies = Supplies {
            tenants: [(tenant.clone(), defaults)].into(),
            texts: Texts::parse(variants, HashMap::new()),
            ..Supplies::default()
        };

        let drafted = |campaign, to: &str, first_name: Option<&str>| {
            let to: Address = to.parse().expect("an address");
            let (class, channel) = (MessageClass::Promo, Channel::Sms);
            let (content, from) = (&Content::Campaign, &From::Any);
            let origin = Origin { tenant: &tenant, campaign, content, from };
            let request = DraftRequest { class, channel, to: &to, origin };
            let fields = first_name.map(|name| ("first_name".to_owned(), name.to_owned()));
            let person = Person { fields: fields.into_iter().collect(), ..Person::default() };
            let contact = ContactId::of(&tenant, to.as_str());
            let draft = draft(&request, contact, &person, &supplies).expect("a known tenant");
            (draft.variant, draft.failed)
        };

        let (b, phone) = (Some("b".to_owned()), "+12025550173");
        let whatsapp_id = "US.13491208655302741918";
        assert_eq!(drafted(Some(campaign), phone, Some("Ana")), (b.clone(), None));
        assert_eq!(drafted(Some(campaign), phone, None), (b.clone(), Some("missing_variable")));
        assert_eq!(drafted(Some(campaign), whatsapp_id, None), (b, Some(NO_PHONE_NUMBER)));
        assert_eq!(drafted(None, phone, None), (None, Some("unknown_campaign")));
    }

    /// The draft of a plain text to this address.
    fn drafted(channel: Channel, to: &Address) -> Draft {
        saying("Hello", channel, to)
    }

    fn saying(text: &str, channel: Channel, to: &Address) -> Draft {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
        let supplies =
            Supplies { tenants: [(tenant.clone(), defaults)].into(), ..Supplies::default() };
        let content = Content::Body(text.into());
        let origin =
            Origin { tenant: &tenant, campaign: None, content: &content, from: &From::Any };
        let request = DraftRequest { class: MessageClass::Transactional, channel, to, origin };

        let contact = ContactId::of(&tenant, to.as_str());
        draft(&request, contact, &Person::default(), &supplies).expect("the tenant is known")
    }

    #[test]
    fn a_campaign_fills_a_template_of_the_carrier_with_the_persons_fields() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
        let campaign = CampaignId(uuid::Uuid::nil());
        let drafted = |plan: &str, fields: &[(&str, &str)]| {
            let values = ["{first_name|friend}".to_owned(), plan.to_owned()];
            let template = CarrierTemplate::new("sale", "en", &values).expect("right");
            let json = serde_json::to_string(&template).expect("plain data");
            let campaigns = [((tenant.clone(), campaign), json)].into();
            let supplies = Supplies {
                tenants: [(tenant.clone(), defaults.clone())].into(),
                texts: Texts::parse(campaigns, HashMap::new()),
                ..Supplies::default()
            };
            let to: Address = "US.13491208655302741918".parse().expect("an address");
            let (content, from) = (&Content::Campaign, &From::Any);
            let campaign = Some(campaign);
            let origin = Origin { tenant: &tenant, campaign, content, from };
            let (class, channel) = (MessageClass::Promo, Channel::Whatsapp);
            let request = DraftRequest { class, channel, to: &to, origin };
            let fields = fields.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let person = Person { fields: fields.collect(), ..Person::default() };
            let contact = ContactId::of(&tenant, to.as_str());
            let draft = draft(&request, contact, &person, &supplies).expect("a known tenant");
            (draft.failed, draft.text, draft.carrier.map(|carrier| carrier.parameters))
        };

        let values = vec!["Ana".to_owned(), "a b".to_owned()];
        let whole = drafted("{plan}", &[("first_name", "Ana"), ("plan", "a\n b")]);
        assert_eq!(whole, (None, "sale (en): Ana | a b".to_owned(), Some(values)));
        let (_, text, _) = drafted("{plan}", &[("plan", "gold")]);
        assert_eq!(text, "sale (en): friend | gold", "no opt-out line is added");
        let unfilled = vec!["{first_name|friend}".to_owned(), "{plan}".to_owned()];
        let failed = (Some("missing_variable"), String::new(), Some(unfilled));
        assert_eq!(drafted("{plan}", &[]), failed);
        assert_eq!(drafted("{plan|}", &[]).0, Some("blank_parameter"));
        assert!(reason("blank_parameter").contains("says nothing"));
    }

    #[test]
    fn lines_are_sent_and_counted_with_one_character_at_their_end() {
        let number: Address = "+12025550173".parse().expect("an address");
        let text = format!("{}\r\n{}", "a".repeat(80), "b".repeat(79));
        let draft = saying(&text, Channel::Sms, &number);
        assert_eq!((draft.segments, draft.text), (1, text.replace("\r\n", "\n")));
    }

    #[test]
    fn a_message_with_media_is_one_and_needs_no_text() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
        let id = MediaId(uuid::Uuid::from_u128(7));
        let supplies = Supplies {
            tenants: [(tenant.clone(), defaults)].into(),
            media: [(tenant.clone(), id)].into(),
            ..Supplies::default()
        };
        let to: Address = "+12025550173".parse().expect("an address");
        let drafted = |text: &str, media: &str| {
            let content = Content::Media { text: text.into(), media: vec![media.to_owned()] };
            let origin =
                Origin { tenant: &tenant, campaign: None, content: &content, from: &From::Any };
            let (class, channel) = (MessageClass::Transactional, Channel::Sms);
            let request = DraftRequest { class, channel, to: &to, origin };
            let contact = ContactId::of(&tenant, to.as_str());
            let draft = draft(&request, contact, &Person::default(), &supplies);
            let draft = draft.expect("the tenant is known");
            (draft.failed, draft.segments, draft.cost)
        };

        let price = RateCard::standard().cost_with_media(to.phone().and_then(|it| it.country()));
        assert!(price > RateCard::standard().cost(Some("US".parse().expect("a country")), 1));
        let long = "x".repeat(400);
        for text in ["", "Hello", &long] {
            assert_eq!(drafted(text, "https://example.com/x.png"), (None, 1, price));
            assert_eq!(drafted(text, &id.to_string()), (None, 1, price));
        }
        let unknown = MediaId(uuid::Uuid::from_u128(8)).to_string();
        assert_eq!(drafted("Hello", &unknown), (Some(UNKNOWN_MEDIA), 0, Micros(0)));
        assert!(reason(UNKNOWN_MEDIA).contains("/v1/media"));
    }

    #[test]
    fn sms_reaches_phone_numbers_alone() {
        let number: Address = "+12025550173".parse().expect("an address");
        let id: Address = "US.13491208655302741918".parse().expect("an address");

        let failed = drafted(Channel::Sms, &id);
        assert_eq!((failed.failed, failed.segments), (Some(NO_PHONE_NUMBER), 0));
        assert!(reason(NO_PHONE_NUMBER).contains("phone number"));

        let sent =
            [(Channel::Sms, &number), (Channel::Whatsapp, &number), (Channel::Whatsapp, &id)];
        for (channel, to) in sent {
            assert_eq!(drafted(channel, to).failed, None, "{channel:?} {to:?}");
        }
    }
}
