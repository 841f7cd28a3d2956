//! Which column of a file is which field: by its header, or as the caller says.

use std::collections::BTreeMap;

use domain::storable::{UNSTORABLE_TEXT, is_storable};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::{
    contacts::{MAX_ATTRIBUTES, Raw, RawConsent, RawStop},
    delimited::Row,
    fields,
    http::{Errors, Problem},
};

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
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
const NAMES: &[(Field, &[&str])] = &[
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

/// How a mapping names an own field of the contact, and all of them.
const ATTRIBUTE: &str = "attributes.";
const ATTRIBUTES: &str = "attributes";
const ALL_OTHERS: &str = "*";

/// How many digits a cell has at least that looks like a number.
const LEAST_DIGITS: usize = 7;

/// The columns of a file.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    columns: Vec<Column>,
}

/// One column and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportColumn)]
pub(crate) struct Column {
    /// The column's name in the header.
    column: String,
    /// The field that it is, `attributes.` and a name for an own one; none: it is not read.
    #[schema(required, value_type = Option<String>, example = "first_name")]
    field: Option<Meaning>,
}

/// What a column is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    Field(Field),
    /// An own field of the contact, by its name.
    Attribute(String),
}

impl Serialize for Meaning {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Field(field) => s.serialize_str(field.name()),
            Self::Attribute(name) => s.collect_str(&format_args!("{ATTRIBUTE}{name}")),
        }
    }
}

impl Field {
    /// The name in mappings and answers.
    fn name(self) -> &'static str {
        let own = NAMES.iter().find(|(field, _)| *field == self);
        own.map_or("", |(_, names)| names[0])
    }

    /// Whether several columns may be it: any of them that says yes is heard.
    fn may_repeat(self) -> bool {
        self == Self::DoNotContact
    }
}

impl Column {
    /// The names of the columns that are not read.
    pub(crate) fn left_out(columns: &[Self]) -> Vec<String> {
        let unread = columns.iter().filter(|column| column.field.is_none());
        unread.map(|column| column.column.clone()).collect()
    }
}

impl Mapping {
    /// Reads a header. `wanted` names columns by field where the caller knows better.
    ///
    /// # Errors
    /// What is wrong with `wanted`; no column for the phone; two columns for one field.
    pub(crate) fn new(
        header: &[String],
        wanted: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let column = |name: &String| Column { column: name.clone(), field: None };
        let mut mapping = Self { columns: header.iter().map(column).collect() };
        for (name, column) in wanted.iter().filter(|(name, _)| *name != ATTRIBUTES) {
            mapping.take(name, column)?;
        }

        let mut errors = Errors::default();
        for (field, _) in NAMES {
            mapping.find(*field, &mut errors);
        }
        if !mapping.has(Field::Phone) && errors.is_empty() {
            errors.add("phone", "required", mapping.no_phone());
        }
        if let Some(columns) = wanted.get(ATTRIBUTES) {
            let detail = "\"*\" takes every other column; one is \"attributes.plan\": \"Plan\"";
            errors.check(columns == ALL_OTHERS, "mapping", "unknown_column", detail);
            mapping.take_all_others();
        }
        errors.check(mapping.attributes() <= MAX_ATTRIBUTES, "mapping", "too_many", "at most 50");
        errors.done()?;
        Ok(mapping)
    }

    /// Whether a column of this name is one that a mapping would know.
    pub(crate) fn knows(name: &str, wanted: &BTreeMap<String, String>) -> bool {
        by_name(name).is_some() || wanted.values().any(|column| column.trim() == name)
    }

    /// The columns, for the preview.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Refuses a row of which a cell holds lines that look like rows: a quote was not closed, and
    /// these would be lost or become part of a name.
    pub(crate) fn check_lines(&self, row: &Row, delimiter: char) -> Result<(), String> {
        let phone = self.columns.iter().position(|c| c.field == Some(Meaning::Field(Field::Phone)));
        // The first line of a cell goes on a row of which `before` cells were read.
        let looks_like_a_row = |line: &str, before: usize| {
            let cells: Vec<&str> = line.split(delimiter).collect();
            let phone = phone.and_then(|phone| phone.checked_sub(before));
            let has_number = phone.and_then(|phone| cells.get(phone)).is_some_and(|c| is_number(c));
            has_number && (cells.len() > 1 || self.columns.len() == 1)
        };

        for (index, (cell, column)) in row.cells().zip(&self.columns).enumerate() {
            if !cell.contains(&b'\n') {
                continue;
            }
            let text = String::from_utf8_lossy(cell);
            let mut lines = text.split('\n').enumerate();
            if lines.any(|(nth, line)| looks_like_a_row(line, if nth == 0 { index } else { 0 })) {
                let name = &column.column;
                return Err(format!(
                    "column {name} takes in lines that look like rows, and none of them was read: \
                     is a quote not closed?"
                ));
            }
        }
        Ok(())
    }

