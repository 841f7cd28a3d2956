//! The gate stage on a real database.

mod decisions;
mod twice;
mod world;
