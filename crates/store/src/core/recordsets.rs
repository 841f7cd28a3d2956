//! Rows that travel as one JSON: the columns that a statement names are the fields of what is
//! serialised. A field that is not named would be dropped without a word, and a column without a
//! field would be null.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::class::Channel;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::types::Uuid;

use crate::{
    contacts::Contact,
    core::sources,
    recipients::consent::{Action, ConsentChange, ConsentMethod, Proof, StatusChange},
};

/// What stands before the columns of a recordset.
const CALL: &str = "jsonb_to_recordset(";

/// The fields of what each statement takes apart, in the order of the files and of the calls.
fn serialised() -> Vec<(&'static str, BTreeSet<String>)> {
    let contact = Contact {
        contact_id: Uuid::nil(),
        number: String::new(),
        country: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        language: None,
        time_zone: None,
        postal_code: None,
        region: None,
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };

    let change = ConsentChange {
        tenant: "acme".parse().expect("a tenant"),
        consent_id: Uuid::nil(),
        address: "+12125550100".parse().expect("an address"),
        channel: Channel::Sms,
        action: Action::Grant,
        program: None,
        stops: None,
        method: ConsentMethod::Api,
        language: None,
        source: None,
        proof: Proof::default(),
        evidence: Value::Null,
        at: Timestamp::UNIX_EPOCH,
        recorded_by: String::new(),
    };

    vec![
        ("crates/store/src/contacts.rs", fields(&contact)),
        ("crates/store/src/recipients/consent/ledger.rs", fields(&change)),
        ("crates/store/src/recipients/consent/write.rs", fields(&StatusChange::of(&change))),
    ]
}

fn fields(row: &impl Serialize) -> BTreeSet<String> {
    let Value::Object(fields) = json!(row) else { panic!("a row is an object") };
    fields.keys().cloned().collect()
}

/// The names of the columns of each call in a text: `(a text, b int)` after the closing bracket of
/// its argument and the name of the record.
fn columns(text: &str) -> Vec<BTreeSet<String>> {
    let calls = text.match_indices(CALL).map(|(i, _)| &text[i + CALL.len()..]);
    let lists = calls.map(|after| {
        let (_, after) = after.split_once('(').expect("the columns are in brackets");
        after.split_once(')').expect("the brackets end").0
    });
    let names = lists.map(|list| {
        list.split(',').filter_map(|column| column.split_whitespace().next()).map(str::to_owned)
    });
    names.map(Iterator::collect).collect()
}

#[test]
fn every_recordset_names_the_fields_of_what_is_serialised_and_no_others() {
    let named: Vec<(String, BTreeSet<String>)> = sources::files(&["crates/store/src"])
        .into_iter()
        .flat_map(|(file, text)| columns(&text).into_iter().map(move |list| (file.clone(), list)))
        .collect();

    let known: BTreeSet<&str> = serialised().iter().map(|(file, _)| *file).collect();
    let used: BTreeSet<&str> = named.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!((used, named.len()), (known, serialised().len()), "say here what it serialises");

    for (file, fields) in serialised() {
        let (_, columns) = named.iter().find(|(of, _)| *of == file).expect("looked at above");
        assert_eq!(*columns, fields, "{file}");
    }
}

#[test]
fn columns_are_read_from_the_list_after_the_call() {
    let text = "from jsonb_to_recordset($1) as r (\n a text, b\n uuid[],c jsonb)\n join";
    assert_eq!(columns(text), [["a", "b", "c"].map(str::to_owned).into()]);
    assert!(columns("from unnest($1) as r (a text)").is_empty());
}
