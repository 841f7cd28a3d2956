//! A person as written: in JSON or in a line of CSV. Forgiving about form, strict about meaning.

use std::collections::BTreeMap;

use domain::{
    country::Country, gates::Basis, invisible::is_blank, template::MAX_VALUE, zones::Zone,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;
use store::settings::tenants::Tenant;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use super::{
    input::{Consent, DoNotContact, Input},
    instant::moment,
};
use crate::{
    document::words::texts_by_name,
    fields::{self, ConsentTimes},
    http::{Errors, FieldError},
};

/// The longest of a person's short texts, in characters.
const MAX_NAME: usize = 100;

/// How many own fields a contact gets from one saying.
pub(crate) const MAX_ATTRIBUTES: usize = 50;

/// A person as written. Empty texts count as not said.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[schema(as = NewContact)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    /// The number, in E.164 or as people of its country write it.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) phone: String,
    /// The country of a number that is written without a plus sign, by code or English name.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) country: Option<String>,
    /// The given name.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) first_name: Option<String>,
    /// The family name.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) last_name: Option<String>,
    /// ISO 639-1, such as `es`.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) language: Option<String>,
    /// An IANA zone, such as `America/New_York`, or an abbreviation of the United States.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) time_zone: Option<String>,
    /// The postal code, which tells a time zone.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) postal_code: Option<String>,
    /// A state by its code, or ISO 3166-2.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) region: Option<String>,
    /// Another name of `region`.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) state: Option<String>,
    /// Added to the tags that are there.
    #[serde(default)]
    #[schema(max_items = 50, max_length = 64)]
    pub(crate) tags: Vec<String>,
    /// Own fields by name, added to those that are there, 50 at most. A name has 1 to 64 of a-z,
    /// 0-9 and `_`, a value 500 characters at most.
    #[serde(default)]
    #[schema(schema_with = attributes_schema)]
    pub(crate) attributes: BTreeMap<String, String>,
    /// A consent to marketing that the person has given. It ends no opt-out.
    #[serde(default)]
    pub(crate) consent: Option<RawConsent>,
    /// Puts the number on the do-not-contact list.
    #[serde(default)]
    pub(crate) do_not_contact: Option<RawStop>,
}

/// The schema of own fields.
fn attributes_schema() -> Object {
    own_fields("Own fields by name, added to those that are there.").build()
}

/// The schema of own fields, whatever is done with them.
pub(super) fn own_fields(about: &str) -> ObjectBuilder {
    let name = ObjectBuilder::new().schema_type(Type::String);
    texts_by_name(about, MAX_VALUE)
        .max_properties(Some(MAX_ATTRIBUTES))
        .property_names(Some(name.pattern(Some("^[a-z0-9_]{1,64}$"))))
}

/// A consent to marketing as written.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[schema(as = NewConsent)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConsent {
    /// The list, form or vendor that it came by.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) source: Option<String>,
    /// When it was given, not after now: RFC 3339, a time by the tenant's clock, or a date. Now
    /// where it is not said.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) at: Option<String>,
    /// Its ground: `express_written`, `express`, `implied` or `soft_opt_in`.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) basis: Option<String>,
    /// When it ends, written as `at` is; none: never.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) expires_at: Option<String>,
}

/// Not to be contacted, as written.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[schema(as = NewContactStop)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawStop {
    /// Why the number must not be texted.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) reason: Option<String>,
    /// What it stops: `marketing` or `all`.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) stops: Option<String>,
}

/// What a person's fields are read by.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// The country of numbers without a plus sign.
    pub(crate) country: Option<Country>,
    /// The zone of times without one.
    pub(crate) zone: TimeZone,
    /// The business time of the request: nobody has consented after it.
    pub(crate) now: Timestamp,
}

impl Reference {
    /// A tenant's own, at an instant.
    pub(crate) fn of(tenant: &Tenant, now: Timestamp) -> Self {
        let zone = Zone::parse(&tenant.time_zone).ok();
        let zone = zone.map_or(TimeZone::UTC, |zone| zone.rules().clone());
        Self { country: tenant.country.parse().ok(), zone, now }
    }
}

/// Reads a person, or says of every field at once what is wrong.
pub(crate) fn read(raw: Raw, by: &Reference, evidence: Value) -> Result<Input, Vec<FieldError>> {
    let mut errors = Errors::default();
    let home = fields::home(raw.country.as_deref(), &raw.phone, by.country, &mut errors);
    let number = fields::number("phone", &raw.phone, home, &mut errors);
    let country = number.and_then(|number| number.country());

    let first_name = text("first_name", raw.first_name, &mut errors);
    let last_name = text("last_name", raw.last_name, &mut errors);
    let language = language(raw.language, &mut errors);
    let time_zone = zone(raw.time_zone, &mut errors);
    let postal_code = text("postal_code", raw.postal_code, &mut errors);
    let region = region(either(raw.region, raw.state, &mut errors), country, &mut errors);
    let tags = tags(raw.tags, &mut errors);
    count_attributes(raw.attributes.len(), &mut errors);
    let attributes = attributes(raw.attributes, &mut errors);

    let consent = raw.consent.map(|given| consent(given, by, &mut errors));
    let do_not_contact = raw.do_not_contact.map(|stop| do_not_contact(stop, &mut errors));

    let (Some(number), true) = (number, errors.is_empty()) else { return Err(errors.into_vec()) };

    // International services such as +870 have no country: `ZZ`, as ISO 3166 leaves to its users.
    let country = country.map_or_else(|| "ZZ".to_owned(), |country| country.to_string());
    Ok(Input {
        number,
        country,
        first_name,
        last_name,
        language,
        time_zone,
        postal_code,
        region,
        tags,
        attributes,
        consent,
        do_not_contact,
        evidence,
    })
}

