//! What a text is written from, and what becomes of it for one person.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    content::{CarrierTemplate, Content},
    length,
    request::{DraftRequest, Person},
    texts::{CampaignText, Code, PickedVariant, Texts},
};
use crate::{
    ids::ContactId,
    invisible::is_blank,
    language::Language,
    template::{Template, TemplateError},
};

/// The languages of a text, the preferred first: the person's own, and the tenant's.
pub(super) type Languages<'a> = [Option<&'a str>; 2];

/// What is sent.
pub(super) struct Rendered {
    /// The text; of a template of the carrier, what is shown of it.
    pub(super) text: String,
    /// That template, with the person's values.
    pub(super) carrier: Option<CarrierTemplate>,
}

/// What a text is written from.
pub(super) enum Wording<'a> {
    /// The text itself.
    Given(&'a str),
    /// What the carrier makes of a template of its own.
    AtCarrier(&'a CarrierTemplate),
    /// Likewise, of a template whose values name the person's fields.
    FilledAtCarrier(&'a CarrierTemplate),
    /// A variant of a template, and the values that came with the message.
    Variant(PickedVariant<'a>, Option<&'a BTreeMap<String, String>>),
}

impl<'a> Wording<'a> {
    /// The key of the variant; none for a text that was given.
    pub(super) fn variant(&self) -> Option<&'a str> {
        match self {
            Self::Given(_) | Self::AtCarrier(_) | Self::FilledAtCarrier(_) => None,
            Self::Variant(picked, _) => Some(picked.key),
        }
    }

    /// The template of the carrier, as it is or is to be filled; none for another text.
    pub(super) fn at_carrier(&self) -> Option<&'a CarrierTemplate> {
        match self {
            Self::AtCarrier(template) | Self::FilledAtCarrier(template) => Some(template),
            Self::Given(_) | Self::Variant(..) => None,
        }
    }
}

/// Finds what the text is written from: for a template, the variant that the person gets.
pub(super) fn wording<'a>(
    request: &DraftRequest<'a>,
    contact: ContactId,
    languages: Languages<'_>,
    texts: &'a Texts,
) -> Result<Wording<'a>, Code> {
    match request.origin.content {
        Content::Body(text) | Content::Media { text, .. } => Ok(Wording::Given(text)),
        Content::Carrier(template) => Ok(Wording::AtCarrier(template)),
        Content::Template { id, variables } => {
            let picked_by = request.origin.campaign.map_or(id.0, |campaign| campaign.0);
            let variants = texts.of_template(request.origin.tenant, *id)?;
            let picked = variants.pick(picked_by, contact, languages)?;
            Ok(Wording::Variant(picked, Some(variables)))
        }

        Content::Campaign => {
            let campaign = request.origin.campaign.ok_or("unknown_campaign")?;
            match texts.of_campaign(request.origin.tenant, campaign)? {
                CampaignText::Variants(variants) => {
                    Ok(Wording::Variant(variants.pick(campaign.0, contact, languages)?, None))
                }
                CampaignText::Carrier(template) => Ok(Wording::FilledAtCarrier(template)),
            }
        }
    }
}

/// What is sent to the person.
pub(super) fn render(
    request: &DraftRequest<'_>,
    person: &Person,
    languages: Languages<'_>,
    wording: &Wording<'_>,
) -> Result<Rendered, Code> {
    let (language, text) = match wording {
        Wording::AtCarrier(template) => return Ok(Rendered::at_carrier((*template).clone())),
        Wording::FilledAtCarrier(template) => {
            return filled(template, person).map(Rendered::at_carrier);
        }
        Wording::Given(text) => {
            let language = languages.into_iter().flatten().next().unwrap_or_default();
            (language, Cow::Borrowed(*text))
        }
        Wording::Variant(picked, given) => {
            let given = |name: &str| given.and_then(|values| values.get(name)).map(String::as_str);
            let value = |name: &str| given(name).or_else(|| person.field(name));
            let text = picked.template.render(value).map_err(code_of)?;
            (picked.language, Cow::Owned(text))
        }
    };
    if is_blank(&text) && request.origin.content.media().is_empty() {
        return Err("empty_text");
    }

    let language = Language::from_tag(language).unwrap_or_default();
    let text = length::complete(&text, request.class, language);
    Ok(Rendered { text, carrier: None })
}

/// A template of the carrier whose values name fields, with those of a person.
fn filled(template: &CarrierTemplate, person: &Person) -> Result<CarrierTemplate, Code> {
    let filled = template.try_map(|text| {
        let value = Template::parse(text).map_err(code_of)?;
        value.render(|name| person.field(name)).map_err(code_of)
    })?;
    filled.checked().map_err(|_| "blank_parameter")
}

impl Rendered {
    fn at_carrier(template: CarrierTemplate) -> Self {
        Self { text: template.shown(), carrier: Some(template) }
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
