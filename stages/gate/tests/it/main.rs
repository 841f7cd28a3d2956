//! The gate stage on a real database.

mod cancels;
mod decisions;
mod twice;
mod world;
