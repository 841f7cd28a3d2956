//! What carriers offer beside taking texts.

use std::time::Duration;

use crate::answer::ThrottleScope;

/// What a carrier offers beside taking texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// It lists what one sender sent to one person, so that a text can be proven absent.
    pub lists: bool,
    /// It tells where one text stands, by its id.
    pub fetches: bool,
    /// It reports delivery, so that a receipt is waited for.
    pub reports: bool,
    /// Numbers are looked for, bought and given back through it.
    pub numbers: bool,
    /// It keeps and reviews message templates, which are created, listed and deleted through it.
    pub templates: bool,
    /// How long its list may miss a text that it took.
    pub list_lag: Duration,
    /// The widest limit that its throttle answers speak of.
    pub throttles: ThrottleScope,
}
