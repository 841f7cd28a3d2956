//! Which column of a file is which field: by its header, or as the caller says.

use std::collections::BTreeMap;

use csv::ByteRecord;
use domain::storable::{UNSTORABLE_TEXT, is_storable};
use serde::Serialize;

use crate::{
    contacts::{Raw, RawConsent, RawStop},
    http::Problem,
};

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Phone,
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
}

/// The names by which a column is known, the field's own first. Compared in lower case, with every
/// run of other characters as one underscore.
const NAMES: &[(Field, &[&str])] = &[
    (Field::Phone, &["phone", "phone_number", "mobile", "mobile_number", "cell", "number", "tel"]),
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
];

/// The columns of a file.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    columns: Vec<Column>,
}

/// One column and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Column {
    /// The column's name in the header.
    column: String,
    /// The field; none: the column is not read.
    field: Option<Field>,
}

impl Mapping {
    /// Reads a header. `wanted` names columns by field where the caller knows better.
    pub(crate) fn new(
        header: &ByteRecord,
        wanted: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let known = |name: &[u8]| String::from_utf8_lossy(name).trim().to_owned();
        let column = |name: &[u8]| Column { column: known(name), field: None };
        let mut mapping = Self { columns: header.iter().map(column).collect() };
        for (field, column) in wanted {
            mapping.take(field, column)?;
        }

        // The first of two columns for one field is read; the preview shows which.
        for index in 0..mapping.columns.len() {
            let found = by_name(&mapping.columns[index].column);
            if mapping.columns[index].field.is_none() && !mapping.has(found) {
                mapping.columns[index].field = found;
            }
        }

        if !mapping.has(Some(Field::Phone)) {
            let detail = "the file needs a column phone, or a mapping that names it";
            return Err(Problem::field("phone", "required", detail));
        }
        Ok(mapping)
    }

    /// The columns, for the preview.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Reads a line; a reason if it has the wrong shape.
    pub(crate) fn raw(&self, record: &ByteRecord) -> Result<Raw, String> {
        if record.len() != self.columns.len() {
            let (have, want) = (record.len(), self.columns.len());
            return Err(format!("the line has {have} columns, the header {want}"));
        }

        let mut raw = Raw::default();
        let (mut consent, mut stop) = (RawConsent::default(), RawStop::default());
        let (mut consents, mut stops) = (None, None);
        for (cell, column) in record.iter().zip(&self.columns) {
            let Some(field) = column.field else { continue };
            let cell = std::str::from_utf8(cell)
                .map_err(|_| format!("column {} is not UTF-8", column.column))?
                .to_owned();
            if !is_storable(&cell) {
                return Err(format!("column {}: {UNSTORABLE_TEXT}", column.column));
            }
            match field {
                Field::Phone => raw.phone = cell,
                Field::FirstName => raw.first_name = Some(cell),
                Field::LastName => raw.last_name = Some(cell),
                Field::Language => raw.language = Some(cell),
                Field::PostalCode => raw.postal_code = Some(cell),
                Field::Region => raw.region = Some(cell),
                Field::TimeZone => raw.time_zone = Some(cell),
                Field::Tags => raw.tags = cell.split(';').map(str::to_owned).collect(),
                Field::Consent => consents = yes_or_no("consent", &cell)?,
                Field::ConsentSource => consent.source = Some(cell),
                Field::ConsentAt => consent.at = Some(cell),
                Field::ConsentBasis => consent.basis = Some(cell),
                Field::ConsentExpiresAt => consent.expires_at = Some(cell),
                Field::DoNotContact => stops = yes_or_no("do_not_contact", &cell)?,
                Field::DoNotContactReason => stop.reason = Some(cell),
            }
        }

        raw.consent = (consents == Some(true)).then_some(consent);
        raw.do_not_contact = (stops == Some(true)).then_some(stop);
        Ok(raw)
    }

