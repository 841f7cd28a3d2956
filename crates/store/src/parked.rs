//! Messages that are put aside: parked in a row, woken before their time, released when due.

pub mod aside;
pub mod line;
pub mod park;
pub mod release;
pub mod wake;
