//! Who a message is for and which sender carries it, as callers write them.

use carriers::Carrier;
use domain::{
    address::{Address, CarrierId},
    country::Country,
    ids::{SenderId, TenantId},
    message::class::Channel,
    phone::PhoneNumber,
};

use crate::{fields, http::Errors};

/// Who a message is for: a number, or the carrier's id for a person on a channel without numbers.
pub(crate) fn address(
    written: &str,
    channel: Option<Channel>,
    home: Option<Country>,
    errors: &mut Errors,
) -> Option<Address> {
    if let (Some(channel), Ok(id)) = (channel, written.parse::<CarrierId>())
        && channel.reaches(&Address::Carrier(id.clone()))
    {
        return Some(Address::Carrier(id));
    }
    fields::number("to", written, home, errors).map(Address::Phone)
}

/// A sender by its id, or by its number as the tenant may write it.
pub(super) fn sender(
    tenant: &TenantId,
    home: Option<Country>,
    from: &str,
    channel: Channel,
) -> Option<SenderId> {
    if let Ok(id) = from.parse() {
        return Some(id);
    }
    if Carrier::ALL.iter().any(|carrier| carrier.names_service(from)) {
        return Some(SenderId::of(tenant, from));
    }
    // Senders on WhatsApp are named by digits that are no number.
    if channel == Channel::Whatsapp && from.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(SenderId::of(tenant, from));
    }
    if let Ok(number) = PhoneNumber::parse_own(from, home) {
        return Some(SenderId::of(tenant, number.as_str()));
    }
    is_short_sender(from).then(|| SenderId::of(tenant, from))
}

/// A short code (3 to 8 digits) or an alphanumeric id (at most 11, with a letter).
pub(crate) fn is_short_sender(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let named = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ' || b == b'-')
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.trim() == text;

    (digits && (3..=8).contains(&text.len())) || (named && (1..=11).contains(&text.len()))
}
