//! The gate stage on a real database.

mod cancels;
mod changes;
mod decisions;
mod lines;
mod newer;
mod twice;
mod world;
