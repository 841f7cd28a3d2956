//! The tables behind the candidate zones: countries, states, postal codes, number prefixes.

use std::{collections::HashMap, sync::LazyLock};

use super::zone::Zone;
use crate::country::Country;

/// A state, with the zones of it that the evidence leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InState {
    pub(super) state: &'static str,
    pub(super) zones: Vec<Zone>,
}

/// The zones of a country.
pub(super) fn country(country: Country) -> Option<&'static [Zone]> {
    TABLES.countries.get(&country).map(Vec::as_slice)
}

/// The zones of a number by its longest known prefix, digits without `+`.
pub(super) fn prefix(digits: &str) -> Option<&'static [Zone]> {
    let longest = TABLES.longest_prefix.min(digits.len());
    (1..=longest).rev().find_map(|len| TABLES.prefixes.get(&digits[..len])).map(Vec::as_slice)
}

/// A state or province by its code or English name, in any case.
pub(super) fn state(country: Country, written: &str) -> Option<InState> {
    let (state, zones) = TABLES.states.get(&(country, written.trim().to_uppercase()))?;
    Some(InState { state, zones: zones.clone() })
}

/// The place of a postal code as written; the longest known prefix of it decides.
pub(super) fn postal_code(country: Country, written: &str) -> Option<InState> {
    let code: String = written
        .chars()
        .filter(|c| !c.is_whitespace())
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let code = canonical(country, code)?;

    let range = TABLES
        .postal
        .iter()
        .filter(|range| range.country == country && range.covers(&code))
        .max_by_key(|range| range.first.len())?;

    let mut place = state(country, range.state)?;
    if let Some(zones) = &range.zones {
        place.zones.clone_from(zones);
    }
    Some(place)
}

/// What an unknown North American number is judged by: the zones from which the United States are
/// made, so that only the hours remain that are allowed from Hawaii to New York.
pub(super) fn united_states() -> &'static [Zone] {
    &TABLES.united_states
}

/// The form that the table has, or nothing if the code is none of the country. Spreadsheets drop
/// leading zeros: they are put back.
fn canonical(country: Country, code: String) -> Option<String> {
    let digits = !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit());
    match country {
        Country::US if digits && (3..=5).contains(&code.len()) => Some(format!("{code:0>5}")),
        Country::US if digits && code.len() == 9 => Some(code),
        Country::AU if digits && (3..=4).contains(&code.len()) => Some(format!("{code:0>4}")),
        Country::CA if !digits && matches!(code.len(), 3 | 6) => Some(code),
        _ => None,
    }
}

struct PostalRange {
    country: Country,
    first: &'static str,
    last: &'static str,
    state: &'static str,
    /// Those of the state, if `None`.
    zones: Option<Vec<Zone>>,
}

impl PostalRange {
    fn covers(&self, code: &str) -> bool {
        code.get(..self.first.len()).is_some_and(|head| self.first <= head && head <= self.last)
    }
}

struct Tables {
    countries: HashMap<Country, Vec<Zone>>,
    prefixes: HashMap<&'static str, Vec<Zone>>,
    longest_prefix: usize,
    /// By country and code, and by country and name.
    states: HashMap<(Country, String), (&'static str, Vec<Zone>)>,
    postal: Vec<PostalRange>,
    united_states: Vec<Zone>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let countries = rows(include_str!("../../data/country_zones.tsv"))
        .map(|[country, zones]| (parse_country(country), parse_zones(zones)))
        .collect();
    let prefixes: HashMap<_, _> = rows(include_str!("../../data/prefix_zones.tsv"))
        .map(|[prefix, zones]| (prefix, parse_zones(zones)))
        .collect();

    let mut states = HashMap::new();
    for [country, code, name, zones] in rows(include_str!("../../data/subdivisions.tsv")) {
        let entry = (code, parse_zones(zones));
        states.insert((parse_country(country), name.to_uppercase()), entry.clone());
        states.insert((parse_country(country), code.to_owned()), entry);
    }

    let postal = rows(include_str!("../../data/postal_codes.tsv"))
        .map(|[country, first, last, state, zones]| PostalRange {
            country: parse_country(country),
            first,
            last,
            state,
            zones: (zones != "=").then(|| parse_zones(zones)),
        })
        .collect();

    let longest_prefix = prefixes.keys().map(|prefix| prefix.len()).max().unwrap_or(0);
    let united_states = parse_zones(
        "America/New_York,America/Chicago,America/Denver,America/Phoenix,America/Los_Angeles,\
         America/Anchorage,Pacific/Honolulu",
    );
    Tables { countries, prefixes, longest_prefix, states, postal, united_states }
});

/// The rows of a tab-separated table, without its comments.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().filter(|row| !row.starts_with('#') && !row.is_empty()).map(|row| {
        let fields: Vec<_> = row.split('\t').collect();
        fields.try_into().expect("each row of a built-in table has its columns")
    })
}

fn parse_country(text: &str) -> Country {
    text.parse().expect("a country in a built-in table")
}

fn parse_zones(list: &str) -> Vec<Zone> {
    let zones = list.split(',').map(|name| Zone::parse(name).expect("a zone in a built-in table"));
    let mut zones: Vec<Zone> = zones.collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}
