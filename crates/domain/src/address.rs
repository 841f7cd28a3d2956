//! Addresses: what a carrier reaches a person under, and what statuses, opt-outs and counts of
//! marketing are kept by. Mostly a phone number. A carrier may know people by ids of its own and
//! keep their numbers to itself, as WhatsApp does for those who have a username. One contact may
//! have several addresses.
//!
//! An address is a person's: `Debug` shows its last two characters.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::phone::PhoneNumber;

/// What a carrier reaches a person under. Its text is E.164 for a phone number, which begins with
/// `+`, and the carrier's id as it stands, which begins with a letter. Orders as its text does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A phone number: SMS goes to nothing else.
    Phone(PhoneNumber),
    /// The carrier's own id for the person.
    Carrier(CarrierId),
}

/// A carrier's own id for a person: two capital letters, then groups of ASCII letters and digits,
/// each after a dot, 135 bytes at most. Upper and lower case are two ids.
///
/// This is the form of WhatsApp's business-scoped user id (BSUID): the country by ISO 3166, a dot,
/// up to 128 letters and digits, as `US.13491208655302741918`; for a business with a parent
/// `US.ENT.11815799212886844830`. Source: WhatsApp Business Platform, "Business-scoped user IDs",
/// of 2026-11-05. A word that a carrier writes where it withholds a number (`anonymous`), a short
/// code and a number without its `+` have another form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarrierId(Arc<str>);

/// The longest id of a carrier, in bytes: `US.ENT.` and 128 letters and digits.
pub const MAX_CARRIER_ID: usize = 135;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address is a phone number in E.164, or a carrier's id such as US.13491208655302741918")]
pub struct BadAddress;

impl Address {
    /// The text that rows and payloads hold.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Carrier(id) => id.as_str(),
        }
    }

    /// The phone number, for what can do nothing without one: SMS, area codes, zones.
    pub fn phone(&self) -> Option<PhoneNumber> {
        match self {
            Self::Phone(number) => Some(*number),
            Self::Carrier(_) => None,
        }
    }

    /// The kind of address, as the table of a contact's addresses names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Carrier(_) => "carrier_id",
        }
    }
}

impl CarrierId {
    /// The id as the carrier wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<PhoneNumber> for Address {
    fn from(number: PhoneNumber) -> Self {
        Self::Phone(number)
    }
}

/// Reads an address that was canonical before. A number as people write it is read by
/// [`PhoneNumber::parse`].
impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.starts_with('+') {
            PhoneNumber::from_e164(text).map(Self::Phone).map_err(|_| BadAddress)
        } else {
            text.parse().map(Self::Carrier)
        }
    }
}

impl FromStr for CarrierId {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let mut groups = text.split('.');
        let country = groups.next().unwrap_or_default().as_bytes();
        let is_country = country.len() == 2 && country.iter().all(u8::is_ascii_uppercase);

        let is_id = |group: &str| {
            !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let has_ids = text.contains('.') && groups.all(is_id);

        if is_country && has_ids && text.len() <= MAX_CARRIER_ID {
            Ok(Self(text.into()))
        } else {
            Err(BadAddress)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for CarrierId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => fmt::Debug::fmt(number, f),
            Self::Carrier(id) => fmt::Debug::fmt(id, f),
        }
    }
}

impl fmt::Debug for CarrierId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CarrierId(..{})", &self.0[self.0.len() - 2..])
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(AddressVisitor)
    }
}

/// Reads a borrowed text where the format has one, so that payloads decode without allocating.
struct AddressVisitor;

impl de::Visitor<'_> for AddressVisitor {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Address, E> {
        // The text is a person's: the error must not repeat it.
        text.parse().map_err(|_: BadAddress| E::custom("not an address"))
    }
}
