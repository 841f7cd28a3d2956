//! Which time zones a recipient may be in, and on what evidence.
//!
//! The order of evidence: a zone on the contact, postal code, state, the number's area code or
//! prefix, the country of the number, the tenant's default. The first that says anything is taken.
//! Evidence that fits several zones gives all of them, and a text goes out only when it is allowed
//! in every one. Area codes are a presumption: numbers are portable and people move.

mod places;
pub mod zone;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    country::Country,
    nanp::{self, Area},
    phone::PhoneNumber,
};
use places::InState;

pub use zone::{UnknownZone, Zone};

/// Whether there is such a country, as far as it has a time of day.
pub fn is_known(country: Country) -> bool {
    places::country(country).is_some()
}

/// The zones that a recipient may be in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Zone>", from = "Vec<Zone>")]
pub enum Candidates {
    /// At least one, sorted, without repetition.
    Zones(Vec<Zone>),
    /// Nothing is known: no hour is surely allowed. In JSON the empty list.
    Unknown,
}

/// What the candidates rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ZoneEvidence)]
pub enum Evidence {
    /// The time zone that is on file for the contact.
    Contact,
    /// The contact's postal code.
    PostalCode,
    /// The contact's state or province.
    State,
    /// The area code or prefix of the number.
    Prefix,
    /// The country of the number.
    Country,
    /// The tenant's default, nothing else being known.
    TenantDefault,
    /// On nothing. A North American number of no known area gets the zones of the whole United
    /// States.
    None,
}

/// Where a recipient may be: zones for local time, states for state law.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The candidate zones, all of which must allow a text.
    pub zones: Candidates,
    /// What they rest on.
    pub evidence: Evidence,
    /// The country, of the number; `None` for international services, and without a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The candidate states by code, where the country is the United States. Empty where unknown
    /// or without state law.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
}

/// What is on file about a recipient, besides the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnFile<'a> {
    /// A zone confirmed by the person or by an address.
    pub zone: Option<Zone>,
    /// A postal code of the number's country, as written.
    pub postal_code: Option<&'a str>,
    /// A state or province of the number's country: code or English name.
    pub state: Option<&'a str>,
    /// The zone that the tenant has chosen for numbers that tell nothing.
    pub tenant_default: Option<Zone>,
}

impl Candidates {
    /// The zones; empty for [`Candidates::Unknown`].
    pub fn as_slice(&self) -> &[Zone] {
        match self {
            Self::Zones(zones) => zones,
            Self::Unknown => &[],
        }
    }
}

impl From<Vec<Zone>> for Candidates {
    fn from(mut zones: Vec<Zone>) -> Self {
        zones.sort_unstable();
        zones.dedup();
        if zones.is_empty() { Self::Unknown } else { Self::Zones(zones) }
    }
}

impl From<Candidates> for Vec<Zone> {
    fn from(candidates: Candidates) -> Self {
        match candidates {
            Candidates::Zones(zones) => zones,
            Candidates::Unknown => Self::new(),
        }
    }
}

/// Where the recipient may be, by the best evidence there is. Evidence that cannot be read (a
/// postal code of another country, a state that does not exist) counts as none. Without a number
/// no country is known: what is left is a zone on file, and the tenant's default.
pub fn resolve(number: Option<&PhoneNumber>, on_file: &OnFile<'_>) -> Place {
    let country = number.and_then(PhoneNumber::country);
    let area_code = number.and_then(PhoneNumber::area_code);
    // One home for the postal codes and states of the United States and its territories.
    let home = country.map(|c| if c.under_us_law() { Country::US } else { c });
    let by_code = on_file.postal_code.and_then(|code| places::postal_code(home?, code));
    let by_state = on_file.state.and_then(|state| places::state(home?, state));
    let area = area_code.and_then(nanp::area);
    let states = if home == Some(Country::US) {
        states(by_state.as_ref(), by_code.as_ref(), area)
    } else {
        Vec::new()
    };

    let by_prefix = || match area {
        Some(area) => Some(area.zones.clone()),
        None => places::prefix(number?.digits()).map(<[Zone]>::to_vec),
    };
    // A North American number without a known area (toll-free, 5xx) is nowhere: its country is only
    // assumed, and the tenant's own zone says nothing about it.
    let located = area_code.is_none() || area.is_some();
    let by_country = || country.filter(|_| located).and_then(places::country);

    let (zones, evidence) = if let Some(zone) = on_file.zone {
        (vec![zone], Evidence::Contact)
    } else if let Some(place) = by_code {
        (place.zones, Evidence::PostalCode)
    } else if let Some(place) = by_state {
        (place.zones, Evidence::State)
    } else if let Some(zones) = by_prefix() {
        (zones, Evidence::Prefix)
    } else if let Some(zones) = by_country() {
        (zones.to_vec(), Evidence::Country)
    } else if area_code.is_some() {
        (places::united_states().to_vec(), Evidence::None)
    } else if let Some(zone) = on_file.tenant_default {
        (vec![zone], Evidence::TenantDefault)
    } else {
        (Vec::new(), Evidence::None)
    };
    Place { zones: zones.into(), evidence, country, states }
}

/// Every state that the contact's own data names, else those of the area code.
fn states(
    by_state: Option<&InState>,
    by_code: Option<&InState>,
    area: Option<&Area>,
) -> Vec<String> {
    let mut named: Vec<String> =
        by_state.into_iter().chain(by_code).map(|place| place.state.to_owned()).collect();
    if named.is_empty() {
        named = area.into_iter().flat_map(|a| &a.states).map(|s| (*s).to_owned()).collect();
    }
    named.sort_unstable();
    named.dedup();
    named
}
