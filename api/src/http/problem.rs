//! Errors as callers read them: `application/problem+json` (RFC 9457) with the fields at fault.

use std::{borrow::Cow, fmt::Display};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{
    invisible::is_blank,
    storable::{UNSTORABLE_TEXT, is_storable},
};
use pipeline::PublishError;
use serde::Serialize;
use serde_json::Value;
use stage::{Dependency, Fault};
use utoipa::ToSchema;

use super::{codes, kind};
pub(crate) use kind::Kind;

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field, with dots and indices where it lies deeper; empty for the whole body.
    pub(crate) field: String,
    /// A code for machines; it does not change.
    #[serde(serialize_with = "codes::serialize")]
    #[schema(schema_with = codes::schema)]
    pub(crate) code: &'static str,
    /// What would be right.
    pub(crate) detail: String,
}

/// An answer that is an error. Its body is written by the outermost layer, which knows the
/// request's id.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
    idempotency_key: Option<Box<str>>,
    /// What led to it, for the log alone.
    cause: Option<Box<str>>,
}

impl Problem {
    /// An error with what the reader can do about it.
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            idempotency_key: None,
            cause: None,
        }
    }

    /// What went wrong, in general.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// A defect of ours.
    pub(crate) fn panicked() -> Self {
        Self::new(Kind::Internal, "it has been reported").because("a panic")
    }

    /// Says what led to it. The log says it beside the request's id, the answer does not.
    #[must_use]
    fn because(mut self, cause: impl Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// Writes into the log what a request is answered: never what it has sent. `left_out` is how
    /// many of its kind have no line since the one before ([`super::refusals`]).
    pub(super) fn log(&self, request_id: &str, method: &str, route: &str, left_out: u64) {
        let left_out = Some(left_out).filter(|left_out| *left_out > 0);
        let (code, cause) = (self.kind.name(), self.cause.as_deref());
        match self.kind {
            Kind::Internal => {
                tracing::error!(
                    request.id = request_id,
                    method,
                    route,
                    code,
                    cause,
                    left_out,
                    "a request failed"
                );
            }

            Kind::Unavailable => {
                tracing::warn!(
                    request.id = request_id,
                    method,
                    route,
                    code,
                    cause,
                    left_out,
                    "a request failed"
                );
            }

            _ => {
                tracing::info!(
                    request.id = request_id,
                    method,
                    route,
                    code,
                    cause,
                    left_out,
                    "a request was refused"
                );
            }
        }
    }

    /// There is no such thing, or it is another tenant's: the answer is the same.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("no {what} with this id"))
    }

    /// Fields are wrong.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail: Cow<'static, str> = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.detail).into(),
            _ => "see errors".into(),
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// One field is wrong.
    pub(crate) fn field(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), code, detail: detail.into() }])
    }

    /// Something is away or full; come again.
    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>, after_seconds: u64) -> Self {
        Self::new(Kind::Unavailable, detail).retry_after(after_seconds)
    }

    /// One of `what` cannot be made or renamed: its name is another's, or there are as many as fit.
    pub(crate) fn name_taken(what: &str, most: i64) -> Self {
        let detail = format!(
            "{what} has this name, or there are {most} of them: choose another name, or change one \
             that is there"
        );
        Self::new(Kind::Conflict, detail)
    }

    /// The company has as many of something as its plan has: `what` as `GET /v1/tenant` names it.
    pub(crate) fn over_plan(what: &str, most: i32) -> Self {
        let detail = format!("the plan has {most} {what}: whoever runs the platform raises it");
        Self::new(Kind::Conflict, detail)
    }

    /// What is the caller's own leaves no room; come again.
    pub(crate) fn too_many(detail: impl Into<Cow<'static, str>>, after_seconds: u64) -> Self {
        Self::new(Kind::TooMany, detail).retry_after(after_seconds)
    }

    /// Says when to come again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Says under which key a repeat is the same message. For a 503: whatever was handed to the
    /// broker may be stored, or may be later.
    #[must_use]
    pub(crate) fn repeat_under(mut self, key: &str) -> Self {
        if self.kind == Kind::Unavailable {
            self.idempotency_key = Some(key.into());
        }
        self
    }

    /// The body as the document shows it.
    pub(crate) fn shown(&self) -> Value {
        wire::json::to_value(&self.body("01a22cd1-1ada-74fa-bfbe-e92ecf57f53a"))
    }

    fn body<'a>(&'a self, request_id: &'a str) -> ProblemDocument<'a> {
        ProblemDocument {
            r#type: self.kind.urn(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            request_id,
            idempotency_key: self.idempotency_key.as_deref(),
        }
    }

    /// The response, body included.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let json = wire::json::to_vec(&self.body(request_id));

        let mut response = (self.kind.status(), json).into_response();
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, content_type);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// An error, as RFC 9457 writes it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    #[schema(schema_with = kind::schema)]
    r#type: String,
    /// The kind in English.
    title: &'a str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong here, and what to do.
    detail: &'a str,
    /// The fields at fault, all of them; empty where it is not about fields.
    errors: &'a [FieldError],
    /// The request's id, as in `X-Request-Id`.
    #[schema(max_length = 64)]
    request_id: &'a str,
    /// Of a 503 to messages: the key under which a repeat is the same message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 255)]
    idempotency_key: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Unavailable { what, .. } => {
                let detail = match what {
                    Dependency::Database => "the database does not answer",
                    Dependency::Broker => "the broker does not answer",
                    Dependency::Ai => "the AI provider does not answer",
                };
                Self::unavailable(detail, 1).because(&fault)
            }
            // What the database says of it may hold what was sent.
            Fault::Refused { .. } => {
                let detail = "the request holds something that cannot be stored";
                Self::new(Kind::Invalid, detail).because(fault.label())
            }
            Fault::Newer { .. } => {
                let detail = "a newer version stored this; the platform is being updated";
                Self::unavailable(detail, 5).because(&fault)
            }
            Fault::Panicked(_) => Self::panicked(),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match &error {
            PublishError::Full(_) => Self::unavailable("the pipe is full", 2).because(&error),
            PublishError::Unavailable { .. } => {
                let detail = "the broker does not answer; repeat it under its key";
                Self::unavailable(detail, 1).because(&error)
            }
            PublishError::TooLarge { .. } => {
                Self::new(Kind::TooLarge, "the message is too long for the broker")
            }
            PublishError::Stopped => Self::unavailable("the process is stopping", 1),
        }
    }
}

/// Gathers what is wrong with a body, so that the caller reads all of it at once.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    /// Adds an error of a field.
    pub(crate) fn add(&mut self, field: &str, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), code, detail: detail.into() });
    }

    /// Adds an error of a field unless the field is fine.
    pub(crate) fn check(&mut self, fine: bool, field: &str, code: &'static str, detail: &str) {
        if !fine {
            self.add(field, code, detail);
        }
    }

    /// Checks a text for its length in characters and for what Postgres cannot store. One of which
    /// nobody sees anything is as short as an empty one.
    pub(crate) fn text(&mut self, field: &str, text: &str, least: usize, most: usize) {
        self.check(is_storable(text), field, "invalid_character", UNSTORABLE_TEXT);
        // A character is at most four bytes, so most texts need no counting.
        let too_long = text.len() > most && text.chars().count() > most;
        if too_long {
            self.add(field, "too_long", format!("at most {most} characters"));
        } else if text.trim().len() < least || (least > 0 && is_blank(text)) {
            self.add(field, "too_short", format!("at least {least} characters"));
        }
    }

    /// Fine, or everything that is wrong.
    pub(crate) fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// What is wrong so far.
    pub(crate) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
