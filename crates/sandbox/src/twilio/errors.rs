//! Refusals in the form that Twilio gives them: an HTTP status, a code and a sentence.

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use serde::Serialize;

use super::format::json;
use crate::reply::Reply;

/// The code of a 401.
pub(super) const AUTHENTICATE: u32 = 20003;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    message: String,
    retry_after: Option<u32>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u32,
    message: &'a str,
    more_info: String,
    status: u16,
}

impl Refusal {
    fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), retry_after: None }
    }

    pub(super) fn response(&self) -> Response<Reply> {
        let body = ErrorBody {
            code: self.code,
            message: &self.message,
            more_info: format!("https://www.twilio.com/docs/errors/{}", self.code),
            status: self.status,
        };

        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = json(status, &body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The refusal with this code: its own status and sentence, or 400 and a general sentence.
pub(super) fn coded(code: u32) -> Refusal {
    let (status, message) = match code {
        20001 => (400, "Unknown parameters"),
        20005 => (403, "Account not active"),
        20009 => (409, "The message is not finished yet"),
        20404 => (404, "The requested resource was not found"),
        20409 => (409, "Resource is in conflict with its state"),
        20429 => (429, "Too Many Requests"),
        21211 => (400, "The 'To' number is not a valid phone number"),
        21212 => (400, "The 'From' number is not a valid phone number, shortcode, or sender ID"),
        21408 => (400, "Permission to send an SMS has not been enabled for the region"),
        21404 => (400, "The account has as many numbers as it may have"),
        21421 => (400, "PhoneNumber is invalid"),
        21422 => (400, "PhoneNumber is not available"),
        21451 => (400, "The area code is invalid"),
        21452 => (400, "No phone numbers found in this area code"),
        21602 => (400, "Message body or media is required"),
        21603 => (400, "A 'From' phone number or MessagingServiceSid is required"),
        21604 => (400, "A 'To' phone number is required"),
        21606 => (400, "The 'From' number is not a message-capable number of your account"),
        21609 => (400, "The 'StatusCallback' URL is not a valid URL"),
        21610 => (400, "Attempt to send to unsubscribed recipient"),
        21611 => (400, "This 'From' number has exceeded the maximum number of queued messages"),
        21612 => (400, "The 'To' number is not currently reachable via SMS from this 'From'"),
        21614 => (400, "'To' number is not a valid mobile number"),
        21617 => (400, "The concatenated message body exceeds the 1600 character limit"),
        21620 => (400, "Invalid media URL"),
        21623 => (400, "Number of media files exceeds allowed limit"),
        21624 => (400, "ValidityPeriod is invalid"),
        21655 => (400, "The ContentSid is invalid"),
        21704 => (400, "The Messaging Service contains no phone numbers"),
        21705 => (400, "The Messaging Service Sid is invalid"),
        30409 => (400, "Unable to cancel: the message is no longer scheduled"),
        _ => (400, "The message was refused"),
    };

    Refusal::new(status, code, message)
}

pub(super) fn unauthorized() -> Refusal {
    Refusal::new(401, AUTHENTICATE, "Authenticate")
}

pub(super) fn not_found() -> Refusal {
    coded(20404)
}

pub(super) fn bad_request(message: &str) -> Refusal {
    Refusal::new(400, 20001, message)
}

pub(super) fn too_many(retry_after: u32) -> Refusal {
    Refusal { retry_after: Some(retry_after), ..coded(20429) }
}

pub(super) fn unavailable() -> Refusal {
    Refusal::new(503, 20503, "Service unavailable")
}

pub(super) fn internal() -> Refusal {
    Refusal::new(500, 20500, "An internal server error has occurred")
}

/// What every call of an account gets while it is out of order.
pub(super) fn outage(status: u16) -> Refusal {
    match status {
        401 => unauthorized(),
        403 => coded(20005),
        429 => too_many(1),
        500 => internal(),
        _ => unavailable(),
    }
}
