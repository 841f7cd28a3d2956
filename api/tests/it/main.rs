//! The ingress over TCP, on a real broker and a real database.

#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod brands;
mod budgets;
mod campaigns;
mod cancels;
mod changes;
mod codes;
mod companies;
mod consent;
mod console;
mod cookies;
mod do_not_contact;
mod document;
mod edge;
mod erasure;
mod event_consumers;
mod explain;
mod harness;
mod imports;
mod in_doubt;
mod joining;
mod keys;
mod limited;
mod listing;
mod live;
mod messages;
mod neighbours;
mod once;
mod outages;
mod parameters;
mod people;
mod problems;
mod refused;
mod reviews;
mod sender_health;
mod settings;
mod sign_in;
mod simulate;
mod storable;
mod twins;
mod unmatched_receipts;
mod walls;
mod webhooks;
