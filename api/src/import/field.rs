//! The fields that a column may be, and the names by which headers say so.

use crate::http::Problem;

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Phone,
    Country,
    FirstName,
    LastName,
    Language,
    PostalCode,
    Region,
    TimeZone,
    Tags,
    Consent,
    ConsentSource,
    ConsentAt,
    ConsentBasis,
    ConsentExpiresAt,
    DoNotContact,
    DoNotContactReason,
    DoNotContactStops,
}

/// What people call a phone number.
const PHONES: &[&str] = &[
    "phone",
    "phone_number",
    "mobile",
    "mobile_number",
    "mobile_phone",
    "cell",
    "cell_phone",
    "cellphone",
    "number",
    "tel",
    "telephone",
    "telephone_number",
];

/// The names by which a column is known, the field's own first. Compared in lower case, with every
/// run of other characters as one underscore.
pub(super) const NAMES: &[(Field, &[&str])] = &[
    (Field::Phone, PHONES),
    (Field::Country, &["country", "country_code", "country_iso"]),
    (Field::FirstName, &["first_name", "firstname", "first", "given_name"]),
    (Field::LastName, &["last_name", "lastname", "last", "surname", "family_name"]),
    (Field::Language, &["language", "lang", "locale"]),
    (Field::PostalCode, &["postal_code", "postcode", "zip", "zip_code", "zipcode"]),
    (Field::Region, &["region", "state", "province"]),
    (Field::TimeZone, &["time_zone", "timezone", "tz"]),
    (Field::Tags, &["tags", "tag", "labels"]),
    (Field::Consent, &["consent", "opt_in", "opted_in"]),
    (Field::ConsentSource, &["consent_source", "source"]),
    (Field::ConsentAt, &["consent_at", "consent_date", "opt_in_date"]),
    (Field::ConsentBasis, &["consent_basis", "legal_basis"]),
    (Field::ConsentExpiresAt, &["consent_expires_at", "consent_expires", "consent_expiry"]),
    (Field::DoNotContact, &["do_not_contact", "dnc", "opt_out", "opted_out"]),
    (Field::DoNotContactReason, &["do_not_contact_reason", "dnc_reason"]),
    (Field::DoNotContactStops, &["do_not_contact_stops", "dnc_stops"]),
];

impl Field {
    /// The name in mappings and answers.
    pub(super) fn name(self) -> &'static str {
        let own = NAMES.iter().find(|(field, _)| *field == self);
        own.map_or("", |(_, names)| names[0])
    }

    /// Whether several columns may be it: any of them that says yes is heard.
    pub(super) fn may_repeat(self) -> bool {
        self == Self::DoNotContact
    }

    /// The field that this one only says more of: without it, there is nothing that it is about.
    pub(super) fn is_about(self) -> Option<Self> {
        match self {
            Self::ConsentSource | Self::ConsentAt => Some(Self::Consent),
            Self::ConsentBasis | Self::ConsentExpiresAt => Some(Self::Consent),
            Self::DoNotContactReason | Self::DoNotContactStops => Some(Self::DoNotContact),
            Self::Phone | Self::Country | Self::FirstName | Self::LastName | Self::Language => None,
            Self::PostalCode | Self::Region | Self::TimeZone | Self::Tags => None,
            Self::Consent | Self::DoNotContact => None,
        }
    }
}

/// The field that a mapping names by its own name.
pub(super) fn field_of(name: &str) -> Result<Field, Problem> {
    let field = NAMES.iter().find(|(_, names)| names[0] == name).map(|(field, _)| *field);
    field.ok_or_else(|| {
        let known: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
        let known = known.join(", ");
        let detail = format!("{name} is no field; fields are {known}, attributes.<name>");
        Problem::field("mapping", "unknown_field", detail)
    })
}

/// The field that a header names, in whatever spelling.
pub(super) fn by_name(header: &str) -> Option<Field> {
    let name = plain(header);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

/// A header in lower case, with every run of other characters than letters and digits as one
/// underscore, and none around it.
pub(super) fn plain(header: &str) -> String {
    let mut name = String::with_capacity(header.len());
    for c in header.chars() {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_matches('_').to_owned()
}
