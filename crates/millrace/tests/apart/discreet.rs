//! What a run logs and measures, even when everything is logged: no number and no text of the
//! people in it, none of its secrets, and nothing that the broker has refused to a process.

use std::fs;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::support::Apart;

/// Every number, as its last ten digits, and every text that is longer than a word, which might
/// stand in a log for another reason.
const PRIVATE: &str = "
    select right(number, 10) from millrace.contacts where number is not null
    union select right(number, 10) from millrace.messages where number is not null
    union select right(number, 10) from millrace.senders where number is not null
    union select email from millrace.persons where email is not null
    union select body from millrace.messages where length(body) > 12
    union select body from millrace.inbound_texts where length(body) > 12";

/// The secret that the sandbox's accounts are called with, and how what is given out once begins:
/// keys, codes, tokens.
const SECRETS: [&str; 7] =
    ["sandbox-token", "mr_live_", "mr_test_", "mr_invite_", "mr_link_", "mr_refresh_", "Bearer "];

/// How the broker says that a login may not do what its process tried.
const REFUSAL: &str = "Permissions Violation";

/// What names a request that is refused.
const REQUEST_ID: &str = "asked-in-vain";

/// Fails with the first line that says what it should not, and unless a refused request is found by
/// its id. To be called while the platform runs.
pub async fn is_discreet(platform: &Apart) -> anyhow::Result<()> {
    let mut private = platform.words(PRIVATE).await?;
    ensure!(private.len() > 1_000, "a run with people in it: {}", private.len());
    private.extend(platform.secrets()?);
    private.extend(SECRETS.map(str::to_owned));

    platform.asks_in_vain(REQUEST_ID).await?;
    let mut said = Vec::new();
    for file in fs::read_dir(platform.logs())? {
        let text = fs::read_to_string(file?.path())?;
        said.extend(text.lines().map(str::to_owned));
    }
    ensure!(said.iter().any(|line| line.contains(REQUEST_ID)), "a refusal is found by its id");
    let health: Vec<String> = said.iter().filter_map(|line| health_of(line)).collect();
    ensure!(health.len() == platform.processes(), "every process says where it answers");

    for address in health {
        let url = format!("http://{address}/metrics");
        let metrics = carriers::http::client()?.get(url).send().await?.error_for_status()?;
        said.extend(metrics.text().await?.lines().map(str::to_owned));
    }
    said.extend(platform.tool(&["dead", "list"]).await?.lines().map(str::to_owned));

    for line in &said {
        let leak = private.iter().find(|word| line.contains(word.as_str()));
        ensure!(leak.is_none(), "{leak:?} is in: {line}");
        ensure!(!line.contains(REFUSAL), "{line}");
    }
    Ok(())
}

/// Where a process answers for its health, if this line says that it is up.
fn health_of(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let is_up = line["message"] == "running";
    is_up.then(|| line["health"].as_str().context("health").ok().map(str::to_owned)).flatten()
}
