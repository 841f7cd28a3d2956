//! Holds whatever any test is answered to the document: the operation lists the status, and the
//! media type of the body.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::OnceLock,
};

use reqwest::Method;
use serde_json::Value;

use super::operations;
use crate::harness::Answer;

/// What an operation lists: media types by status.
type Listed = BTreeMap<u16, BTreeSet<String>>;

/// The operations of the document, each with its path in segments.
static OPERATIONS: OnceLock<Vec<(Method, Vec<String>, Listed)>> = OnceLock::new();

/// Reads the document as it is committed: another test sees that it is what the code makes.
fn read() -> Vec<(Method, Vec<String>, Listed)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let file = std::fs::read(file).expect("the document");
    let document: Value = serde_json::from_slice(&file).expect("JSON");
    let listed = |operation: &Value| {
        let responses = operation["responses"].as_object().expect("responses").iter();
        let of_status = responses.map(|(status, response)| {
            let shared = response["$ref"].as_str().map(|to| to.trim_start_matches('#'));
            let response = shared.map_or(response, |to| document.pointer(to).expect("an answer"));
            let kinds = response["content"].as_object().into_iter().flat_map(|all| all.keys());
            (status.parse().expect("a status"), kinds.cloned().collect())
        });
        of_status.collect()
    };
    let segments = |path: &str| path.split('/').map(str::to_owned).collect();
    let operations = operations(&document).into_iter();
    operations.map(|(method, path, one)| (method, segments(&path), listed(&one))).collect()
}

/// How many segments of a template are named by a path that it fits.
fn fit(template: &[String], path: &[&str]) -> Option<usize> {
    let fits = |(one, given): (&String, &&str)| {
        one == given || (one.starts_with('{') && !given.is_empty())
    };
    let is_it = template.len() == path.len() && template.iter().zip(path).all(fits);
    is_it.then(|| template.iter().filter(|one| !one.starts_with('{')).count())
}

/// Fails where the operation that was asked does not list this answer. What no operation is asked,
/// as another method or path, may be answered as it is.
#[track_caller]
pub(crate) fn must_be_listed((method, path): (&Method, &str), answer: &Answer) {
    let path: Vec<&str> = path.split('/').collect();
    let fitting = OPERATIONS.get_or_init(read).iter().filter(|(one, ..)| one == method);
    let asked = fitting.filter_map(|one| Some((fit(&one.1, &path)?, one)));
    let Some((_, (_, template, listed))) = asked.max_by_key(|(named, _)| *named) else { return };

    let status = answer.status.as_u16();
    let place = format!("{method} {} answered {status}", template.join("/"));
    let kinds = listed.get(&status);
    let kinds = kinds.unwrap_or_else(|| panic!("{place}, which is not listed: {}", answer.body));
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let is_empty = answer.body.as_str().is_some_and(str::is_empty);
    assert!(is_empty || kinds.contains(kind), "{place} with {kind}, of {kinds:?}");
}

#[test]
fn a_path_is_the_operation_that_names_most_of_it() {
    let split = |path: &'static str| path.split('/').collect::<Vec<_>>();
    let template = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(fit(&template("/v1/things/{id}"), &split("/v1/things/7")), Some(3));
    assert_eq!(fit(&template("/v1/things/new"), &split("/v1/things/new")), Some(4));
    assert_eq!(fit(&template("/v1/things/{id}"), &split("/v1/things/")), None);
    assert_eq!(fit(&template("/v1/things/{id}"), &split("/v1/things/7/parts")), None);
}
