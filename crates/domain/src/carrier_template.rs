//! Message templates that a carrier keeps and reviews, as WhatsApp does: what one is made of, and
//! how far its review has come. What is sent of one is [`crate::draft::CarrierTemplate`].

mod check;
mod review;
mod variables;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use check::{ComponentFault, MAX_BUTTONS};
pub use review::{ReviewState, TemplateStanding, UNKNOWN_TEMPLATE, Unsendable};

/// What a template is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CarrierTemplateComponents)]
#[serde(deny_unknown_fields)]
pub struct TemplateComponents {
    /// What stands above the text; none where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub header: Option<TemplateHeader>,
    /// The text, with its variables.
    pub body: TemplateBody,
    /// What stands small under the text, without variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60, nullable = false)]
    pub footer: Option<String>,
    /// What the person may press; quick replies stand together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub buttons: Vec<TemplateButton>,
}

/// What stands above a template's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CarrierTemplateHeader)]
#[serde(deny_unknown_fields)]
pub struct TemplateHeader {
    /// `text`, `image`, `video`, `document` or `location`.
    #[schema(max_length = 32, example = "text")]
    pub format: String,
    /// Of a text: what it says, with one variable at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60, nullable = false)]
    pub text: Option<String>,
    /// For the review: a value of the text's variable, or the handle of a file that was uploaded to
    /// the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub example: Option<String>,
}

/// The text of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CarrierTemplateBody)]
#[serde(deny_unknown_fields)]
pub struct TemplateBody {
    /// What it says, with variables `{{1}}`, `{{2}}` and so on: none of them first or last, and no
    /// two beside each other.
    #[schema(max_length = 1024, example = "Hello {{1}}, order {{2}} has left our house.")]
    pub text: String,
    /// For the review: a value of each variable, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50, max_length = 1024)]
    pub examples: Vec<String>,
}

/// Something to press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CarrierTemplateButton)]
#[serde(deny_unknown_fields)]
pub struct TemplateButton {
    /// `quick_reply`, `url`, `phone_number` or `copy_code`.
    #[serde(rename = "type")]
    #[schema(max_length = 32, example = "quick_reply")]
    pub kind: String,
    /// What the person reads; not of `copy_code`, which the carrier names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 25, nullable = false)]
    pub text: Option<String>,
    /// Of `url`: the page that it opens, with `{{1}}` at its end at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub url: Option<String>,
    /// Of `phone_number`: the number that it calls, in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 20, nullable = false)]
    pub phone_number: Option<String>,
    /// For the review: of a page with a variable a whole address, of `copy_code` a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub example: Option<String>,
}

/// A template as its carrier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTemplate {
    /// The carrier's id of it.
    pub id: String,
    /// Its name: one name may have several languages.
    pub name: String,
    /// Its language, as the carrier writes it.
    pub language: String,
    /// Its category, in small letters; the carrier may have changed it.
    pub category: String,
    /// How far its review has come.
    pub state: ReviewState,
    /// The carrier's own word for that.
    pub status: String,
    /// `green`, `yellow`, `red` or `unknown`.
    pub quality: String,
    /// Why it was rejected; none where it was not.
    pub reason: Option<String>,
    /// What it is made of, as far as the carrier shows it.
    pub components: TemplateComponents,
}
