//! Message templates that a carrier keeps for an account, in one form for all carriers that have
//! such: created, listed, deleted, and what the carrier tells of them by itself.

use domain::carrier_template::{ReviewState, TemplateComponents};
use jiff::Timestamp;

use crate::answer::Doubt;

/// The most templates of an account that are read; Meta keeps no more.
pub const MAX_TEMPLATES: usize = 6_000;

/// A template to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewCarrierTemplate<'a> {
    /// 1 to 512 of a-z, 0-9 and `_`.
    pub name: &'a str,
    /// As Meta writes languages: `en_US`, `de`.
    pub language: &'a str,
    /// `marketing`, `utility` or `authentication`.
    pub category: &'a str,
    /// What it is made of, with examples for the review.
    pub components: &'a TemplateComponents,
}

/// Something that a carrier tells of a template by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateNews {
    /// The template's name.
    pub name: String,
    /// The language that it is in.
    pub language: String,
    /// What it is told.
    pub told: TemplateChange,
    /// When the carrier says that it became so; none where it does not say it.
    pub at: Option<Timestamp>,
}

/// What is told of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateChange {
    /// Its review has come to a state.
    State {
        /// How the review stands.
        state: ReviewState,
        /// The carrier's own word for it.
        status: String,
        /// Why, where the carrier says it.
        reason: Option<String>,
    },
    /// What people think of it: `green`, `yellow`, `red` or `unknown`.
    Quality(String),
    /// The carrier has put it into another category.
    Category(String),
}

/// Why a call about templates did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierTemplateError {
    /// The carrier refuses it, in its own words.
    #[error("the carrier refuses it ({code}): {words}")]
    Refused {
        /// The error code.
        code: u32,
        /// What the carrier says.
        words: String,
    },
    /// The carrier wants to be called less.
    #[error("the carrier asks to be called less ({code})")]
    Throttled {
        /// The error code.
        code: u32,
    },
    /// No usable reply.
    #[error("no usable reply from the carrier: {0:?}")]
    Unavailable(Doubt),
    /// No connection was made.
    #[error("the carrier could not be reached")]
    NoConnection,
    /// There are more templates than are read.
    #[error("the account has more than {0} templates")]
    TooMany(usize),
    /// The carrier keeps no templates.
    #[error("the account's carrier keeps no templates")]
    NotOffered,
}
