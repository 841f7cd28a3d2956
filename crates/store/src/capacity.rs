//! What is limited: counters of the gates, lines of those who wait for them, pace, and meters.

pub mod counters;
pub mod late;
pub mod lines;
pub mod meters;
pub mod pace;
pub mod pairs;
pub mod release;
