//! Refusals in the form that the API gives them: an HTTP status, a kind and a sentence.

/// Why a call was refused.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
    /// Seconds after which the caller may try again.
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), retry_after: None }
    }

    /// One request too many.
    pub(super) fn too_many(retry_after: u32) -> Self {
        let message = "This request would exceed the rate limit";
        Self { retry_after: Some(retry_after), ..Self::new(429, "rate_limit_error", message) }
    }

    /// A request that the API does not take.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }
}
