//! The ingress over TCP, on a real broker and a real database.

#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod brands;
mod campaigns;
mod cancels;
mod changes;
mod consent;
mod console;
mod do_not_contact;
mod document;
mod edge;
mod erasure;
mod explain;
mod harness;
mod imports;
mod in_doubt;
mod keys;
mod listing;
mod live;
mod messages;
mod neighbours;
mod once;
mod outages;
mod parameters;
mod people;
mod problems;
mod settings;
mod sign_in;
mod simulate;
mod storable;
mod unmatched_receipts;
mod walls;
mod webhooks;
