//! The ingress over TCP, on a real broker and a real database.

#![allow(clippy::unwrap_used, reason = "tests")]

mod campaigns;
mod harness;
mod imports;
mod messages;
mod people;
mod problems;
mod settings;
mod walls;
mod webhooks;
