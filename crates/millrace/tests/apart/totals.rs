//! Totals and ledger while a campaign runs: what is read later never says less, nor of an earlier
//! time, and what did not move between two readings is the same in both.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, ensure};
use domain::gates::Gate;
use jiff::Timestamp;
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

/// How many messages are in each state, what each gate has blocked, and sums of what the carrier
/// took. What is nought is left out.
#[derive(Debug, PartialEq)]
struct Counted(BTreeMap<String, i64>);

impl Counted {
    fn of_ledger(ledger: &Value) -> Self {
        let mut counts = BTreeMap::new();
        let mut add = |name: String, by: i64| *counts.entry(name).or_default() += by;
        for side in ["open", "final"] {
            let states = ledger[side].as_object().into_iter().flatten();
            for (state, count) in states.filter(|(state, _)| *state != "waiting") {
                add(state.clone(), count.as_i64().unwrap_or_default());
            }
        }
        for gate in Gate::ORDER {
            let count = ledger["blocked_by"][gate.as_str()].as_i64().unwrap_or_default();
            add(format!("blocked.{}", gate.as_str()), count);
        }
        for sum in ["segments", "released"] {
            add(sum.into(), ledger[sum].as_i64().unwrap_or_default());
        }
        let cost = ledger["cost"]["amount"].as_str().and_then(|cost| cost.parse::<f64>().ok());
        add("cost_micros".into(), (cost.unwrap_or_default() * 1e6).round() as i64);
        Self::without_nought(counts)
    }

    /// The same of totals; names that a ledger has not are passed over.
    fn of_totals(shown: &Value) -> Self {
        let is_counted = |name: &str| {
            let sums = ["segments", "released", "cost_micros"];
            let open = ["accepted", "deferred", "held", "queued", "in_doubt", "sent"];
            let gate = name.strip_prefix("blocked.");
            let is_of_gate = Gate::ORDER.iter().any(|one| gate == Some(one.as_str()));
            is_of_gate || sums.contains(&name) || open.contains(&name) || FINAL.contains(&name)
        };
        let totals = shown["totals"].as_object().into_iter().flatten();
        let counted = totals.filter(|(name, _)| is_counted(name));
        let counted = counted.map(|(name, n)| (name.clone(), n.as_i64().unwrap_or_default()));
        Self::without_nought(counted.collect())
    }

    fn without_nought(mut counts: BTreeMap<String, i64>) -> Self {
        counts.retain(|_, count| *count != 0);
        Self(counts)
    }
}

/// The time of totals and how many changes are in them: later ones are of no earlier time.
fn age_of(totals: &Value) -> anyhow::Result<Option<(Timestamp, i64)>> {
    let watermark = totals["watermark"].as_i64().context("a watermark")?;
    let as_of = totals["as_of"].as_str().context("a time")?.parse()?;
    // Before anything is counted they are of the instant at which they are read.
    Ok((watermark > 0).then_some((as_of, watermark)))
}

impl Apart {
    /// Looks at the one campaign's ledger, totals and ledger again, over and over until it has
    /// completed and stands still; says how often. What one answer counts, every later one counts
    /// as well, and nothing is ever counted below zero. Totals between two equal ledgers say what
    /// these say, and what they are of never goes back.
    pub async fn watch_totals(&self) -> anyhow::Result<usize> {
        let watched = async {
            let campaign = self.running_campaign().await?;
            let ledger_path = format!("/v1/campaigns/{campaign}/ledger");
            let totals_path = format!("/v1/analytics/campaigns/{campaign}");
            let mut before = Grown::default();
            let mut age = None;
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

                let next = age_of(&totals)?;
                let is_later = match (age, next) {
                    (Some((at, watermark)), Some(next)) => at <= next.0 && watermark <= next.1,
                    (known, next) => known.is_none() || next.is_some(),
                };
                ensure!(is_later, "{age:?} was known before {totals}");
                age = next;

                let counted = Counted::of_ledger(&first);
                let stands_still = counted == Counted::of_ledger(&last);
                let shown = Counted::of_totals(&totals);
                ensure!(!stands_still || counted == shown, "{shown:?} between twice {counted:?}");
                if stands_still && last["state"] == "completed" {
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
