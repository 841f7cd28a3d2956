//! Columns by their headers and as callers name them, and what rows make of them.

use std::io::Cursor;

use super::*;
use crate::delimited::{Census, Next, Table};

fn mapping(header: &[&str], wanted: &[(&str, &str)]) -> Result<Mapping, Problem> {
    let wanted = wanted.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    Mapping::new(&header, &wanted)
}

/// What each column is taken for.
fn taken(mapping: &Mapping) -> Vec<Option<String>> {
    let name = |column: &Column| match column.field.as_ref()? {
        Meaning::Field(field) => Some(field.name().to_owned()),
        Meaning::Attribute(name) => Some(format!("attributes.{name}")),
    };
    mapping.columns().iter().map(name).collect()
}

/// The row of these cells.
fn row(cells: &[&str]) -> Row {
    let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    let text = format!("h\n{}\n", quoted.collect::<Vec<_>>().join(",")).into_bytes();
    let census = Census::of(&text);
    let mut table = Table::open(Cursor::new(text), &census, &|_| true).expect("a table");
    let mut row = Row::default();
    assert_eq!(table.next(&mut row), Next::Row);
    row
}

#[test]
fn columns_are_known_by_their_headers_in_many_spellings() {
    let mapping = mapping(&["Mobile Number", "First-Name", "STATE", "Zip Code", "Shoe"], &[]);
    let mapping = mapping.expect("a mapping");
    let known = ["phone", "first_name", "region", "postal_code"];
    let known = known.map(|name| Some(name.to_owned()));
    assert_eq!(taken(&mapping), [known.as_slice(), &[None]].concat());
    assert_eq!(Column::left_out(mapping.columns()), ["Shoe"]);
}

#[test]
fn what_the_caller_says_wins_and_what_is_not_there_is_refused() {
    let said = mapping(&["phone", "work"], &[("phone", "work")]).expect("a mapping");
    assert_eq!(taken(&said), [None, Some("phone".to_owned())]);
    assert!(mapping(&["phone"], &[("phone", "work")]).is_err());
    assert!(mapping(&["phone"], &[("shoe", "phone")]).is_err());
    assert!(mapping(&["name"], &[]).is_err(), "no phone");
}

#[test]
fn two_columns_that_mean_the_same_are_refused_by_name_unless_the_caller_says_which() {
    for (header, both) in
        [(["Phone", "Mobile"], "Phone and Mobile"), (["phone", "PHONE"], "phone and PHONE")]
    {
        let refused = mapping(&header, &[]).expect_err("two phones").to_string();
        assert!(refused.contains(both) && refused.contains("mapping={\"phone\""), "{refused}");
        let said = mapping(&header, &[("phone", header[1])]).expect("a mapping");
        assert_eq!(taken(&said), [None, Some("phone".to_owned())]);
    }

    assert!(mapping(&["phone", "state", "region"], &[]).is_err());
    assert!(mapping(&["phone", "phone"], &[("phone", "phone")]).is_err(), "which of the two");
}

#[test]
fn any_column_that_says_not_to_contact_is_heard() {
    let mapping = mapping(&["phone", "DNC", "Opted Out"], &[]).expect("a mapping");
    for (dnc, out, stops) in
        [("yes", "no", true), ("no", "yes", true), ("", "x", true), ("no", "", false)]
    {
        let raw = mapping.raw(&row(&["1", dnc, out])).expect("read");
        assert_eq!(raw.do_not_contact.is_some(), stops, "{dnc:?} {out:?}");
    }
}

#[test]
fn other_columns_are_own_fields_where_the_caller_says_so() {
    let header = ["phone", "Shoe Size", "Größe", "Plan"];
    let one = mapping(&header, &[("attributes.shoe", "Shoe Size")]).expect("a mapping");
    assert_eq!(Column::left_out(one.columns()), ["Größe", "Plan"]);

    let all = mapping(&header, &[("attributes", "*")]).expect("a mapping");
    assert_eq!(taken(&all)[1].as_deref(), Some("attributes.shoe_size"));
    assert_eq!(Column::left_out(all.columns()), ["Größe"], "no name of an own field");
    let raw = all.raw(&row(&["1", "43", "x", " "])).expect("read");
    assert_eq!(raw.attributes, [("shoe_size".to_owned(), "43".to_owned())].into());

    assert!(mapping(&header, &[("attributes", "Plan")]).is_err());
    assert!(mapping(&header, &[("attributes.Plan", "Plan")]).is_err(), "no name");
}

#[test]
fn two_columns_for_one_own_field_are_refused_unless_the_caller_says_which() {
    let all = ("attributes", "*");
    let header = ["phone", "plan", "Plan", "x"];
    let refused = mapping(&header, &[all]).expect_err("two plans").to_string();
    assert!(refused.contains("plan and Plan") && refused.contains("\"attributes.plan\""));

    for (said, left_out) in
        [("plan", ["Plan"].as_slice()), ("Plan", &["plan"]), ("x", &["plan", "Plan"])]
    {
        let mapping = mapping(&header, &[all, ("attributes.plan", said)]).expect("a mapping");
        assert_eq!(Column::left_out(mapping.columns()), left_out, "{said}");
    }

    let refused = mapping(&["phone", "plan", "plan"], &[all]).expect_err("which").to_string();
    assert!(refused.contains("rename all but one"), "{refused}");
}

