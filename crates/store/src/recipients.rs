//! Recipient statuses: what a tenant knows of an address on a channel, and may do with it. One row
//! (of the table `standings`) holds opt-out, do-not-contact, consent and the latest marketing, so
//! that one lock guards all of it.

pub mod consent;
pub mod list;
pub mod opt_out;
pub mod reviews;
pub mod status;
