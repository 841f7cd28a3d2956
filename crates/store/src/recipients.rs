//! Recipient statuses: what a tenant knows of a number on a channel, and may do with it. One row
//! holds opt-out, do-not-contact, consent and the latest marketing, so that one lock guards all.

pub mod consent;
pub(crate) mod facts;
pub mod opt_out;
pub mod status;
