//! Every kind of problem: its status, its type, its title. Types do not change: programs
//! go by them.

use axum::http::StatusCode;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// What went wrong, in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The body is not JSON, CSV, or what it says it is.
    Malformed,
    /// No credentials, or none that hold.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// A webhook that its carrier has not signed.
    BadSignature,
    /// There is no such thing, for this caller.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    /// The thing is in a state that does not allow it.
    Conflict,
    /// The body is too long.
    TooLarge,
    /// The content type is not one that is read here.
    UnsupportedMedia,
    /// Fields are wrong.
    Invalid,
    /// The tenant's quota is used up.
    TooMany,
    /// A defect of ours.
    Internal,
    /// Something that is needed is away or full.
    Unavailable,
}

impl Kind {
    /// All of them, as the document lists them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::BadSignature,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::Invalid,
        Self::TooMany,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status that is answered.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::BadSignature => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The type of the problem.
    pub(super) fn urn(self) -> String {
        format!("urn:millrace:problem:{}", self.name())
    }

    /// The name in the problem's type, `urn:millrace:problem:<name>`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::BadSignature => "bad_signature",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::UnsupportedMedia => "unsupported_media_type",
            Self::Invalid => "invalid",
            Self::TooMany => "too_many_requests",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The title of the problem.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read",
            Self::Unauthenticated => "Credentials are needed",
            Self::Forbidden => "The role does not allow this",
            Self::BadSignature => "The signature does not match",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "Another method is needed",
            Self::Timeout => "The request was too slow",
            Self::Conflict => "The state does not allow this",
            Self::TooLarge => "The body is too long",
            Self::UnsupportedMedia => "Another content type is needed",
            Self::Invalid => "Fields are wrong",
            Self::TooMany => "The quota is used up",
            Self::Internal => "This is a defect of ours",
            Self::Unavailable => "Try again in a moment",
        }
    }
}

/// The types of problems as the document has them.
pub(super) fn schema() -> Object {
    let meanings = Kind::ALL.map(|kind| {
        let (status, title) = (kind.status().as_u16(), kind.title());
        format!("- `{}` ({status}): {title}", kind.urn())
    });
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!(
            "What went wrong in general, for programs; types do not change.\n\n{}",
            meanings.join("\n")
        )))
        .enum_values(Some(Kind::ALL.map(Kind::urn)))
        .build()
}
