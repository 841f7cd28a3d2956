//! The tables that the demo prints.

use std::{fmt::Write, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::check::LedgerCheck;

/// What an import counted, in one line.
pub fn import(import: &Value) -> String {
    let count = |name: &str| import[name].as_u64().unwrap_or_default();
    format!(
        "imported {} lines: {} created, {} updated, {} unchanged, {} duplicate, {} invalid",
        count("total"),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("duplicate"),
        count("invalid")
    )
}

/// The campaign's ledger beside what the carrier says, a row for each number. `opened_at` is the
/// last instant that deferred messages waited for; `took` is how long the campaign took.
pub fn campaign(
    ledger: &Value,
    found: &LedgerCheck,
    opened_at: Option<Timestamp>,
    took: Duration,
) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: u64| {
        let _ = writeln!(text, "  {name:<32}{value:>8}");
    };
    let number = |part: &str, name: &str| ledger[part][name].as_u64().unwrap_or_default();

    row("audience", ledger["audience"].as_u64().unwrap_or_default());
    for (gate, count) in ledger["blocked_by"].as_object().into_iter().flatten() {
        row(&format!("blocked by {gate}"), count.as_u64().unwrap_or_default());
    }

    if let Some(opened_at) = opened_at {
        let until = opened_at.strftime("deferred until %d %b %H:%M UTC").to_string();
        row(&until, ledger["released"].as_u64().unwrap_or_default());
    }

    row("sent", found.at_carrier);
    row("delivered", number("final", "delivered"));
    row("failed", number("final", "failed"));

    for name in ["replies", "opt_outs", "ai_replies"] {
        row(&name.replace('_', " "), ledger[name].as_u64().unwrap_or_default());
    }

    row("in the carrier's ledger", found.at_carrier);
    row("twice in the carrier's ledger", found.duplicates);
    row("told differently by the carrier", found.different);

    let seconds = took.as_secs_f64();
    let rate = found.at_carrier as f64 / seconds.max(0.001);
    let verdict =
        if found.balanced { "the ledger balances" } else { "THE LEDGER DOES NOT BALANCE" };
    let _ = writeln!(text, "\n  {verdict}; {seconds:.1} s, {rate:.0} messages per second");
    text
}
