//! What tests run on: a real broker and a real database of their own, gone when the test ends.

mod broker;
pub mod contract;
mod database;
mod stage;

pub use broker::TestBroker;
pub use database::Database;
pub use stage::{hand_over, hand_over_at, said};
