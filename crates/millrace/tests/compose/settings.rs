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