    /// Takes a column for a field, as the caller says.
    fn take(&mut self, name: &str, wanted: &str) -> Result<(), Problem> {
        let field = NAMES.iter().find(|(_, names)| names[0] == name).map(|(field, _)| *field);
        let Some(field) = field else {
            let known: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
            let detail = format!("{name} is no field; fields are {}", known.join(", "));
            return Err(Problem::field("mapping", "unknown_field", detail));
        };

        let column = self.columns.iter_mut().find(|column| column.column == wanted.trim());
        let Some(column) = column else {
            let detail = format!("the file has no column {wanted}");
            return Err(Problem::field("mapping", "unknown_column", detail));
        };
        column.field = Some(field);
        Ok(())
    }

    /// Whether some column is taken for this field already.
    fn has(&self, field: Option<Field>) -> bool {
        self.columns.iter().any(|column| column.field == field)
    }
}

/// The field that a header names, in whatever spelling.
fn by_name(header: &str) -> Option<Field> {
    let mut name = String::with_capacity(header.len());
    for c in header.chars() {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_');
    NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(field, _)| *field)
}

/// Reads yes or no, or nothing. What is neither must not be taken for either.
fn yes_or_no(field: &str, cell: &str) -> Result<Option<bool>, String> {
    match cell.trim().to_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "y" | "true" | "1" | "x" => Ok(Some(true)),
        "no" | "n" | "false" | "0" => Ok(Some(false)),
        _ => Err(format!("{field}: yes or no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(header: &[&str], wanted: &[(&str, &str)]) -> Result<Mapping, Problem> {
        let wanted = wanted.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Mapping::new(&ByteRecord::from(header), &wanted)
    }

    fn field(mapping: &Mapping, index: usize) -> Option<Field> {
        mapping.columns()[index].field
    }

    #[test]
    fn columns_are_known_by_their_headers_in_many_spellings() {
        let mapping = mapping(&["Mobile Number", "First-Name", "STATE", "Zip Code", "Shoe"], &[]);
        let mapping = mapping.expect("a mapping");
        let fields: Vec<_> = (0..5).map(|index| field(&mapping, index)).collect();
        let known = [Field::Phone, Field::FirstName, Field::Region, Field::PostalCode];
        assert_eq!(fields, [known.map(Some).as_slice(), &[None]].concat());
    }

    #[test]
    fn what_the_caller_says_wins_and_what_is_not_there_is_refused() {
        let said = mapping(&["phone", "work"], &[("phone", "work")]).expect("a mapping");
        assert_eq!((field(&said, 0), field(&said, 1)), (None, Some(Field::Phone)));
        assert!(mapping(&["phone"], &[("phone", "work")]).is_err());
        assert!(mapping(&["phone"], &[("shoe", "phone")]).is_err());
        assert!(mapping(&["name"], &[]).is_err(), "no phone");
    }

    #[test]
    fn an_answer_that_is_neither_yes_nor_no_makes_the_line_invalid() {
        let mapping = mapping(&["phone", "consent"], &[]).expect("a mapping");
        let line = |cells: &[&str]| mapping.raw(&ByteRecord::from(cells));

        assert!(line(&["1", "Yes"]).expect("read").consent.is_some());
        assert!(line(&["1", "no"]).expect("read").consent.is_none());
        assert_eq!(line(&["1", "maybe"]).err().as_deref(), Some("consent: yes or no"));
        assert!(line(&["1"]).is_err());
    }

    #[test]
    fn a_consent_has_its_ground_and_its_end_from_their_columns() {
        let headers = ["phone", "consent", "Consent Basis", "Consent Expires At"];
        let mapping = mapping(&headers, &[]).expect("a mapping");
        let cells = ["1", "yes", "implied", "2027-01-01"];
        let consent = mapping.raw(&ByteRecord::from(&cells[..])).expect("read").consent;
        let consent = consent.expect("consent");

        assert_eq!(consent.basis.as_deref(), Some("implied"));
        assert_eq!(consent.expires_at.as_deref(), Some("2027-01-01"));
    }
}
