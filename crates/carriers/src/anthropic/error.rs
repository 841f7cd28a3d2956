//! What went wrong with a model call, and what may be done about it. By HTTP status, never by the
//! message's text, which is not a contract.

use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;

use crate::http::{CallFault, Reply, bounded, retry_after};

/// One failed call. Holds no text of the conversation and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model call failed: {fault:?} (status {status:?}, type {error_type:?})")]
pub struct AiError {
    /// The class of the failure.
    pub fault: AiFault,
    /// HTTP status; none where no reply came.
    pub status: Option<u16>,
    /// The API's `error.type`, where the body held one; at most 64 characters.
    pub error_type: Option<String>,
    /// The API's `request-id`, for its support.
    pub request_id: Option<String>,
    /// How long the API asked to wait, at most an hour.
    pub retry_after: Option<Duration>,
    /// The API's own word on repeating the call (`x-should-retry`); it wins over the class.
    pub should_retry: Option<bool>,
}

/// Classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AiFault {
    /// No connection was made.
    NoConnection,
    /// No complete reply in time, by our clock (or 408 and 504, by theirs).
    TimedOut,
    /// The connection broke.
    Broken,
    /// A 2xx that is not a message.
    Unreadable,
    /// 400 and other 4xx without a class of their own.
    InvalidRequest,
    /// 401: the key is wrong.
    Authentication,
    /// 402: the account does not pay.
    Billing,
    /// 403: the key may not do this.
    Permission,
    /// 404: as a rule a model name that is not served.
    NotFound,
    /// 413: the question is too long.
    TooLarge,
    /// 409: another call is in the way.
    Conflict,
    /// 429: called too often.
    RateLimited,
    /// 529: the API has too much to do.
    Overloaded,
    /// Every other 5xx.
    Server,
    /// 1xx, 3xx: not an API.
    Unexpected,
}

/// What a caller may do. There is no idempotency key: a repeated call can be billed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AiNextStep {
    /// Call again, a few times at most: after this wait, or by the caller's own back-off.
    Retry {
        /// The wait that the API asked for.
        after: Option<Duration>,
    },
    /// No call with these credentials can succeed: stop calling and tell the operator.
    StopAccount,
    /// This call will never succeed.
    GiveUp,
}

/// The API asks for a longer back-off when it is overloaded, mostly without saying how long.
const OVERLOADED_WAIT: Duration = Duration::from_secs(10);

// === impl AiError ===

impl AiError {
    /// What a caller may do about it.
    pub fn next_step(&self) -> AiNextStep {
        let after = match (self.retry_after, self.fault) {
            (None, AiFault::Overloaded) => Some(OVERLOADED_WAIT),
            (wait, _) => wait,
        };

        let by_class = match self.fault {
            AiFault::NoConnection
            | AiFault::TimedOut
            | AiFault::Broken
            | AiFault::Unreadable
            | AiFault::Conflict
            | AiFault::RateLimited
            | AiFault::Overloaded
            | AiFault::Server => AiNextStep::Retry { after },
            AiFault::Authentication | AiFault::Billing | AiFault::Permission => {
                AiNextStep::StopAccount
            }
            AiFault::InvalidRequest
            | AiFault::NotFound
            | AiFault::TooLarge
            | AiFault::Unexpected => AiNextStep::GiveUp,
        };

        match (self.should_retry, by_class) {
            (Some(true), _) => AiNextStep::Retry { after },
            (Some(false), AiNextStep::Retry { .. }) => AiNextStep::GiveUp,
            (Some(false) | None, next_step) => next_step,
        }
    }

    pub(super) fn of_reply(reply: &Reply) -> Self {
        let error_type = serde_json::from_slice::<ErrorBody>(&reply.body)
            .ok()
            .map(|body| body.error.kind.chars().take(64).collect());
        Self {
            fault: fault_of_status(reply.status),
            status: Some(reply.status),
            error_type,
            request_id: text(&reply.headers, "request-id"),
            retry_after: wait(&reply.headers),
            should_retry: text(&reply.headers, "x-should-retry")
                .and_then(|value| value.parse().ok()),
        }
    }

    pub(super) fn of_fault(fault: CallFault) -> Self {
        let fault = match fault {
            CallFault::NoConnection => AiFault::NoConnection,
            CallFault::TimedOut => AiFault::TimedOut,
            CallFault::Broken => AiFault::Broken,
            CallFault::TooLong => AiFault::Unreadable,
        };
        Self {
            fault,
            status: None,
            error_type: None,
            request_id: None,
            retry_after: None,
            should_retry: None,
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(rename = "type")]
    kind: String,
}

fn fault_of_status(status: u16) -> AiFault {
    match status {
        200..=299 => AiFault::Unreadable,
        401 => AiFault::Authentication,
        402 => AiFault::Billing,
        403 => AiFault::Permission,
        404 => AiFault::NotFound,
        408 | 504 => AiFault::TimedOut,
        409 => AiFault::Conflict,
        413 => AiFault::TooLarge,
        429 => AiFault::RateLimited,
        529 => AiFault::Overloaded,
        400 | 405..=407 | 410..=412 | 414..=428 | 430..=499 => AiFault::InvalidRequest,
        500..=503 | 505..=528 | 530.. => AiFault::Server,
        0..=199 | 300..=399 => AiFault::Unexpected,
    }
}

/// `retry-after-ms` before `retry-after`, as the API's own client reads them.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let millis = text(headers, "retry-after-ms").and_then(|value| value.trim().parse().ok());
    match millis.and_then(|millis: f64| bounded(millis / 1000.0)) {
        Some(wait) => Some(wait),
        None => retry_after(headers),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(128).collect())
}
