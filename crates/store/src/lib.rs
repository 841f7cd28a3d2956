//! Postgres: everything that Millrace keeps, filed by what it is about. Who writes the messages is
//! found under `messages/`, who moves a counter under `capacity/`. All SQL of Millrace is here,
//! checked at compile time against the migrations (`crates/store/.sqlx` holds the offline data).
//!
//! Every function that returns a [`stage::Fault`] does so for an outage, and for data that the
//! database refuses: [`fault`] tells the two apart. Functions that lock many rows sort their keys
//! themselves, and answer in the order of the caller.

pub mod analytics;
pub mod audit;
pub mod campaigns;
pub mod capacity;
pub mod contacts;
pub mod conversations;
pub mod core;
pub mod drafts;
pub mod facts;
pub mod idempotency;
pub mod media;
pub mod messages;
pub mod outbox;
pub mod parked;
pub mod people;
pub mod recipients;
pub mod retention;
pub mod settings;
pub mod statistics;

pub use crate::core::{
    fault::fault,
    scope::{Role, Scoped, Store},
};
