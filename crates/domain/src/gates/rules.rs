//! The rule of each gate: one file a gate, one function `check`.

pub(super) mod budget;
pub(super) mod dnc;
pub(super) mod eligible;
pub(super) mod kill_switch;
pub(super) mod quiet_hours;
pub(super) mod rate;
pub(super) mod suppression;
pub(super) mod warmup;
