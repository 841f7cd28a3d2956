//! The message rows: each module is one of those who write them, but for [`census`] and [`read`].

pub mod cancel;
pub mod census;
pub mod claim;
pub mod conclude;
pub mod conflicts;
pub mod dead_letter;
pub mod enrich;
pub mod gate;
pub mod in_doubt;
pub mod list;
pub mod read;
pub mod receipt;
pub mod row;
pub mod sent;
pub mod withdraw;
