//! What carriers report and deliver, in one form for all of them: how a text of ours stands, and
//! what people wrote to us.

use std::fmt;

use domain::{billing::PriceNotice, storable::storable};
use jiff::Timestamp;
use uuid::Uuid;

use crate::redact::Hidden;

/// Our own name of a message, which the carrier brings back with every report: so a report finds
/// its message even if the answer to the call was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The tenant's key.
    pub tenant: String,
    /// The message's id.
    pub message: Uuid,
}

/// One status report of a text that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// The message, as we named it to the carrier; none where the report does not bring it back.
    pub reference: Option<Reference>,
    /// The carrier's id of the text.
    pub sid: String,
    /// Between which numbers it went: they lead to a message whose report has no reference.
    pub numbers: ReportedNumbers,
    /// Where the text stands.
    pub status: ReportedStatus,
    /// What it is billed as, where the carrier's reports say so.
    pub price: Option<PriceNotice>,
}

/// Between which numbers a text went, as far as the carrier says it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReportedNumbers {
    /// The person's number.
    pub to: Option<String>,
    /// Our number that sent it.
    pub from: Option<String>,
}

/// Where a text of ours stands, as far as carriers differ for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportedStatus {
    /// The carrier has it, and has not handed it on yet.
    Pending,
    /// It is on its way to the phone.
    Sent,
    /// The phone has it.
    Delivered,
    /// It was not delivered, for the reason with this code.
    Undelivered(Option<u32>),
    /// The carrier did not send it, for the reason with this code.
    Failed(Option<u32>),
    /// The person opened it, on channels with read receipts.
    Read,
}

/// One text that somebody sent to one of our numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedText {
    /// The carrier's id of the text.
    pub sid: String,
    /// The person's number in E.164, as the carrier writes it, or the carrier's own id for them.
    pub from: String,
    /// The carrier's own id for the person, where it tells it beside their number.
    pub user_id: Option<String>,
    /// The name that the person has chosen at the carrier, where it tells it.
    pub username: Option<String>,
    /// Our number that was texted.
    pub to: String,
    /// What was written; empty for media without a text.
    pub body: String,
    /// What a button or a row that the person chose brings back, as the sender of it named it.
    pub payload: Option<String>,
    /// It is a sign that the person has put on a message, whatever it looks like.
    pub is_reaction: bool,
    /// How many media came with it.
    pub num_media: u16,
    /// Where the carrier gives them, in their order; at most ten.
    pub media: Vec<String>,
    /// What the carrier takes it for, and answers by itself where the account says so.
    pub keyword: Option<KeywordGroup>,
    /// The carrier says of this very text that it has answered it, whatever the account says.
    pub answered: bool,
    /// The group of numbers at the carrier that the texted number is in, where it names one.
    pub service: Option<String>,
}

/// One text that somebody of the company has sent on the phone that has our number itself.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneEcho {
    /// The carrier's id of the text.
    pub sid: String,
    /// Our sender whose number the phone has.
    pub from: String,
    /// The address of the person who was written to.
    pub to: String,
    /// The carrier's own id for the person, where it tells it beside their number.
    pub user_id: Option<String>,
    /// What was written; empty for media without a text.
    pub body: String,
    /// When it was written, by the carrier's clock; of whole seconds the end. None where it does
    /// not say it.
    pub sent_at: Option<Timestamp>,
}

/// Somebody has stopped the marketing of a business at the carrier itself, without a text.
#[derive(Clone, PartialEq, Eq)]
pub struct MarketingStop {
    /// What the carrier says it by, the same on its repeats.
    pub name: String,
    /// The person's address.
    pub from: String,
    /// Our sender whose business it is about.
    pub to: String,
}

/// What a carrier takes a keyword for, and answers by itself where the account says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeywordGroup {
    /// Blocked and confirmed by the carrier.
    OptOut,
    /// Unblocked and confirmed by the carrier.
    OptIn,
    /// Answered by the carrier.
    Help,
}

/// Why a signed webhook could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A parameter that every such webhook has is missing or malformed.
    #[error("parameter {0} is missing or malformed")]
    Parameter(&'static str),
    /// A status that is none of an outbound text; nothing may be concluded from it.
    #[error("the reported status is not known")]
    UnknownStatus,
}

// === impl StatusReport ===

impl StatusReport {
    /// The report without what cannot be stored.
    pub(crate) fn storable(self) -> Self {
        let numbers = ReportedNumbers {
            to: self.numbers.to.map(storable),
            from: self.numbers.from.map(storable),
        };
        Self { sid: storable(self.sid), numbers, ..self }
    }
}

// === impl ReportedNumbers ===

impl fmt::Debug for ReportedNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportedNumbers")
            .field("to", &self.to.as_deref().map(Hidden))
            .field("from", &self.from.as_deref().map(Hidden))
            .finish()
    }
}

// === impl PhoneEcho ===

impl PhoneEcho {
    /// The text without what cannot be stored.
    pub(crate) fn storable(self) -> Self {
        Self {
            sid: storable(self.sid),
            from: storable(self.from),
            to: storable(self.to),
            user_id: self.user_id.map(storable),
            body: storable(self.body),
            sent_at: self.sent_at,
        }
    }
}

impl fmt::Debug for PhoneEcho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneEcho")
            .field("sid", &self.sid)
            .field("from", &Hidden(&self.from))
            .field("to", &Hidden(&self.to))
            .field("user_id", &self.user_id.as_deref().map(Hidden))
            .field("body", &Hidden(&self.body))
            .field("sent_at", &self.sent_at)
            .finish()
    }
}

// === impl MarketingStop ===

impl fmt::Debug for MarketingStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarketingStop")
            .field("from", &Hidden(&self.from))
            .field("to", &Hidden(&self.to))
            .finish_non_exhaustive()
    }
}

// === impl ReceivedText ===

impl ReceivedText {
    /// The text without what cannot be stored: what it says is heard all the same.
    pub(crate) fn storable(self) -> Self {
        Self {
            sid: storable(self.sid),
            from: storable(self.from),
            user_id: self.user_id.map(storable),
            username: self.username.map(storable),
            to: storable(self.to),
            body: storable(self.body),
            payload: self.payload.map(storable),
            is_reaction: self.is_reaction,
            num_media: self.num_media,
            media: self.media.into_iter().map(storable).collect(),
            keyword: self.keyword,
            answered: self.answered,
            service: self.service.map(storable),
        }
    }
}

impl fmt::Debug for ReceivedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedText")
            .field("sid", &self.sid)
            .field("from", &Hidden(&self.from))
            .field("to", &Hidden(&self.to))
            .field("body", &Hidden(&self.body))
            .field("payload", &self.payload.as_deref().map(Hidden))
            .field("is_reaction", &self.is_reaction)
            .field("num_media", &self.num_media)
            .field("keyword", &self.keyword)
            .field("answered", &self.answered)
            .field("service", &self.service)
            .finish()
    }
}
