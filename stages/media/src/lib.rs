//! Media: what came with texts, and what tenants give to be sent, is fetched, looked at and kept;
//! what is kept long enough goes.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; due rows of `media`, and rows that are kept long enough |
//! | Emits | nothing: `media` says what became of each |
//! | Reads | `media`: tenants take turns, the oldest of each first; `carrier_accounts` |
//! | Writes | `media`; objects under `<tenant>/<media>` in the object store |
//! | Calls | carriers, with their accounts' credentials; public addresses that tenants name |
//! | Never | calls an address that is not public; keeps what a browser would run |

mod decide;
mod fetch;
mod keep;

pub use fetch::{MediaConfig, MediaSource};
pub use keep::MediaKeeper;
