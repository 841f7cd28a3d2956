//! What a message is made of and who may carry it, as its sender says. Part of the wire.

mod carrier_template;
mod rich;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use carrier_template::{
    BadCarrierTemplate, ButtonKind, ButtonValue, CarrierTemplate, HeaderValue,
};
pub use rich::{BadRichContent, FileKind, ListRow, MAX_RICH_TEXT, ReplyButton, RichContent};

use crate::ids::{PoolId, SenderId, TemplateId};

/// What the text is made of.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The text itself, as it is to be read.
    Body(String),
    /// Media, with or without a text.
    Media {
        /// The text; empty where there is none.
        text: String,
        /// Ids of media that the platform has, or addresses that carriers fetch; 1 to 10.
        media: Vec<String>,
    },
    /// The latest version of a template, with variables.
    Template {
        /// The template's id.
        id: TemplateId,
        /// Values by name; the contact's own fields fill what is missing.
        variables: BTreeMap<String, String>,
    },
    /// What the campaign of the head says to this contact.
    Campaign,
    /// A template that the carrier keeps and fills: WhatsApp alone has such.
    Carrier(CarrierTemplate),
}

impl Content {
    /// Whether a template is to be filled: names and own fields of the contact are wanted too.
    pub fn is_template(&self) -> bool {
        match self {
            Self::Body(_) | Self::Media { .. } | Self::Carrier(_) => false,
            Self::Template { .. } | Self::Campaign => true,
        }
    }

    /// The media that it is sent with, in order.
    pub fn media(&self) -> &[String] {
        match self {
            Self::Media { media, .. } => media,
            Self::Body(_) | Self::Template { .. } | Self::Campaign | Self::Carrier(_) => &[],
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(text) => write!(f, "Body(<{} bytes>)", text.len()),
            Self::Media { media, .. } => write!(f, "Media({})", media.len()),
            Self::Template { id, .. } => write!(f, "Template({id})"),
            Self::Campaign => f.write_str("Campaign"),
            Self::Carrier(template) => write!(f, "Carrier({})", template.name),
        }
    }
}

/// Which senders may carry a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// This sender alone.
    Sender(SenderId),
    /// Any of this pool.
    Pool(PoolId),
    /// Any of the tenant's senders that fit the recipient's country.
    Any,
}
