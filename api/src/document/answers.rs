//! The answers that many operations share, each with what leads to it: described once, and named
//! where an operation can give it.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        Components, ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
        schema::{ObjectBuilder, Type},
    },
};

use crate::http::{Kind, Problem};

/// A shared answer: its name, its kind, what leads to it, and what an example of it says.
type Shared = (&'static str, Kind, &'static str, &'static str);

const UNAUTHENTICATED: Shared = (
    "Unauthenticated",
    Kind::Unauthenticated,
    "No credentials, or none that hold.",
    "send Authorization: Bearer with a token or an API key",
);
const FORBIDDEN: Shared = (
    "Forbidden",
    Kind::Forbidden,
    "The caller does not have the permission.",
    "the role viewer may not send messages",
);
const INVALID: Shared = (
    "Invalid",
    Kind::Invalid,
    "Fields or parameters are wrong: `errors` names each.",
    "expected a whole number from 1 to 1000, not `0`",
);
const INTERNAL: Shared = (
    "Internal",
    Kind::Internal,
    "A defect of the platform, which is reported by its request id.",
    "it has been reported",
);
const UNAVAILABLE: Shared = (
    "Unavailable",
    Kind::Unavailable,
    "The database or the broker is away, or the pipe is full.",
    "the database does not answer",
);

const ALWAYS: [Shared; 6] = [
    UNAUTHENTICATED,
    FORBIDDEN,
    INVALID,
    (
        "TooManyRequests",
        Kind::TooMany,
        "The quota of the key or of its tenant is used up, or others of theirs are under way.",
        "the tenant submits faster than its quota",
    ),
    INTERNAL,
    UNAVAILABLE,
];

const OF_STRANGERS: [Shared; 7] = [
    UNAUTHENTICATED,
    FORBIDDEN,
    CONFLICT[0],
    INVALID,
    (
        "TooManyTries",
        Kind::TooMany,
        "Too many tries to sign in, with this address or from this place.",
        "too many tries to sign in",
    ),
    INTERNAL,
    UNAVAILABLE,
];

const OF_BODY: [Shared; 4] = [
    ("Malformed", Kind::Malformed, "The body cannot be read.", "not JSON: line 1 column 9"),
    (
        "Timeout",
        Kind::Timeout,
        "The body arrived too slowly.",
        "send the body with at least 16384 bytes per second",
    ),
    (
        "TooLarge",
        Kind::TooLarge,
        "The body is longer than 256 KiB, unless the operation says otherwise.",
        "at most 262144 bytes",
    ),
    (
        "UnsupportedMediaType",
        Kind::UnsupportedMedia,
        "The body has another content type.",
        "send Content-Type: application/json",
    ),
];

const MISSING: [Shared; 1] = [(
    "NotFound",
    Kind::NotFound,
    "There is no such thing in this tenant.",
    "no message with this id",
)];

const CONFLICT: [Shared; 1] = [(
    "Conflict",
    Kind::Conflict,
    "The state does not allow it: `detail` says what would.",
    "there is a sender with this number",
)];

/// What any operation of `/v1` can answer.
pub(crate) struct Always;

/// What an operation can answer to somebody who has not signed in.
pub(crate) struct OfStrangers;

/// What an operation with a body can answer beside that.
pub(crate) struct OfBody;

/// What an operation on one thing can answer beside that.
pub(crate) struct Missing;

/// What an operation can answer that only some states allow.
pub(crate) struct Conflict;

macro_rules! named {
    ($($name:ident $answers:ident)*) => {$(
        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let named = $answers.map(|(name, kind, ..)| {
                    (kind.status().as_str().to_owned(), Ref::from_response_name(name).into())
                });
                named.into()
            }
        }
    )*};
}

named! {
    Always ALWAYS OfStrangers OF_STRANGERS OfBody OF_BODY Missing MISSING Conflict CONFLICT
}

/// Adds the shared answers to a document.
pub(super) fn add(components: &mut Components) {
    let all = OF_STRANGERS.into_iter().chain(ALWAYS).chain(OF_BODY).chain(MISSING).chain(CONFLICT);
    for shared in all {
        components.responses.insert(shared.0.to_owned(), problem(shared).into());
    }
}

/// An answer that is a problem.
fn problem((_, kind, when, says): Shared) -> Response {
    let shown = match kind {
        Kind::Invalid => Problem::field("limit", "out_of_range", says),
        _ => Problem::new(kind, says),
    };
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(shown.shown())).build();
    let answer =
        ResponseBuilder::new().description(when).content("application/problem+json", content);
    let answer = match kind {
        Kind::Unauthenticated => {
            answer.header("WWW-Authenticate", header(Type::String, "Always `Bearer`."))
        }
        Kind::TooMany | Kind::Unavailable => {
            let about = "Seconds after which a repeat is worth it.";
            answer.header("Retry-After", header(Type::Integer, about))
        }
        _ => answer,
    };
    answer.build()
}

fn header(of: Type, about: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(of).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}
