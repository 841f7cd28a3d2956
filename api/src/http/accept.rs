//! Content types that a caller accepts, and the formats in which whole lists are exported.

use axum::{
    body::Body,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::Stream;
use serde::Serialize;

use super::problem::Problem;

/// The content types of JSON in lines. None is registered, and callers write both.
pub(crate) const NDJSON: [&str; 2] = ["application/x-ndjson", "application/ndjson"];

/// The content types that a caller accepts, in their order and without their parameters.
pub(crate) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let kinds = accept.unwrap_or_default().split(',');
    kinds.filter_map(|kind| kind.split(';').next()).map(str::trim)
}

/// How a whole list is written, instead of a page of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line of JSON for each row.
    Ndjson,
    /// A header, and a line for each row.
    Csv,
}

impl Format {
    /// The first format that the caller accepts; none where JSON is to do.
    pub(crate) fn accepted(headers: &HeaderMap) -> Option<Self> {
        accepted(headers).find_map(|kind| match kind {
            kind if NDJSON.contains(&kind) => Some(Self::Ndjson),
            "text/csv" => Some(Self::Csv),
            _ => None,
        })
    }

    /// The answer of rows that are read step by step while the caller reads. A step that fails cuts
    /// the answer off, so that nobody takes what came for all of it.
    pub(crate) fn answer(
        self,
        steps: impl Stream<Item = Result<Bytes, Problem>> + Send + 'static,
    ) -> Response {
        let kind = match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        };
        ([(header::CONTENT_TYPE, kind)], Body::from_stream(steps)).into_response()
    }
}

/// Rows as lines of JSON.
pub(crate) fn lines<T: Serialize>(rows: &[T]) -> Bytes {
    let mut lines = Vec::with_capacity(rows.len() * 200);
    for row in rows {
        wire::json::push_line(&mut lines, row);
    }
    lines.into()
}

/// Flat rows as lines of CSV. The first have the header above them, as an empty list has it.
pub(crate) fn csv<T: Serialize>(rows: &[T], columns: &[&str], first: bool) -> Bytes {
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if first {
        csv.write_record(columns).expect("a record into memory");
    }
    for row in rows {
        csv.serialize(row).expect("a flat record into memory");
    }
    csv.into_inner().expect("memory does not fail").into()
}
