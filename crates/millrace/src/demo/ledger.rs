//! Sums over a campaign's ledger, as the api tells it.

use std::collections::HashMap;

use serde_json::Value;

/// Messages that have not come to their end.
pub fn open(ledger: &Value) -> u64 {
    sum(ledger, "open")
}

/// Messages that have come to their end.
pub fn settled(ledger: &Value) -> u64 {
    sum(ledger, "final")
}

/// Open messages that wait for a time or for a switch: nothing moves them but the clock.
pub fn parked(ledger: &Value) -> u64 {
    let count = |state: &str| ledger["open"][state].as_u64().unwrap_or_default();
    count("deferred") + count("held")
}

/// All states of a part of the ledger.
fn sum(ledger: &Value, part: &str) -> u64 {
    let counts: HashMap<String, u64> =
        serde_json::from_value(ledger[part].clone()).unwrap_or_default();
    counts.values().sum()
}
