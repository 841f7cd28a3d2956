//! The enrich stage on a real database.

mod accounts;
mod cancels;
mod conflicts;
mod counts_limit;
mod drafts;
mod reopened;
mod twice;
mod variants;
mod world;
