//! What every process begins with, tried with real servers.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clock;
mod death;
mod embedded;
mod nats_access;
mod settings;
