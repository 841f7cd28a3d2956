//! Capacities that the gates know: what is counted, the lines of those who wait for it, the meters
//! of the senders, and the warnings about it.

pub mod alerts;
pub mod counters;
pub mod kind;
pub mod line;
pub mod meter;
pub mod sender_day;
pub mod windows;
