//! What a message says, as a caller writes it: a body, a template, or a template of the carrier's.

use std::{borrow::Cow, collections::BTreeMap};

use domain::{
    ids::TemplateId,
    message::class::{Channel, MessageClass},
    template::MAX_VALUE,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};
use uuid::Uuid;
use wire::message::Content;

use super::carrier_template::CarrierTemplateRef;
use crate::{document::words::texts_by_name, fields, http::Errors};

/// The ways to say it, of which one is given; media may go with a body.
#[derive(Default)]
pub(crate) struct Given<'a> {
    pub(crate) body: Option<Cow<'a, str>>,
    pub(crate) media: Vec<String>,
    pub(crate) template: Option<TemplateRef>,
    pub(crate) carrier_template: Option<CarrierTemplateRef>,
}

/// A template with the values of its variables.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = MessageTemplate)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateRef {
    /// The template's id.
    id: Uuid,
    /// Values by name.
    #[serde(default)]
    #[schema(schema_with = variables)]
    variables: BTreeMap<String, String>,
}

/// What the document says of variables.
fn variables() -> Object {
    let name = ObjectBuilder::new().schema_type(Type::String);
    let about = "Values by name, at most 50 of at most 500 characters each; names have 1 to 64 of \
        a-z, 0-9 and `_`. The person's own fields fill what is missing.";
    texts_by_name(about, MAX_VALUE)
        .property_names(Some(name.pattern(Some("^[a-z0-9_]{1,64}$"))))
        .max_properties(Some(50))
        .build()
}

/// What the text is made of: a body, with or without media, a template, or a template of the
/// carrier's.
pub(crate) fn content(
    given: Given<'_>,
    class: Option<MessageClass>,
    channel: Channel,
    errors: &mut Errors,
) -> Option<Content> {
    if !given.media.is_empty() {
        return with_media(given, class, errors);
    }

    match (given.body, given.template, given.carrier_template) {
        (Some(body), None, None) => {
            let class = class.unwrap_or(MessageClass::Transactional);
            match channel {
                Channel::Sms => fields::body("body", &body, class, errors),
                Channel::Whatsapp => fields::long_body("body", &body, class, errors),
            }
            Some(Content::Body(body.into_owned()))
        }

        (None, None, Some(template)) => of_carrier(&template, channel, errors),

        (None, Some(TemplateRef { id, variables }), None) => {
            fields::variables("template.variables", variables.len(), errors);
            for (name, value) in &variables {
                fields::variable_name("template.variables", name, errors);
                fields::variable_value(&format!("template.variables.{name}"), value, errors);
            }
            Some(Content::Template { id: TemplateId(id), variables })
        }

        (Some(_), Some(_), None) => {
            errors.add("template", "ambiguous", "give body or template, not both");
            None
        }
        (Some(_), None, Some(_)) => {
            errors.add("carrier_template", "ambiguous", "give body or carrier_template, not both");
            None
        }
        (_, Some(_), Some(_)) => {
            let detail = "give one of body, template and carrier_template";
            errors.add("carrier_template", "ambiguous", detail);
            None
        }
        (None, None, None) => {
            errors.add("body", "required", "give body, template or media");
            None
        }
    }
}

/// Media by SMS, with or without a text.
fn with_media(
    given: Given<'_>,
    class: Option<MessageClass>,
    errors: &mut Errors,
) -> Option<Content> {
    let is_alone = given.template.is_none() && given.carrier_template.is_none();
    errors.check(is_alone, "media", "unexpected", "media go with a body");

    let text = given.body.unwrap_or_default().into_owned();
    if !text.is_empty() {
        fields::body("body", &text, class.unwrap_or(MessageClass::Transactional), errors);
    }
    Some(Content::Media { text, media: given.media })
}

/// A template of the carrier's, as it will be sent.
fn of_carrier(
    written: &CarrierTemplateRef,
    channel: Channel,
    errors: &mut Errors,
) -> Option<Content> {
    if channel == Channel::Sms {
        let detail = "SMS has no such templates: give body, or whatsapp as channel";
        errors.add("carrier_template", "unsupported", detail);
        return None;
    }
    written.read(errors).map(Content::Carrier)
}
