//! Which column of a file is which field: by its header, or as the caller says.

use std::{collections::BTreeMap, fmt};

use domain::{
    invisible::is_blank,
    storable::{UNSTORABLE_TEXT, is_storable},
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::field::{Field, NAMES, by_name, field_of, plain};
use crate::{
    contacts::{MAX_ATTRIBUTES, Raw, RawConsent, RawStop},
    delimited::Row,
    fields,
    http::{Errors, Problem},
};

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

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.name()),
            Self::Attribute(name) => write!(f, "{ATTRIBUTE}{name}"),
        }
    }
}

impl Serialize for Meaning {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
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
    /// What is wrong with `wanted`; no column for the phone; two columns for one field; a column
    /// that says more of what no column says.
    pub(crate) fn new(
        header: &[String],
        wanted: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        check_names(header)?;
        let column = |name: &String| Column { column: name.clone(), field: None };
        let mut mapping = Self { columns: header.iter().map(column).collect() };
        for (name, column) in wanted.iter().filter(|(name, _)| *name != ATTRIBUTES) {
            mapping.take(name, column)?;
        }

        let mut errors = Errors::default();
        for (field, _) in NAMES {
            mapping.find(*field, &mut errors);
        }
        if !mapping.has(&Meaning::Field(Field::Phone)) && errors.is_empty() {
            errors.add("phone", "required", mapping.no_phone());
        }
        mapping.check_about(wanted, &mut errors);
        if let Some(columns) = wanted.get(ATTRIBUTES) {
            let detail = "\"*\" takes every other column; one is \"attributes.plan\": \"Plan\"";
            errors.check(columns == ALL_OTHERS, "mapping", "unknown_column", detail);
            mapping.take_all_others(&mut errors);
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
                    if !is_blank(&cell) {
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

        check_stop(stops, &stop)?;
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
        if self.has(&Meaning::Field(field)) {
            return;
        }
        let is_it =
            |column: &Column| column.field.is_none() && by_name(&column.column) == Some(field);
        let found: Vec<usize> =
            (0..self.columns.len()).filter(|index| is_it(&self.columns[*index])).collect();

        if !field.may_repeat() {
            self.check_one(field.name(), &found, errors);
        }
        for index in found {
            self.columns[index].field = Some(Meaning::Field(field));
        }
    }

    /// Refuses several columns for one field, by their names: only the caller knows which it is.
    fn check_one(&self, field: &str, found: &[usize], errors: &mut Errors) {
        if found.len() < 2 {
            return;
        }
        let names: Vec<&str> = found.iter().map(|i| self.columns[*i].column.as_str()).collect();
        let is_alone = |name: &&&str| names.iter().filter(|other| other == name).count() == 1;
        let all = names.join(" and ");
        let detail = match names.iter().find(is_alone) {
            Some(one) => format!(
                "the columns {all} mean {field}: say which, as mapping={{\"{field}\":\"{one}\"}}"
            ),
            None => format!("the columns {all} mean {field}: rename all but one"),
        };
        errors.add(field, "ambiguous", detail);
    }

    /// Refuses a column that says more of a consent, or of an entry of the do-not-contact list,
    /// where no column says whether there is one: what it says would be lost. `source` alone is
    /// left out, as lists have one for other things.
    fn check_about(&mut self, wanted: &BTreeMap<String, String>, errors: &mut Errors) {
        for index in 0..self.columns.len() {
            let Some(Meaning::Field(field)) = self.columns[index].field else { continue };
            let Some(about) = field.is_about() else { continue };
            if self.has(&Meaning::Field(about)) {
                continue;
            }

            let (name, about) = (field.name(), about.name());
            if field == Field::ConsentSource && !wanted.contains_key(name) {
                self.columns[index].field = None;
                continue;
            }
            let column = &self.columns[index].column;
            let detail = format!(
                "the column {column} needs a column {about} beside it, with yes or no; to keep it \
                 as an own field, say mapping={{\"{ATTRIBUTE}{name}\":\"{column}\"}}"
            );
            errors.add(about, "required", detail);
        }
    }

    /// Takes every column that is nothing else for an own field, under its header as a name. Of
    /// several that have one name the caller says which; the others are left out then.
    fn take_all_others(&mut self, errors: &mut Errors) {
        let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, column) in self.columns.iter().enumerate() {
            let name = plain(&column.column);
            let mut wrong = Errors::default();
            fields::variable_name("mapping", &name, &mut wrong);
            if column.field.is_none() && by_name(&name).is_none() && wrong.is_empty() {
                found.entry(name).or_default().push(index);
            }
        }

        for (name, found) in found {
            let own = Meaning::Attribute(name);
            if self.has(&own) {
                continue;
            }
            self.check_one(&own.to_string(), &found, errors);
            for index in found {
                self.columns[index].field = Some(own.clone());
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

    /// Whether some column is taken for this already.
    fn has(&self, meaning: &Meaning) -> bool {
        self.columns.iter().any(|column| column.field.as_ref() == Some(meaning))
    }
}

/// Refuses a header of which a name takes in lines that look like rows: a quote was not closed.
fn check_names(header: &[String]) -> Result<(), Problem> {
    let takes_in_rows = |name: &&String| {
        let mut cells = name.split(['\n', ',', ';', '\t', '|']);
        name.contains('\n') && cells.any(is_number)
    };
    let Some(name) = header.iter().find(takes_in_rows) else { return Ok(()) };
    let name = name.lines().next().unwrap_or_default();
    let detail = format!(
        "the column {name} of the header takes in lines that look like rows: is a quote not closed?"
    );
    Err(Problem::field("file", "invalid_header", detail))
}

/// Refuses a row that says more of an entry of the do-not-contact list and not whether there is
/// one: whoever is meant to be on it would be texted.
fn check_stop(stops: Option<bool>, said: &RawStop) -> Result<(), String> {
    let is_said = |cell: &Option<String>| cell.as_ref().is_some_and(|c| !is_blank(c));
    if stops.is_none() && (is_said(&said.reason) || is_said(&said.stops)) {
        return Err("do_not_contact: yes or no, where its reason is said, or what it stops".into());
    }
    Ok(())
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
