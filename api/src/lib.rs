//! The ingress: authenticates, validates, publishes, answers. A message is answered when the broker
//! has it on disk (law 1); what people set up is written to Postgres in the answer's own
//! transaction. Webhooks of carriers need no database at all.
//!
//! Contract: REST under `/v1`, `/webhooks/{carrier}/{account}`; `/media/{token}`; `/openapi.json`,
//! `/asyncapi.json`, `/docs`; the console under `/console/`.
//! Publishes: `msg.submitted.<lane>`, `carrier.<carrier>.<account>.<kind>`,
//! `events.<tenant>.campaign.*`, `events.<tenant>.message.cancelled`,
//! `events.<tenant>.contact.*`, and what the outbox holds of others.
//! Follows: `events.*.campaign.*`, `events.*.budget.*` and `analytics.*`, for `GET /v1/live`.
//! Reads and writes: the tables of its resources, as the role `millrace_api`, one tenant at a time;
//! only keys that are taken are asked for by tenants together (docs/adr/0009).
//! Never: calls a carrier, sends a message, makes a message row, or changes one but to cancel it.

pub mod app;
mod audit;
mod auth;
mod carrier_clients;
mod codes;
mod connections;
mod console;
mod contacts;
mod delimited;
pub mod directory;
mod document;
pub mod documents;
mod dry_run;
mod fields;
mod http;
mod ids;
mod import;
mod last_known;
mod letters;
mod limits;
mod live;
mod outbox;
mod quotas;
mod routes;
mod serve;
mod shares;
mod submit;
mod tls;
mod transactions;
mod webhooks;
mod withdraw;

pub use app::{ApiSettings, App, KeptMedia, Parts, SignInWays};
pub use auth::passwords::hashed as hash_password;
pub use directory::AccountsDirectory;
pub use serve::serve;
pub use tls::Tls;
