//! The schedule source on a real database.

mod fairness;
mod many;
mod release;
mod wakes;
mod world;
