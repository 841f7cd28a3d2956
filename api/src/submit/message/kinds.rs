//! What a message is for and how it travels, by the words that callers use.

use domain::{
    gates::OnLate,
    message::class::{Channel, MessageClass},
    schema::words,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::http::Errors;

/// The class of a message, as callers write it.
pub(crate) struct NewMessageClass;

impl PartialSchema for NewMessageClass {
    fn schema() -> RefOr<Schema> {
        let about = "What a message is for, of what callers may say.";
        words(about, ["promo", "journey", "conversational", "transactional"])
    }
}

impl ToSchema for NewMessageClass {}

/// The channel of a message, as callers write it.
pub(crate) struct NewMessageChannel;

impl PartialSchema for NewMessageChannel {
    fn schema() -> RefOr<Schema> {
        words("How a message travels.", Channel::ALL.map(Channel::as_str))
    }
}

impl ToSchema for NewMessageChannel {}

/// The class of this name, of those that callers may use.
pub(crate) fn class(name: &str, errors: &mut Errors) -> Option<MessageClass> {
    match MessageClass::from_name(name) {
        Some(MessageClass::Compliance) => {
            errors.add("class", "reserved", "compliance messages are made by the platform alone");
            None
        }
        None => {
            errors.add("class", "unknown", "promo, journey, conversational or transactional");
            None
        }
        known => known,
    }
}

/// The channel of this name; none where it is none.
pub(crate) fn channel(written: Option<&str>) -> Option<Channel> {
    written.map_or(Some(Channel::Sms), Channel::from_name)
}

/// What is to happen once it is late, by its name.
pub(super) fn on_late(given: Option<&str>, errors: &mut Errors) -> Option<OnLate> {
    match given? {
        "send" => Some(OnLate::Send),
        "drop" => Some(OnLate::Drop),
        _ => {
            errors.add("on_late", "unknown", "send or drop");
            None
        }
    }
}