    /// Reads a row; a reason if it has the wrong shape.
    pub(crate) fn raw(&self, row: &Row) -> Result<Raw, String> {
        if row.len() != self.columns.len() {
            let (have, want) = (row.len(), self.columns.len());
            return Err(format!("the line has {have} columns, the header {want}"));
        }

        let mut raw = Raw::default();
        let (mut consent, mut stop) = (RawConsent::default(), RawStop::default());
        let (mut consents, mut stops) = (None, None);
        for (cell, column) in row.cells().zip(&self.columns) {
            let Some(meaning) = &column.field else { continue };
            let cell = text(cell, &column.column)?;
            let field = match meaning {
                Meaning::Field(field) => *field,
                Meaning::Attribute(name) => {
                    if !cell.trim().is_empty() {
                        raw.attributes.insert(name.clone(), cell);
                    }
                    continue;
                }
            };
            match field {
                Field::Phone => raw.phone = cell,
                Field::Country => raw.country = Some(cell),
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
                Field::DoNotContact => stops = stops.max(yes_or_no("do_not_contact", &cell)?),
                Field::DoNotContactReason => stop.reason = Some(cell),
                Field::DoNotContactStops => stop.stops = Some(cell),
            }
        }

        raw.consent = (consents == Some(true)).then_some(consent);
        raw.do_not_contact = (stops == Some(true)).then_some(stop);
        Ok(raw)
    }

    /// Takes a column for a field, as the caller says.
    fn take(&mut self, name: &str, wanted: &str) -> Result<(), Problem> {
        let meaning = match name.strip_prefix(ATTRIBUTE) {
            Some(own) => {
                let mut errors = Errors::default();
                fields::variable_name("mapping", own, &mut errors);
                errors.done()?;
                Meaning::Attribute(own.to_owned())
            }
            None => Meaning::Field(field_of(name)?),
        };

        let named = self.columns.iter_mut().filter(|column| column.column == wanted.trim());
        let mut named: Vec<&mut Column> = named.collect();
        match named.as_mut_slice() {
            [column] if column.field.is_some() => {
                let detail = format!("the column {wanted} is named for two fields");
                Err(Problem::field("mapping", "ambiguous", detail))
            }
            [column] => {
                column.field = Some(meaning);
                Ok(())
            }
            [] => {
                let detail = format!("the file has no column {wanted}");
                Err(Problem::field("mapping", "unknown_column", detail))
            }
            _ => {
                let detail = format!("the file has several columns {wanted}: rename all but one");
                Err(Problem::field("mapping", "ambiguous", detail))
            }
        }
    }

    /// Finds the column of a field by its header, unless the caller has named one.
    fn find(&mut self, field: Field, errors: &mut Errors) {
        if self.has(field) {
            return;
        }
        let is_it =
            |column: &Column| column.field.is_none() && by_name(&column.column) == Some(field);
        let found: Vec<usize> =
            (0..self.columns.len()).filter(|index| is_it(&self.columns[*index])).collect();

        if found.len() > 1 && !field.may_repeat() {
            let names: Vec<&str> = found.iter().map(|i| self.columns[*i].column.as_str()).collect();
            let (name, first, all) = (field.name(), names[0], names.join(" and "));
            let detail = format!(
                "the columns {all} all mean {name}: say which, as mapping={{\"{name}\":\"{first}\"}}"
            );
            errors.add(name, "ambiguous", detail);
        }
        for index in found {
            self.columns[index].field = Some(Meaning::Field(field));
        }
    }

    /// Takes every column that is nothing else for an own field, under its header as a name.
    fn take_all_others(&mut self) {
        for column in &mut self.columns {
            let name = plain(&column.column);
            let mut errors = Errors::default();
            fields::variable_name("mapping", &name, &mut errors);
            if column.field.is_none() && by_name(&name).is_none() && errors.is_empty() {
                column.field = Some(Meaning::Attribute(name));
            }
        }
    }

    /// Why there is no column for the phone: a header that is missing is the usual one.
    fn no_phone(&self) -> &'static str {
        if self.columns.iter().any(|column| is_number(&column.column)) {
            "the first line holds a number: put a line with the names of the columns before it"
        } else {
            "the file needs a column phone, or a mapping that names it"
        }
    }

    /// How many columns are own fields.
    fn attributes(&self) -> usize {
        let is_own = |column: &&Column| matches!(column.field, Some(Meaning::Attribute(_)));
        self.columns.iter().filter(is_own).count()
    }

    /// Whether some column is taken for this field already.
    fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|column| column.field == Some(Meaning::Field(field)))
    }
}

/// The text of a cell, as it can be stored.
fn text(cell: &[u8], column: &str) -> Result<String, String> {
    let text = std::str::from_utf8(cell).map_err(|_| format!("column {column} is not UTF-8"))?;
    if is_storable(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("column {column}: {UNSTORABLE_TEXT}"))
    }
}

/// Whether a cell holds digits and what people write between them, enough for a number.
fn is_number(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    digits >= LEAST_DIGITS && cell.chars().all(|c| !c.is_alphabetic())
}

/// The field that a mapping names by its own name.
fn field_of(name: &str) -> Result<Field, Problem> {
    let field = NAMES.iter().find(|(_, names)| names[0] == name).map(|(field, _)| *field);
    field.ok_or_else(|| {
        let known: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
        let known = known.join(", ");
        let detail = format!("{name} is no field; fields are {known}, attributes.<name>");
        Problem::field("mapping", "unknown_field", detail)
    })
}

/// The field that a header names, in whatever spelling.
fn by_name(header: &str) -> Option<Field> {
    let name = plain(header);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

/// A header in lower case, with every run of other characters than letters and digits as one
/// underscore, and none around it.
fn plain(header: &str) -> String {
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
#[path = "mapping_tests.rs"]
mod tests;
