//! Refusals in the form that Bandwidth gives them: an HTTP status, a type and a description, and
//! the field that is wrong.

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use serde_json::json;

use crate::reply::{self, Reply};

/// The status of a call whose credentials are not the account's.
pub(super) const UNAUTHORIZED: u16 = 401;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    kind: &'static str,
    description: String,
    field: Option<(&'static str, String)>,
    retry_after: Option<u32>,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, description: &str) -> Self {
        let description = description.to_owned();
        Self { status, kind, description, field: None, retry_after: None }
    }

    pub(super) fn response(&self) -> Response<Reply> {
        let mut body = json!({ "type": self.kind, "description": self.description });
        if let Some((name, why)) = &self.field {
            body["fieldErrors"] = json!([{ "fieldName": name, "description": why }]);
        }

        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = reply::json(status, &body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A field is wrong.
pub(super) fn invalid(field: &'static str, why: &str) -> Refusal {
    let refusal = Refusal::new(400, "request-validation", "Your request could not be accepted.");
    Refusal { field: Some((field, why.to_owned())), ..refusal }
}

/// What the setting `refuse` asks for: a status between 400 and 499, else a 400 that names nothing.
pub(super) fn coded(code: u32) -> Refusal {
    match code {
        401 => unauthorized(),
        403 => Refusal::new(403, "forbidden", "Access is denied."),
        415 => Refusal::new(415, "unsupported-content-type", "Content-Type is not supported."),
        429 => too_many(1),
        _ => Refusal::new(400, "request-validation", "Your request could not be accepted."),
    }
}

pub(super) fn unauthorized() -> Refusal {
    Refusal::new(UNAUTHORIZED, "unauthorized", "Unauthorized")
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(404, "not-found", "The resource specified cannot be found.")
}

pub(super) fn wrong_method() -> Refusal {
    Refusal::new(405, "method-not-allowed", "Method not allowed.")
}

pub(super) fn too_many(retry_after: u32) -> Refusal {
    let kind = "max-message-queue-size-exceeded";
    let description = "Maximum message queue size exceeded: 60 messages per minute, queue 900.";
    Refusal { retry_after: Some(retry_after), ..Refusal::new(429, kind, description) }
}

pub(super) fn unavailable() -> Refusal {
    Refusal::new(503, "service-unavailable", "The service is not available.")
}

pub(super) fn internal() -> Refusal {
    Refusal::new(500, "internal-server-error", "Internal server error. No further information.")
}

/// What every call of an account gets while it is out of order.
pub(super) fn outage(status: u16) -> Refusal {
    match status {
        401 => unauthorized(),
        403 => coded(403),
        429 => too_many(1),
        500 => internal(),
        _ => unavailable(),
    }
}
