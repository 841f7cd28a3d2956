//! What is kept for how long, and the steps that remove what is due. Each step is one short
//! transaction over a bounded number of rows: it finds them by an index of age or by their key,
//! locks what nobody else holds, and waits for no lock of the hot path. `rules` lists every table.

pub mod aged;
pub mod counters;
pub mod messages;
pub mod recipients;
pub mod rules;
pub mod texts;
mod walks;

use jiff::{SignedDuration, Timestamp};

/// For how long things are kept, where a setting says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Texts, from the end of their message or from their arrival.
    pub texts: SignedDuration,
    /// Messages from their end, and what hangs on them; keys, marks and taken sids.
    pub messages: SignedDuration,
    /// Rows of imports.
    pub import_rows: SignedDuration,
}

impl Default for Keep {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self { texts: days(90), messages: days(400), import_rows: days(30) }
    }
}

/// The instant of the step, and how much it may do.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Business time, which decides.
    pub now: Timestamp,
    /// Machine time, by which keys, marks and imports are stamped.
    pub machine: Timestamp,
    /// For how long things are kept.
    pub keep: Keep,
    /// How many rows it looks at, at most.
    pub rows: i64,
}

/// What a step has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Rows that were removed, or whose texts were.
    pub rows: u64,
    /// Whether more may be due.
    pub more: bool,
}
