//! The documents of what outsiders call and read: OpenAPI 3.1 of the REST API, made from the
//! routes, where each handler carries its own part beside its code; AsyncAPI 3.0 of the subjects,
//! made from `wire`; and a Postman collection, made from the first.

pub(crate) mod answers;
mod browsers;
mod channels;
pub(crate) mod examples;
mod formats;
mod headers;
mod health;
pub(crate) mod operation;
mod pages;
mod postman;
mod recorded;
mod serve;
pub(crate) mod words;

use serde_json::Value;
use store::settings::api_keys::KeyRole;
use utoipa::{
    PartialSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, OpenApi, Server,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

pub(crate) use serve::{Documents, page, router};

use crate::{
    auth::roles::{self, Permission},
    http::{FieldError, problem::ProblemDocument},
};

/// The groups of operations, in the order of a first day with the platform.
const TAGS: [(&str, &str); 12] = [
    ("messages", "One text to one person, or up to 1,000 at once; what became of it, and why."),
    ("contacts", "The people that a tenant texts: one by one, in bulk, or from files."),
    ("consent", "Who may be texted: consents, opt-outs, the do-not-contact list."),
    ("conversations", "The inbox: what people write, who answers, and what is noted beside it."),
    ("campaigns", "One template to many people: drafted, simulated, run, counted."),
    ("templates", "What is said: bodies by language and variant, with variables."),
    (
        "settings",
        "What texts leave by and what limits them: accounts, senders, pools, budgets, policies, \
         switches, API keys.",
    ),
    (
        "people",
        "Who signs in: invitations, sessions, the companies that somebody works for, and who works \
         for one.",
    ),
    ("operations", "What goes on: totals, the audit trail, messages in doubt."),
    ("webhooks", "What carriers call: receipts and inbound texts."),
    ("health", "What every process answers on its health address."),
    ("documents", "This document and its sister; `/docs` shows this one and tries it out."),
];

const ABOUT: &str = "SMS for many tenants: campaigns, conversations, compliance.\n\n\
    Every answer has an `X-Request-Id`: the request's own where it has one of 1 to 64 letters, \
    digits, `-`, `_` and `.`, else a new one. `RateLimit-Limit`, `-Remaining` and `-Reset` say how \
    many requests are left to the caller's key or person, and to those that submit messages how \
    many messages to their tenant. An error is `application/problem+json` (RFC 9457) \
    that names each field at fault. Unknown fields and parameters are refused by name. Times are \
    RFC 3339 in UTC, amounts are decimal texts with their currency, ids are UUIDs. A POST that \
    creates takes an `Idempotency-Key`: the same key and body get the same answer, for messages \
    while they are kept (400 days unless set otherwise), elsewhere, byte for byte and under the \
    same path, for 24 hours; another body under it is 422. Lists come in pages: `limit`, and \
    `next_cursor` as the `cursor` of the next page.\n\n\
    What happens is also said on NATS: see [asyncapi.json](/asyncapi.json).";

/// OpenAPI of what handlers say, as it is committed and served: JSON with two spaces, a line break
/// at its end.
pub(crate) fn openapi_json(described: OpenApi) -> String {
    pretty(&openapi_value(described))
}

/// AsyncAPI as it is committed and served.
pub(crate) fn asyncapi_json() -> String {
    let mut document = channels::asyncapi();
    formats::name_formats(&mut document);
    pretty(&document)
}

/// The collection of Postman as it is committed.
pub(crate) fn postman_json(described: OpenApi) -> String {
    pretty(&postman::collection(&openapi_value(described)))
}

fn openapi_value(described: OpenApi) -> Value {
    let mut document = wire::json::to_value(&openapi(described));
    pages::name_pages(&mut document);
    browsers::add_cookies(&mut document);
    recorded::show_answers(&mut document);
    headers::name_headers(&mut document);
    formats::name_formats(&mut document);
    document
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The document of the REST API: what the handlers say, and what all of them share.
fn openapi(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Millrace")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    document.servers = Some(vec![Server::new("/")]);
    let tag = |(name, about)| TagBuilder::new().name(name).description(Some(about)).build();
    document.tags = Some(TAGS.map(tag).to_vec());
    operation::describe_all(&mut document);
    health::add(&mut document);

    let components = document.components.get_or_insert_with(Components::new);
    answers::add(components);
    components.schemas.insert("Problem".into(), ProblemDocument::schema());
    components.schemas.insert("FieldError".into(), FieldError::schema());
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(credentials())).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document
}

/// What credentials there are, and which role has which permission.
fn credentials() -> String {
    let role = |role: KeyRole| {
        let allowed = Permission::ALL.into_iter().filter(|one| roles::allows(role, *one));
        let names: Vec<_> = allowed.map(Permission::as_str).collect();
        format!("- {role}: {}", names.join(", "))
    };
    let roles = KeyRole::ALL.map(role).join("\n");
    format!(
        "An API key (`mr_live_...`; `mr_test_...` works in the twin of its tenant, which sends \
         nothing real), the access token of somebody who has signed in (`POST /v1/auth/login`), or \
         a JSON Web Token that was made elsewhere, signed with HS256, with the claims `tenant` \
         (the tenant's key), `sub` (who it is, for the audit trail), `role` (one of those below) \
         and `exp` (it holds until 5 seconds after), and without `mr_session`. A browser that has \
         asked for cookies sends its access token in one, and with what changes something \
         `X-CSRF-Token`. Each operation names the permission that it needs as its scope; a role \
         has these, and a key of them those that its `scopes` name:\n\n{roles}"
    )
}
