//! How the 2010 API writes sids, dates and answers.

use http::{HeaderValue, Response, StatusCode, header::HeaderName};
use jiff::Timestamp;
use serde::Serialize;

use crate::reply::{self, Reply};

/// The number in a sid: two letters and 32 hexadecimal digits.
pub(super) fn sid_number(sid: &str) -> Option<u128> {
    let digits = sid.get(2..).filter(|digits| digits.len() == 32)?;
    u128::from_str_radix(digits, 16).ok()
}

/// A date as RFC 2822 writes it, in UTC.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// An answer in JSON with Twilio's request id.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Reply> {
    let mut response = reply::json(status, value);
    let id = format!("RQ{:032x}", reply::request_number());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("twilio-request-id"), id);
    }
    response
}