#[test]
fn a_column_that_says_more_of_what_no_column_says_is_refused_or_left_out() {
    for (header, needed) in [
        ("consent_at", "consent"),
        ("Opt In Date", "consent"),
        ("legal basis", "consent"),
        ("consent expiry", "consent"),
        ("dnc_reason", "do_not_contact"),
        ("do_not_contact_stops", "do_not_contact"),
    ] {
        let refused = mapping(&["phone", header], &[]).expect_err("alone").to_string();
        let says = format!("the column {header} needs a column {needed}");
        assert!(refused.contains(&says), "{refused}");
        assert!(mapping(&["phone", header, needed], &[]).is_ok(), "{header}");
        assert!(mapping(&["phone", header], &[("attributes.own", header)]).is_ok(), "{header}");
    }

    let source = mapping(&["phone", "Source"], &[]).expect("a mapping");
    assert_eq!(Column::left_out(source.columns()), ["Source"]);
    assert!(mapping(&["phone", "x"], &[("consent_source", "x")]).is_err());
}

#[test]
fn a_reason_not_to_contact_needs_an_answer_in_its_line() {
    let mapping = mapping(&["phone", "dnc", "dnc_reason"], &[]).expect("a mapping");
    assert!(mapping.raw(&row(&["1", "", "complained"])).is_err());
    for (answer, stops) in [("yes", true), ("no", false)] {
        let raw = mapping.raw(&row(&["1", answer, "complained"])).expect("read");
        assert_eq!(raw.do_not_contact.is_some(), stops);
    }
    assert!(mapping.raw(&row(&["1", "", " "])).is_ok());
}

#[test]
fn a_name_that_takes_in_rows_is_none() {
    let refused = |header: &[&str]| mapping(header, &[]).err().map(|why| why.to_string());
    let why = refused(&["phone", "first_name\n+12128890001,Ann\n"]).expect("a quote");
    assert!(why.contains("first_name") && why.contains("quote"), "{why}");
    assert_eq!(refused(&["phone", "First\nName"]), None);
}

#[test]
fn a_file_without_a_header_is_told_so() {
    let refused = mapping(&["+12125550100", "Ann"], &[]).expect_err("no header").to_string();
    assert!(refused.contains("first line holds a number"), "{refused}");
}

#[test]
fn a_row_that_takes_in_others_is_none() {
    let mapping = mapping(&["phone", "first_name"], &[]).expect("a mapping");
    let check = |name: &str| mapping.check_lines(&row(&["+12128890001", name]), ',');

    assert!(check("Ann\n+12128890002,Bob").is_err());
    assert!(check("Ann\nx\n(212) 889-0003,Cy\n").is_err());
    assert!(check("Ann\nof 12 Main St, New York").is_ok());
    assert!(check("called\n+12128890002").is_ok(), "a number alone is no row of two columns");
}

#[test]
fn a_row_that_takes_in_others_is_none_where_the_phone_comes_last() {
    let mapping = mapping(&["first_name", "note", "phone"], &[]).expect("a mapping");
    let check =
        |name: &str, note: &str| mapping.check_lines(&row(&[name, note, "+12128890002"]), ',');

    assert!(check("Ann,x,+12128890001\nBob", "y").is_err());
    assert!(check("Ann", "x,+12128890001\nBob,y").is_err());
    assert!(check("Ann\nof 12 Main St, New York", "y").is_ok());
    assert!(check("Ann", "called,\nthen wrote").is_ok());
}

#[test]
fn an_answer_that_is_neither_yes_nor_no_makes_the_line_invalid() {
    let mapping = mapping(&["phone", "consent"], &[]).expect("a mapping");
    let line = |cells: &[&str]| mapping.raw(&row(cells));

    assert!(line(&["1", "Yes"]).expect("read").consent.is_some());
    assert!(line(&["1", "no"]).expect("read").consent.is_none());
    assert_eq!(line(&["1", "maybe"]).err().as_deref(), Some("consent: yes or no"));
    assert!(line(&["1"]).is_err());
}

#[test]
fn a_consent_has_its_ground_and_its_end_from_their_columns() {
    let headers = ["phone", "consent", "Consent Basis", "Consent Expires At"];
    let mapping = mapping(&headers, &[]).expect("a mapping");
    let consent = mapping.raw(&row(&["1", "yes", "implied", "2027-01-01"])).expect("read").consent;
    let consent = consent.expect("consent");

    assert_eq!(consent.basis.as_deref(), Some("implied"));
    assert_eq!(consent.expires_at.as_deref(), Some("2027-01-01"));
}
