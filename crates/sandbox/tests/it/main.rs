//! The sandbox as its callers see it: every behaviour over real HTTP on a free port.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod anthropic;
mod bandwidth;
mod control;
mod faults;
mod inbound;
mod lists;
mod messages;
mod numbers;
mod personas;
mod phone;
mod receipts;
mod support;
mod whatsapp;
