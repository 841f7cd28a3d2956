//! Reconcile on a real database.

mod receipts;
mod world;
