//! The ingress: authenticates, validates, publishes, answers. A message is answered when the broker
//! has it on disk (law 1); what people set up is written to Postgres in the answer's own
//! transaction. Webhooks of carriers need no database at all.
//!
//! Contract: REST under `/v1`, `/webhooks/twilio/{account}/status|inbound`.
//! Publishes: `msg.submitted.<lane>`, `carrier.<carrier>.<account>.<kind>`,
//! `events.<tenant>.campaign.*`.
//! Reads and writes: the tables of its resources, as the role `millrace_api`, one tenant at a time.
//! Never: calls a carrier, sends a message, writes a message row.

pub mod app;
pub mod auth;
pub mod directory;
mod http;
mod ids;
mod import;
mod people;
mod routes;
mod serve;
mod submit;
mod webhooks;

pub use app::{App, Parts, Settings};
pub use directory::AccountsDirectory;
pub use serve::serve;
