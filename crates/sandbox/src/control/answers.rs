//! How control calls are read and answered.

use http::{Response, StatusCode, Uri};
use serde::{Serialize, de::DeserializeOwned};

use crate::reply::{self, Reply, problem};

pub(super) fn ok<T: Serialize>(value: &T) -> Response<Reply> {
    reply::json(StatusCode::OK, value)
}

pub(super) fn unprocessable(detail: &str) -> Response<Reply> {
    problem(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

pub(super) fn wrong_method() -> Response<Reply> {
    problem(StatusCode::METHOD_NOT_ALLOWED, "this control call has another method")
}

/// Whether a text is an address that callbacks can be made to.
pub(super) fn is_callback_url(text: &str) -> bool {
    let url: Option<Uri> = text.parse().ok();
    url.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")))
}

/// Reads a JSON body: 400 when it is no JSON, 422 when it says something else than it should.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Response<Reply>> {
    domain::json::from_slice(body).map_err(|error| {
        if error.is_data() {
            unprocessable(&error.to_string())
        } else {
            problem(StatusCode::BAD_REQUEST, &format!("not JSON: {error}"))
        }
    })
}
