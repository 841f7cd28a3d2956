//! The operations of a document, and what is said of each: from its handler's comment, `GET
//! /v1/things`, for every role: what it does. How it answers.

use axum::http::Method;
use utoipa::openapi::{
    OpenApi,
    path::{Operation, PathItem},
};

/// The operations of a path, by their methods.
pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Makes a summary and a description out of each operation's comment. The method, the path and the
/// roles in front are said elsewhere in the document.
pub(super) fn describe_all(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let PathItem { get, post, put, patch, delete, .. } = item;
        [get, post, put, patch, delete].into_iter().flatten().for_each(describe);
    }
}

fn describe(operation: &mut Operation) {
    let Some(comment) = operation.summary.take() else { return };
    let words = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = words.split_once(": ").filter(|_| words.starts_with('`')).map_or(&*words, |at| at.1);

    let (summary, rest) = said.split_once(". ").unwrap_or((said.trim_end_matches('.'), ""));
    operation.summary = Some(capitalised(summary));
    let more = operation.description.take().unwrap_or_default();
    let description = format!("{rest}\n\n{more}");
    operation.description =
        Some(description.trim().to_owned()).filter(|description| !description.is_empty());
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
