//! Refusals in the form that the Graph API gives them: an HTTP status and an object with a code.

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use serde_json::json;

use crate::reply::{self, Reply};

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    pub(super) code: u32,
    subcode: Option<u32>,
    message: String,
    retry_after: Option<u32>,
}

impl Refusal {
    fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, subcode: None, message: message.to_owned(), retry_after: None }
    }

    pub(super) fn response(&self) -> Response<Reply> {
        let mut body = json!({ "error": {
            "message": format!("(#{}) {}", self.code, self.message),
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.message },
            "fbtrace_id": "sandbox",
        } });
        if let Some(subcode) = self.subcode {
            body["error"]["error_subcode"] = subcode.into();
        }

        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = reply::json(status, &body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A parameter is wrong.
pub(super) fn invalid(why: &str) -> Refusal {
    Refusal::new(400, 100, &format!("Invalid parameter: {why}"))
}

/// A code that the setting `refuse` asks for, or a check.
pub(super) fn coded(code: u32) -> Refusal {
    match code {
        190 => unauthorized(),
        131_047 => {
            Refusal::new(400, code, "More than 24 hours have passed since the customer wrote.")
        }
        131_050 => Refusal::new(400, code, "The person has stopped marketing messages."),
        132_000 => Refusal::new(400, code, "Number of parameters does not match."),
        132_001 => Refusal::new(404, code, "Template name does not exist in the translation."),
        132_012 => Refusal::new(400, code, "The parameters do not fit the template's components."),
        132_015 => Refusal::new(400, code, "The template is paused for its quality."),
        132_016 => Refusal::new(400, code, "The template is disabled for its quality."),
        132_018 => Refusal::new(400, code, "A parameter has line breaks, tabs or runs of spaces."),
        _ => Refusal::new(400, code, "Refused."),
    }
}

/// There is no template to be deleted.
pub(super) fn no_template() -> Refusal {
    let refusal = invalid("there is no such template");
    Refusal { subcode: Some(2_593_002), ..refusal }
}

pub(super) fn unauthorized() -> Refusal {
    Refusal::new(401, 190, "Invalid OAuth access token.")
}

pub(super) fn unknown_node(node: &str) -> Refusal {
    Refusal::new(400, 100, &format!("Object with ID '{node}' does not exist."))
}

pub(super) fn too_many(retry_after: u32) -> Refusal {
    let message = "Rate limit hit: too many messages from this phone number.";
    Refusal { retry_after: Some(retry_after), ..Refusal::new(429, 130_429, message) }
}

pub(super) fn unavailable() -> Refusal {
    Refusal::new(503, 131_016, "Service unavailable.")
}

pub(super) fn internal() -> Refusal {
    Refusal::new(500, 131_000, "Something went wrong.")
}

/// What every call of an account gets while it is out of order.
pub(super) fn outage(status: u16) -> Refusal {
    match status {
        401 | 403 => unauthorized(),
        429 => too_many(1),
        500 => internal(),
        _ => unavailable(),
    }
}
