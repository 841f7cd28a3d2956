//! The schedule source on a real database.

mod fairness;
mod release;
mod world;
