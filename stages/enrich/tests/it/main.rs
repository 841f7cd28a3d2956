//! The enrich stage on a real database.

mod drafts;
mod twice;
mod world;
