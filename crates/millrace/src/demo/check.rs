//! Whether what we say and what the carrier says are the same.

use std::collections::HashMap;

use anyhow::Context;
use serde_json::Value;

use super::{
    client::HttpCaller,
    ledger::{open, settled},
};

/// What the comparison found.
pub struct LedgerCheck {
    /// Texts of this campaign in the carrier's ledger.
    pub at_carrier: u64,
    /// References that the carrier accepted more than once.
    pub duplicates: u64,
    /// Messages whose fate we and the carrier tell differently.
    pub different: u64,
    /// Whether everything agrees.
    pub balanced: bool,
}

/// Compares the campaign's recipients, one by one, with the carrier's ledger, and their number with
/// the campaign's own.
///
/// # Errors
/// The api or the sandbox does not answer.
pub async fn against_carrier(
    api: &HttpCaller,
    sandbox: &HttpCaller,
    campaign: &str,
    ledger: &Value,
) -> anyhow::Result<LedgerCheck> {
    let recipients = recipients(api, campaign).await?;
    let lines = sandbox.get_text("/sandbox/ledger").await?;

    let mut carrier: HashMap<String, (u64, String)> = HashMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let Some(reference) = line["reference"].as_str() else { continue };
        let entry = carrier.entry(reference.to_owned()).or_default();
        *entry = (entry.0 + 1, line["status"].as_str().unwrap_or_default().to_owned());
    }

    let mut found = LedgerCheck {
        at_carrier: 0,
        duplicates: carrier.values().filter(|(times, _)| *times > 1).count() as u64,
        different: 0,
        balanced: false,
    };

    for recipient in &recipients {
        let message = recipient["message_id"].as_str().context("message_id")?;
        let state = recipient["state"].as_str().context("state")?;
        let there = carrier.get(message);
        found.at_carrier += u64::from(there.is_some());
        found.different += u64::from(!agree(state, there.map(|(_, status)| status.as_str())));
    }

    let total = open(ledger) + settled(ledger);
    found.balanced = ledger["balanced"] == true
        && ledger["state"] == "completed"
        && ledger["audience"].as_u64() == Some(total)
        && open(ledger) == 0
        && recipients.len() as u64 == total
        && found.duplicates == 0
        && found.different == 0;
    Ok(found)
}

/// Every recipient, page by page.
///
/// # Errors
/// The api does not answer.
pub async fn recipients(api: &HttpCaller, campaign: &str) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/campaigns/{campaign}/recipients?limit=1000{cursor}");
        let page = api.get(&path).await?;
        all.extend(page["data"].as_array().context("data")?.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

/// Whether our state of a message agrees with the carrier's status of its text; none: the carrier
/// has no such text, as after a refusal. A failure after acceptance leaves one.
pub fn agree(state: &str, carrier: Option<&str>) -> bool {
    match carrier {
        None => matches!(state, "blocked" | "cancelled" | "expired" | "failed"),
        Some("delivered") => matches!(state, "delivered" | "read"),
        Some("undelivered" | "failed") => state == "failed",
        Some(_) => state == "sent",
    }
}
