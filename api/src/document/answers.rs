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

/// A shared answer: its status, its name, what leads to it.
type Shared = (&'static str, &'static str, &'static str);

const ALWAYS: [Shared; 6] = [
    ("401", "Unauthenticated", "No credentials, or none that hold."),
    ("403", "Forbidden", "The caller does not have the permission."),
    ("422", "Invalid", "Fields or parameters are wrong: `errors` names each."),
    (
        "429",
        "TooManyRequests",
        "The quota of the key or of its tenant is used up, or others of theirs are under way.",
    ),
    ("500", "Internal", "A defect of the platform, which is reported by its request id."),
    ("503", "Unavailable", "The database or the broker is away, or the pipe is full."),
];

const OF_STRANGERS: [Shared; 7] = [
    ("401", "Unauthenticated", ALWAYS[0].2),
    ("403", "Forbidden", ALWAYS[1].2),
    ("409", "Conflict", CONFLICT[0].2),
    ("422", "Invalid", ALWAYS[2].2),
    ("429", "TooManyTries", "Too many tries to sign in, with this address or from this place."),
    ("500", "Internal", ALWAYS[4].2),
    ("503", "Unavailable", ALWAYS[5].2),
];

const OF_BODY: [Shared; 4] = [
    ("400", "Malformed", "The body cannot be read."),
    ("408", "Timeout", "The body arrived too slowly."),
    ("413", "TooLarge", "The body is longer than 256 KiB, unless the operation says otherwise."),
    ("415", "UnsupportedMediaType", "The body has another content type."),
];

const MISSING: [Shared; 1] = [("404", "NotFound", "There is no such thing in this tenant.")];

const CONFLICT: [Shared; 1] =
    [("409", "Conflict", "The state does not allow it: `detail` says what would.")];

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
                let named = $answers.map(|(status, name, _)| {
                    (status.to_owned(), Ref::from_response_name(name).into())
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
    for (status, name, when) in all {
        components.responses.insert(name.to_owned(), problem(status, when).into());
    }
}

/// An answer that is a problem.
fn problem(status: &str, when: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let answer =
        ResponseBuilder::new().description(when).content("application/problem+json", content);
    let answer = match status {
        "401" => answer.header("WWW-Authenticate", header(Type::String, "Always `Bearer`.")),
        "429" | "503" => {
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
