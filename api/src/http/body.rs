//! Request bodies, decoded with an error that names the field.

use axum::{
    body::Body as RawBody,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use domain::json;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    arrival,
    problem::{FieldError, Kind, Problem},
    unstorable::unstorable,
    wrong_fields::{Probe, probe, wrong_fields},
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

/// Decodes JSON whose texts can all be stored. The slow path that knows what is wrong is taken only
/// when something is.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    decode_by(bytes, probe::<T>)
}

/// Decodes JSON into what borrows from it; `probe` asks the same decoder.
pub(crate) fn decode_by<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    probe: Probe,
) -> Result<T, Problem> {
    json::from_slice(bytes).map_err(|error| problem(bytes, &error, probe)).and_then(|decoded| {
        unstorable(bytes).map_or(Ok(decoded), |error| Err(Problem::invalid(vec![error])))
    })
}

/// Decodes one item of a list; what is wrong with it names its field.
pub(crate) fn decode_item<T: DeserializeOwned>(item: &[u8]) -> Result<T, Vec<FieldError>> {
    decode_item_by(item, probe::<T>)
}

/// Decodes one item into what borrows from it; `probe` asks the same decoder.
pub(crate) fn decode_item_by<'a, T: Deserialize<'a>>(
    item: &'a [u8],
    probe: Probe,
) -> Result<T, Vec<FieldError>> {
    let wrong = |error: serde_json::Error| wrong_fields(item, &error.to_string(), probe);
    let decoded = json::from_slice(item).map_err(wrong)?;
    unstorable(item).map_or(Ok(decoded), |error| Err(vec![error]))
}

/// Decodes JSON around items that [`decode_item`] decodes: what is wrong with an item is its own.
/// `probe` asks the same decoder.
pub(crate) fn decode_list<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    probe: Probe,
) -> Result<T, Problem> {
    json::from_slice(bytes).map_err(|error| problem(bytes, &error, probe))
}

/// What the caller is told of a body that does not decode.
fn problem(bytes: &[u8], error: &serde_json::Error, probe: Probe) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => {
            Problem::invalid(wrong_fields(bytes, &error.to_string(), probe))
        }
        _ => Problem::new(
            Kind::Malformed,
            format!("not JSON: line {} column {}", error.line(), error.column()),
        ),
    }
}
