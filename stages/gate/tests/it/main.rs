//! The gate stage on a real database.

mod cancels;
mod decisions;
mod lines;
mod twice;
mod world;