/// Reads an entry of the do-not-contact list. Where it does not say what it stops, that follows
/// from its reason.
fn do_not_contact(written: RawStop, errors: &mut Errors) -> DoNotContact {
    let reason = text("do_not_contact.reason", written.reason, errors);
    let reason = reason.unwrap_or_else(|| "not given".to_owned());
    let stops = said(written.stops).map(|name| name.to_lowercase());
    let stops = fields::stops("do_not_contact.stops", stops.as_deref(), &reason, errors);
    DoNotContact { reason, stops }
}

/// Reads a consent, whose ground may be written with blanks and capitals.
fn consent(written: RawConsent, by: &Reference, errors: &mut Errors) -> Consent {
    let at = moment("consent.at", written.at.as_deref(), &by.zone, errors);
    let expires_at = moment("consent.expires_at", written.expires_at.as_deref(), &by.zone, errors);

    let name = said(written.basis).map(|name| name.to_lowercase().replace([' ', '-'], "_"));
    let basis = name.as_deref().and_then(Basis::from_name);
    let known = "express_written, express, implied or soft_opt_in";
    errors.check(name.is_none() || basis.is_some(), "consent.basis", "unknown", known);
    ConsentTimes { at, expires_at, basis }.check("consent.", by.now, errors);

    Consent { at, source: text("consent.source", written.source, errors), basis, expires_at }
}

pub(super) fn text(field: &str, written: Option<String>, errors: &mut Errors) -> Option<String> {
    let written = said(written)?;
    errors.text(field, &written, 0, MAX_NAME);
    Some(written)
}

/// `es`, `es-MX`, `Spanish`: the two letters of ISO 639-1.
pub(super) fn language(written: Option<String>, errors: &mut Errors) -> Option<String> {
    let written = text("language", written, errors)?.to_lowercase();
    match written.as_str() {
        "english" => return Some("en".into()),
        "spanish" | "español" | "espanol" => return Some("es".into()),
        _ => {}
    }

    let code = written.split(['-', '_']).next().unwrap_or_default();
    let is_fine = fields::is_language(code);
    errors.check(is_fine, "language", "unknown", "a language code such as en or es");
    is_fine.then(|| code.to_owned())
}

pub(super) fn zone(written: Option<String>, errors: &mut Errors) -> Option<String> {
    match Zone::read(&said(written)?) {
        Ok(zone) => Some(zone.as_str().to_owned()),
        Err(why) => {
            errors.add("time_zone", "unknown", why.to_string());
            None
        }
    }
}

