//! Totals and ledger while a campaign runs: what is read later never says less.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::support::Apart;

/// How long the campaign may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(180);

/// What of a campaign only grows: its messages, those of them that have ended, and segments.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Grown {
    messages: i64,
    ended: i64,
    segments: i64,
}

/// The states that end a message.
const FINAL: [&str; 7] =
    ["blocked", "cancelled", "expired", "unknown", "failed", "delivered", "read"];

impl Grown {
    fn of_ledger(ledger: &Value) -> Self {
        let sum = |side: &str| {
            let states = ledger[side].as_object().into_iter().flatten();
            let states = states.filter(|(name, _)| *name != "waiting");
            states.filter_map(|(_, count)| count.as_i64()).sum::<i64>()
        };
        let ended = FINAL.map(|state| ledger["final"][state].as_i64().unwrap_or_default());
        Self {
            messages: sum("open") + sum("final"),
            ended: ended.into_iter().sum(),
            segments: ledger["segments"].as_i64().unwrap_or_default(),
        }
    }

    fn of_totals(shown: &Value) -> Self {
        let total = |name: &str| shown["totals"][name].as_i64().unwrap_or_default();
        let open = ["accepted", "deferred", "held", "queued", "in_doubt", "sent"];
        let ended = FINAL.map(total).into_iter().sum();
        let messages = open.map(total).into_iter().sum::<i64>() + ended;
        Self { messages, ended, segments: total("segments") }
    }

    fn is_at_most(self, later: Self) -> bool {
        self.messages <= later.messages
            && self.ended <= later.ended
            && self.segments <= later.segments
    }
}

impl Apart {
    /// Looks at the one campaign's ledger, totals and ledger again, over and over until it has
    /// completed; says how often. What one answer counts, every later one counts as well, and
    /// nothing is ever counted below zero.
    pub async fn watch_totals(&self) -> anyhow::Result<usize> {
        let watched = async {
            let campaign = self.running_campaign().await?;
            let ledger_path = format!("/v1/campaigns/{campaign}/ledger");
            let totals_path = format!("/v1/analytics/campaigns/{campaign}");
            let mut before = Grown::default();
            for looks in 1.. {
                let first = self.get(&ledger_path).await?;
                let totals = self.get(&totals_path).await?;
                let last = self.get(&ledger_path).await?;

                let counts = totals["totals"].as_object().into_iter().flatten();
                let negative = counts.into_iter().find(|(_, count)| count.as_i64() < Some(0));
                ensure!(negative.is_none(), "{totals}");
                for (shown, grown) in [
                    (&first, Grown::of_ledger(&first)),
                    (&totals, Grown::of_totals(&totals)),
                    (&last, Grown::of_ledger(&last)),
                ] {
                    ensure!(before.is_at_most(grown), "{before:?} was known before {shown}");
                    before = grown;
                }
                if last["state"] == "completed" {
                    return Ok(looks);
                }
            }
            Ok(0)
        };
        tokio::time::timeout(PATIENCE, watched).await.context("the campaign did not end")?
    }

    /// The one campaign, once there is one.
    async fn running_campaign(&self) -> anyhow::Result<String> {
        loop {
            let campaigns = self.get("/v1/campaigns").await?;
            if let Some(id) = campaigns["data"][0]["id"].as_str() {
                return Ok(id.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
