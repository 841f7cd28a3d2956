//! The schedule source on a real database.

mod fairness;
mod level;
mod many;
mod release;
mod retention;
mod wakes;
mod world;
