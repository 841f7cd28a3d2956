//! What every process needs before it can work: settings, telemetry, health, shutdown, business
//! time, and the private NATS and Postgres of `millrace up` and of the tests.
//!
//! The environment, the machine's clock and the choice of server binaries are read here and
//! nowhere else.

pub mod clock;
pub mod embedded;
mod files;
pub mod health;
pub mod keys;
pub mod login;
pub mod nats_access;
pub mod ports;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod tools;
