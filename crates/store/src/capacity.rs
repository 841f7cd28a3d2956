//! What is limited: counters of the gates, lines of those who wait for them, and pace.

pub mod counters;
pub mod lines;
pub mod pace;
pub mod release;
