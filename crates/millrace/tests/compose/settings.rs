//! Every variable that is named is a setting of the binary.

use std::{collections::BTreeSet, process::Command};

use crate::{
    declared::{of_compose, of_kubernetes},
    files::{declarations, pieces, text},
};

/// Every variable that the binary reads, as its help says.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for help in [&["settings"][..], &["up", "--help"], &["migrate", "--help"]] {
        let said = Command::new(env!("CARGO_BIN_EXE_millrace")).args(help).output();
        let said = String::from_utf8(said.expect("it runs").stdout).expect("text");
        let names = said.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
        known.extend(names.map(str::to_owned));
    }
    assert!(known.len() > 30, "{known:?}");
    known
}

#[test]
fn every_variable_of_a_declared_process_is_a_setting() {
    let known = known();
    for declared in of_compose().into_iter().chain(of_kubernetes()) {
        let unknown: Vec<_> =
            declared.settings.keys().filter(|name| !known.contains(*name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", declared.name);
    }
}

/// What compose leaves as it is: waits that depend on each other, and those of one broker and of a
/// proxy in front, which ends TLS.
const LEFT_OUT: [&str; 10] = [
    "MILLRACE_ACK_WAIT",
    "MILLRACE_CALL_BY",
    "MILLRACE_DOUBT_LIMIT",
    "MILLRACE_LIST_LAG",
    "MILLRACE_RECEIPT_FETCH",
    "MILLRACE_RECEIPT_HORIZON",
    "MILLRACE_REQUEST_TIMEOUT",
    "MILLRACE_STREAM_REPLICAS",
    "MILLRACE_TLS_CERT",
    "MILLRACE_TLS_KEY",
];

#[test]
fn compose_hands_on_every_setting_but_those_that_it_leaves_as_they_are() {
    let said = Command::new(env!("CARGO_BIN_EXE_millrace")).arg("settings").output();
    let said = String::from_utf8(said.expect("it runs").stdout).expect("text");
    let all = said.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
    let compose = of_compose();
    let api = compose.iter().find(|one| one.args == ["api"]).expect("an api");

    // A secret is handed on by its file.
    let is_there = |name: &str| api.settings.contains_key(name);
    let is_given = |name: &str| {
        is_there(name)
            || is_there(&format!("{name}_FILE"))
            || name.strip_suffix("_FILE").is_some_and(is_there)
    };
    let missing: Vec<&str> = all.filter(|name| !is_given(name)).collect();
    assert_eq!(missing.iter().collect::<BTreeSet<_>>(), LEFT_OUT.iter().collect());
}

#[test]
fn every_variable_of_ours_that_a_file_or_a_document_names_is_a_setting() {
    let known = known();
    let mut seen = 0;
    for path in declarations() {
        let text = text(&path);
        let of_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        for name in pieces(&text, "MILLRACE_", of_variable) {
            seen += 1;
            assert!(known.contains(name), "{path} names {name}, which is no setting");
        }
    }
    assert!(seen > 60, "{seen} names");
}