/// `FL` with a number of the country, or `US-FL`.
pub(super) fn region(
    written: Option<String>,
    country: Option<Country>,
    errors: &mut Errors,
) -> Option<String> {
    let written = said(written)?.to_uppercase();
    let is_code = |text: &str| {
        (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };

    let region = match (written.split_once('-'), country) {
        (Some((country, code)), _) if country.parse::<Country>().is_ok() && is_code(code) => {
            Some(written)
        }
        (None, Some(country)) if is_code(&written) => Some(format!("{country}-{written}")),
        (Some(_) | None, _) => None,
    };
    errors.check(region.is_some(), "region", "unknown", "a state's code such as FL or US-FL");
    region
}

/// What `region` says, or `state` in its place.
pub(super) fn either<T>(region: Option<T>, state: Option<T>, errors: &mut Errors) -> Option<T> {
    let is_once = region.is_none() || state.is_none();
    errors.check(is_once, "state", "duplicate_field", "region says it too");
    region.or(state)
}

pub(super) fn tags(written: Vec<String>, errors: &mut Errors) -> Vec<String> {
    fields::tags("tags", written.len(), errors);
    let tags: Vec<String> = written.into_iter().filter_map(|tag| said(Some(tag))).collect();
    for tag in &tags {
        fields::tag("tags", tag, errors);
    }
    tags
}

/// How many own fields are named.
pub(super) fn count_attributes(count: usize, errors: &mut Errors) {
    errors.check(count <= MAX_ATTRIBUTES, "attributes", "too_many", "at most 50");
}

pub(super) fn attributes(
    written: BTreeMap<String, String>,
    errors: &mut Errors,
) -> BTreeMap<String, String> {
    for (name, value) in &written {
        fields::variable_name("attributes", name, errors);
        fields::variable_value(&format!("attributes.{name}"), value, errors);
    }
    written
}

/// A text without blanks around it; nothing where there is none that anybody sees.
fn said(written: Option<String>) -> Option<String> {
    let written = written.filter(|written| !is_blank(written))?;
    let trimmed = written.trim();
    match trimmed.len() {
        0 => None,
        length if length == written.len() => Some(written),
        _ => Some(trimmed.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(change: impl FnOnce(&mut Raw)) -> Result<Input, Vec<FieldError>> {
        let mut raw = Raw { phone: "(212) 555-0100".into(), ..Raw::default() };
        change(&mut raw);
        read(raw, &reference(), Value::Null)
    }

    fn reference() -> Reference {
        let now = "2026-05-01T15:00:00Z".parse().expect("an instant");
        Reference { country: Some(Country::US), zone: TimeZone::UTC, now }
    }

    fn consented(at: &str, expires_at: Option<&str>) -> Result<Input, Vec<FieldError>> {
        let (at, expires_at) = (Some(at.to_owned()), expires_at.map(str::to_owned));
        let consent = RawConsent { at, expires_at, ..RawConsent::default() };
        person(|raw| raw.consent = Some(consent))
    }

    #[test]
    fn forms_are_forgiven_and_become_canonical() {
        let input = person(|raw| {
            raw.language = Some("es-MX".into());
            raw.region = Some("fl".into());
            raw.time_zone = Some("america/new_york".into());
            raw.first_name = Some("  Ana ".into());
            raw.last_name = Some(" \u{3164}".into());
            raw.consent = Some(RawConsent {
                at: Some("2026-03-08".into()),
                basis: Some("Express written".into()),
                ..RawConsent::default()
            });
        })
        .expect("a person");

        assert_eq!(input.language.as_deref(), Some("es"));
        assert_eq!(input.region.as_deref(), Some("US-FL"));
        assert_eq!(input.time_zone.as_deref(), Some("America/New_York"));
        assert_eq!(input.first_name.as_deref(), Some("Ana"));
        assert_eq!(input.last_name, None);

        let consent = input.consent.expect("consent");
        assert_eq!(consent.at.expect("a date").to_string(), "2026-03-08T00:00:00Z");
        assert_eq!(consent.basis, Some(Basis::ExpressWritten));
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let errors = person(|raw| {
            raw.phone = "12".into();
            raw.language = Some("klingon".into());
            raw.region = Some("Some Where".into());
            raw.time_zone = Some("Mars/Base".into());
            raw.first_name = Some("a\0b".into());
            raw.consent = Some(RawConsent {
                at: Some("yesterday".into()),
                basis: Some("implied".into()),
                ..RawConsent::default()
            });
        })
        .expect_err("all wrong");

        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "phone",
                "first_name",
                "language",
                "time_zone",
                "region",
                "consent.at",
                "consent.expires_at"
            ]
        );
    }

    #[test]
    fn nobody_has_consented_in_the_future_or_to_what_has_ended() {
        let fields = |read: Result<Input, Vec<FieldError>>| {
            let errors = read.err().unwrap_or_default();
            errors.into_iter().map(|error| (error.field, error.code)).collect::<Vec<_>>()
        };
        let refused = |field: &str| vec![(field.to_owned(), "out_of_range")];

        assert_eq!(fields(consented("2026-05-01T15:00:00Z", None)), []);
        assert_eq!(fields(consented("2026-05-01T15:00:00.000001Z", None)), refused("consent.at"));
        assert_eq!(fields(consented("2027-01-01", None)), refused("consent.at"));

        let ended = refused("consent.expires_at");
        assert_eq!(fields(consented("2026-04-01", Some("2026-04-01"))), ended);
        assert_eq!(fields(consented("", Some("2026-04-30"))), ended, "given now, as no date says");
        assert_eq!(fields(consented("2026-04-01", Some("2026-04-30"))), []);
    }

    #[test]
    fn a_number_without_a_plus_sign_is_read_in_the_persons_own_country() {
        let number = |phone: &str, country: &str| {
            let read = person(|raw| {
                raw.phone = phone.into();
                raw.country = Some(country.into());
            });
            read.map(|input| input.number.to_string())
                .map_err(|errors| errors.into_iter().map(|error| error.field).collect::<Vec<_>>())
        };

        assert_eq!(number("447400123456", "GB").as_deref(), Ok("+447400123456"));
        assert_eq!(number("07400 123456", "United Kingdom").as_deref(), Ok("+447400123456"));
        assert_eq!(number("212 555 0100", "  ").as_deref(), Ok("+12125550100"));
        assert_eq!(number("65 0555 0147", "SG"), Err(vec!["phone".to_owned()]));
        assert_eq!(number("212 555 0100", "Narnia"), Err(vec!["country".to_owned()]));
        assert_eq!(number("+1 212 555 0100", "Narnia").as_deref(), Ok("+12125550100"));
    }
}
