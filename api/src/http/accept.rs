//! Content types that a caller accepts, and the names of NDJSON.

use axum::http::{HeaderMap, header};

/// The content types of JSON in lines. None is registered, and callers write both.
pub(crate) const NDJSON: [&str; 2] = ["application/x-ndjson", "application/ndjson"];

/// The content types that a caller accepts, in their order and without their parameters.
pub(crate) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let kinds = accept.unwrap_or_default().split(',');
    kinds.filter_map(|kind| kind.split(';').next()).map(str::trim)
}
