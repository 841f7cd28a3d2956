//! The runtime on a real broker: one test binary, one private nats-server per test.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests speak to the broker directly"
)]

mod broker_rules;
mod common;
mod declare;
mod drain;
mod faults;
mod flow;
mod letters;
mod publishing;
mod room;
mod settle;
mod sources;
mod subjects_md;
#[path = "../../../wire/tests/it/tables.rs"]
mod tables;
