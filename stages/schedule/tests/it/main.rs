//! The schedule source on a real database.
#![expect(clippy::print_stdout, reason = "`make level` prints sizes")]

mod fairness;
mod level;
mod many;
mod notices;
mod release;
mod retention;
mod timed;
mod wakes;
mod world;
