//! What tests run on: a real broker and a real database of their own, gone when the test ends; rows
//! and messages to begin with; a carrier that is simulated.

mod broker;
pub mod contract;
mod database;
mod stage;
pub mod world;

pub use broker::TestBroker;
pub use database::{Database, with_schema};
pub use stage::{hand_over, hand_over_at, ids, in_words, outgoing, publish, said};
