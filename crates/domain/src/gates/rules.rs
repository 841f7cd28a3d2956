//! The rule of each gate: one file a gate, one function `check`. The first lines of each file say
//! the rule, whom it is for, and what the answer is.

pub(super) mod budget;
pub(super) mod dnc;
pub(super) mod eligible;
pub(super) mod kill_switch;
pub(super) mod quiet_hours;
pub(super) mod rate;
pub(super) mod suppression;
pub(super) mod warmup;
