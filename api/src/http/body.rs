//! Request bodies, decoded with an error that names the field.

use axum::{
    body::Body as RawBody,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::unstorable::unstorable;
use super::{
    arrival,
    problem::{FieldError, Kind, Problem},
};
use crate::{app::App, auth::Caller};

/// How long a body of JSON may be, but for routes that say otherwise.
pub(crate) const JSON_LIMIT: usize = 256 * 1024;

/// The body of a request, decoded from JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        expect_json(&parts.headers)?;
        let bytes = read_body(app, &Caller::of(&parts)?, body, JSON_LIMIT).await?;
        decode(&bytes).map(Self)
    }
}

/// Reads a whole body of at most `limit` bytes, in the share of its caller.
pub(crate) async fn read_body(
    app: &App,
    caller: &Caller,
    body: RawBody,
    limit: usize,
) -> Result<Bytes, Problem> {
    arrival::read(&app.arriving, &caller.key(), body, limit).await
}

/// Whether the content type is this one, whatever its parameters.
pub(crate) fn is_type(headers: &HeaderMap, wanted: &[&str]) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split(';').next()).unwrap_or("").trim();
    wanted.iter().any(|wanted| given.eq_ignore_ascii_case(wanted))
}

/// Refuses a body that does not say that it is JSON.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_type(headers, &["application/json"]) {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMedia, "send Content-Type: application/json"))
}

/// Decodes JSON whose texts can all be stored. The slow path that knows where the error lies is
/// taken only when there is one.
pub(crate) fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    let decoded = decode_list(bytes)?;
    match unstorable(bytes) {
        Some(error) => Err(Problem::invalid(vec![error])),
        None => Ok(decoded),
    }
}

/// Decodes one item of a list; what is wrong with it names its field.
pub(crate) fn decode_item<'a, T: serde::Deserialize<'a>>(
    item: &'a [u8],
) -> Result<T, Vec<FieldError>> {
    let decoded = serde_json::from_slice(item).map_err(|_| vec![locate::<T>(item)])?;
    match unstorable(item) {
        Some(error) => Err(vec![error]),
        None => Ok(decoded),
    }
}

/// Decodes JSON around items that [`decode_item`] decodes: what is wrong with an item is its own.
pub(crate) fn decode_list<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(vec![locate::<T>(bytes)]),
        _ => Problem::new(
            Kind::Malformed,
            format!("not JSON: line {} column {}", error.line(), error.column()),
        ),
    })
}

/// Which field a decoder objects to. The value itself is not repeated.
fn locate<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> FieldError {
    let mut decoder = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut decoder) else {
        // The fast path failed on what this one accepts: bytes after the end.
        let detail = "unexpected text".into();
        return FieldError { field: String::new(), code: "invalid", detail };
    };

    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    field_error(path, &error.into_inner().to_string())
}

/// The error that a decoder's words at a path stand for.
fn field_error(path: String, words: &str) -> FieldError {
    let named = words.split('`').nth(1).unwrap_or_default();
    let join = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };

    if words.starts_with("missing field") {
        FieldError { field: join(named), code: "required", detail: "this field is required".into() }
    } else if words.starts_with("unknown field") {
        // The path may already end in the field itself.
        let field = if path.ends_with(named) { path } else { join(named) };
        FieldError { field, code: "unknown_field", detail: "there is no such field".into() }
    } else {
        let expected = words.rsplit_once("expected ").map_or("another value", |(_, rest)| rest);
        let expected = expected.split(" at line").next().unwrap_or(expected);
        FieldError { field: path, code: "invalid_type", detail: format!("expected {expected}") }
    }
}
