//! The gate stage on a real database.

mod cancels;
mod changes;
mod decisions;
mod health;
mod lines;
mod newer;
mod pace;
mod twice;
mod world;
