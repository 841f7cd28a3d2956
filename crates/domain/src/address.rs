//! Addresses: what a carrier reaches a person under, and what statuses, opt-outs and counts of
//! marketing are kept by. Mostly a phone number. A carrier may know people by ids of its own and
//! keep their numbers to itself, as WhatsApp does for those who have a username. One contact may
//! have several addresses, and names beside them under which a carrier knows it.
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

/// What a contact is known under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// A phone number in E.164, in its canonical form. A text goes to it.
    Phone,
    /// A carrier's own id for the person, WhatsApp's business-scoped user id (BSUID). A text on
    /// WhatsApp goes to it.
    CarrierId,
    /// The digits by which WhatsApp names the person (`wa_id`), where they are another form of the
    /// number than the canonical one. Nothing goes to it.
    WhatsappId,
    /// The name that the person has chosen on WhatsApp, which they may change. Nothing goes to it.
    Username,
}

impl AddressKind {
    /// Every kind, those that texts go to first.
    pub const ALL: [Self; 4] = [Self::Phone, Self::CarrierId, Self::WhatsappId, Self::Username];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::CarrierId => "carrier_id",
            Self::WhatsappId => "whatsapp_id",
            Self::Username => "username",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How many addresses and names one contact has at most: an opt-out is written to each address.
pub const MAX_ADDRESSES: usize = 20;

/// The longest username, in characters.
pub const MAX_USERNAME: usize = 35;

/// Whether a text can be a username: 3 to 35 of lower-case letters, digits, `.` and `_`, one of
/// them a letter.
pub fn is_username(text: &str) -> bool {
    let is_allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'.' || c == b'_';
    (3..=MAX_USERNAME).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text.bytes().any(|c| c.is_ascii_lowercase())
}

/// Whether a text can be digits by which WhatsApp names a person: those of a number in E.164.
pub fn is_whatsapp_id(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit()) && PhoneNumber::from_e164(&format!("+{text}")).is_ok()
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

    /// The kind of address.
    pub fn kind(&self) -> AddressKind {
        match self {
            Self::Phone(_) => AddressKind::Phone,
            Self::Carrier(_) => AddressKind::CarrierId,
        }
    }

    /// The form that a contact and an opt-out are kept by: see [`PhoneNumber::canonical`].
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::Phone(number) => Self::Phone(number.canonical()),
            Self::Carrier(id) => Self::Carrier(id),
        }
    }

    /// Every other form of the same number: see [`PhoneNumber::other_forms`]. An id has none.
    pub fn other_forms(&self) -> impl Iterator<Item = Self> + use<> {
        self.phone().into_iter().flat_map(PhoneNumber::other_forms).map(Self::Phone)
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

crate::described_words! {
    AddressKind, "What a contact is known under: a phone number, WhatsApp's business-scoped user \
        id (`carrier_id`), the digits by which WhatsApp names the person where they are another \
        form of the number (`whatsapp_id`), or the name that they have there.";
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
