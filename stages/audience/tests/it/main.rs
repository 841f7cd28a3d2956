//! The audience source on a real database.

mod completing;
mod feeding;
mod freezing;
mod world;
