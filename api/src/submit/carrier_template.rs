//! A template of a carrier's with its values, as callers write it.

use domain::draft::{ButtonKind, ButtonValue, CarrierTemplate, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::http::Errors;

/// A template of the carrier's with the values of its variables.
#[derive(Clone, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = MessageCarrierTemplate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CarrierTemplateRef {
    /// Its name at the carrier.
    #[schema(pattern = "^[a-z0-9_]{1,512}$", example = "order_shipped")]
    name: String,
    /// Its language, as the carrier writes it.
    #[schema(pattern = "^[a-z]{2,3}(_[A-Za-z0-9]{2,4})?$", example = "en_US")]
    language: String,
    /// The values of its text's variables, in their order, each of 1 to 1,024 characters that say
    /// something. Line breaks, tabs and runs of spaces become one space.
    #[serde(default)]
    #[schema(max_items = 50, max_length = 1024)]
    parameters: Vec<String>,
    /// What stands above its text, where that varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    header: Option<Header>,
    /// What its buttons need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    buttons: Vec<Button>,
}

/// What stands above the text of a template: one of these.
#[derive(Clone, PartialEq, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = MessageCarrierTemplateHeader)]
#[serde(deny_unknown_fields)]
struct Header {
    /// The value of its variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1024, nullable = false)]
    text: Option<String>,
    /// The https address of a picture, which the carrier fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1024, nullable = false)]
    image: Option<String>,
    /// The https address of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1024, nullable = false)]
    video: Option<String>,
    /// The https address of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1024, nullable = false)]
    document: Option<String>,
}

/// What a button of a template needs.
#[derive(Clone, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = MessageCarrierTemplateButton)]
#[serde(deny_unknown_fields)]
struct Button {
    /// The button's index among all of the template, from 0.
    #[schema(maximum = 9)]
    index: u8,
    /// What kind of button it is.
    #[serde(rename = "type")]
    #[schema(value_type = MessageCarrierTemplateButtonType)]
    kind: String,
    /// The end of a page's address, what a quick reply comes back with, or the code to copy.
    #[schema(min_length = 1, max_length = 1024, example = "417")]
    value: String,
}

/// The kinds of buttons that need a value.
struct MessageCarrierTemplateButtonType;

impl PartialSchema for MessageCarrierTemplateButtonType {
    fn schema() -> RefOr<Schema> {
        let about = "A kind of button that needs a value.";
        domain::schema::words(about, KINDS.map(|(name, _)| name))
    }
}

impl ToSchema for MessageCarrierTemplateButtonType {}

const KINDS: [(&str, ButtonKind); 3] = [
    ("url", ButtonKind::Url),
    ("quick_reply", ButtonKind::QuickReply),
    ("copy_code", ButtonKind::CopyCode),
];

impl CarrierTemplateRef {
    /// The template as it will be sent, or everything that is wrong with it. The field is
    /// `carrier_template`.
    pub(crate) fn read(&self, errors: &mut Errors) -> Option<CarrierTemplate> {
        let header = self.header.as_ref().map(|header| header.read(errors));
        let buttons = self.buttons.iter().enumerate();
        let buttons: Vec<ButtonValue> =
            buttons.map(|(index, button)| button.read(index, errors)).collect();
        let is_read =
            header != Some(None) && self.buttons.iter().all(|button| button.kind().is_some());

        let template = CarrierTemplate {
            name: self.name.clone(),
            language: self.language.clone(),
            parameters: self.parameters.clone(),
            header: header.flatten(),
            buttons,
        };
        match template.checked() {
            Ok(template) => is_read.then_some(template),
            Err(faults) => {
                for fault in faults {
                    let field = format!("carrier_template.{}", fault.field());
                    errors.add(&field, "invalid", fault.to_string());
                }
                None
            }
        }
    }

    /// A template as one would write it anew.
    pub(crate) fn of(template: &CarrierTemplate) -> Self {
        let button = |button: &ButtonValue| {
            let kind = KINDS.iter().find(|(_, kind)| *kind == button.kind);
            let kind = kind.map_or("", |(name, _)| name).to_owned();
            Button { index: button.index, kind, value: button.value.clone() }
        };
        Self {
            name: template.name.clone(),
            language: template.language.clone(),
            parameters: template.parameters.clone(),
            header: template.header.as_ref().map(Header::of),
            buttons: template.buttons.iter().map(button).collect(),
        }
    }
}

impl Header {
    fn read(&self, errors: &mut Errors) -> Option<HeaderValue> {
        let Self { text, image, video, document } = self.clone();
        let given = [
            text.map(HeaderValue::Text),
            image.map(HeaderValue::Image),
            video.map(HeaderValue::Video),
            document.map(HeaderValue::Document),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(one), None) => Some(one),
            _ => {
                let detail = "give one of text, image, video and document";
                errors.add("carrier_template.header", "ambiguous", detail);
                None
            }
        }
    }

    fn of(header: &HeaderValue) -> Self {
        let value = Some(header.value().to_owned());
        match header {
            HeaderValue::Text(_) => Self { text: value, ..Self::default() },
            HeaderValue::Image(_) => Self { image: value, ..Self::default() },
            HeaderValue::Video(_) => Self { video: value, ..Self::default() },
            HeaderValue::Document(_) => Self { document: value, ..Self::default() },
        }
    }
}

impl Button {
    /// What it needs. One of no kind is looked at as if it answered, so that all of it is told.
    fn read(&self, index: usize, errors: &mut Errors) -> ButtonValue {
        let field = format!("carrier_template.buttons[{index}].type");
        errors.check(self.kind().is_some(), &field, "unknown", "url, quick_reply or copy_code");
        let kind = self.kind().unwrap_or(ButtonKind::QuickReply);
        ButtonValue { index: self.index, kind, value: self.value.clone() }
    }

    fn kind(&self) -> Option<ButtonKind> {
        KINDS.iter().find(|(name, _)| *name == self.kind).map(|(_, kind)| *kind)
    }
}
