//! The ingress over TCP, on a real broker and a real database.

#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod campaigns;
mod cancels;
mod consent;
mod do_not_contact;
mod explain;
mod harness;
mod imports;
mod in_doubt;
mod messages;
mod neighbours;
mod once;
mod outages;
mod people;
mod problems;
mod settings;
mod simulate;
mod storable;
mod unmatched_receipts;
mod walls;
mod webhooks;
