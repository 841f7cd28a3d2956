//! Content types that a caller accepts, and the formats in which whole lists are exported.

use axum::{
    body::Body,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::Stream;
use serde::{Serialize, Serializer};

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

/// A cell of CSV that people have written. A spreadsheet takes what begins with one of `=+-@`, a
/// tab or an end of line for a formula and runs it: such a text begins with an apostrophe instead,
/// which has it shown as it is (OWASP, "CSV Injection"). Phone numbers begin with `+` too and are
/// no such cells: they hold digits alone, and are imported again as they are exported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellText<'a>(pub(crate) &'a str);

impl Serialize for CellText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            serializer.collect_str(&format_args!("'{}", self.0))
        } else {
            serializer.serialize_str(self.0)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_what_people_write_is_no_formula() {
        let written = |text: &str| {
            let table = csv(&[(CellText(text), "+15551234567")], &["body", "to"], false);
            String::from_utf8(table.to_vec()).expect("a text")
        };
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1 555", "'+1 555"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
            ("Hi = there", "Hi = there"),
            ("'quoted", "'quoted"),
            ("", ""),
        ] {
            let written = written(text);
            let first = written.strip_suffix(",+15551234567\n").expect("the number as it is");
            assert_eq!(first, cell, "{text:?}");
        }
    }
}
