//! Which message is drafted, and what is known of its person.

use std::collections::HashMap;

use super::content::{Content, From};
use crate::{
    address::Address,
    ids::{CampaignId, TenantId},
    message::class::{Channel, MessageClass},
};

/// The message to draft.
#[derive(Debug, Clone, Copy)]
pub struct DraftRequest<'a> {
    /// What it is for.
    pub class: MessageClass,
    /// How it travels.
    pub channel: Channel,
    /// Who it is for.
    pub to: &'a Address,
    /// Where its text and its senders come from.
    pub origin: Origin<'a>,
}

/// Where a text and its senders come from: what [`Supplies`] must hold.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The tenant that sends it.
    pub tenant: &'a TenantId,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// What the text is made of.
    pub content: &'a Content,
    /// The senders that may carry it.
    pub from: &'a From,
}

/// What is known of the person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// The language of their texts, by ISO 639-1.
    pub language: Option<String>,
    /// The name of their IANA time zone.
    pub time_zone: Option<String>,
    /// The postal code as it was written.
    pub postal_code: Option<String>,
    /// The state by ISO 3166-2, `US-FL`, or by its own code alone.
    pub region: Option<String>,
    /// Names and own fields by name, where they were asked for.
    pub fields: HashMap<String, String>,
}

/// The fields that every contact has, even if they are empty: what a template may name without
/// declaring it.
pub const CONTACT_FIELDS: [&str; 4] = ["first_name", "last_name", "postal_code", "region"];

impl Person {
    /// What a template's variable says of the person. Own fields do not hide those that every
    /// contact has.
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "postal_code" => self.postal_code.as_deref(),
            "region" => self.region.as_deref(),
            name => self.fields.get(name).map(String::as_str),
        }
    }
}
