//! From submission to the carrier, at a steady rate far below the limit.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::load::BenchWork;
use crate::{demo::client::HttpCaller, platform::Platform};

/// Messages submitted in a second.
const RATE: u64 = 200;

/// How long messages are submitted, in seconds.
const SECONDS: u64 = 15;

/// How long the last messages may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The measured distribution, in milliseconds.
pub struct Latency {
    /// How many messages were measured.
    pub messages: usize,
    /// Half are faster.
    pub p50: f64,
    /// 99 in 100 are faster.
    pub p99: f64,
}

/// Submits one message at a time, each tenant over connections that stay open, and compares with
/// the time at which the carrier received each.
///
/// # Errors
/// A submission fails, or a message does not arrive.
pub async fn measure(platform: &Platform, work: &BenchWork) -> anyhow::Result<Latency> {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE as u32);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending = JoinSet::new();
    platform.sandbox.post("/sandbox/reset", &json!({})).await?;
    let clients: Vec<HttpCaller> =
        (0..platform.tenants()).map(|tenant| platform.client(tenant)).collect::<Result<_, _>>()?;

    for index in 0..(RATE * SECONDS) as usize {
        tick.tick().await;
        let (tenant, number) = work.spare(index);
        let client = clients[tenant].clone();
        let pool = work.pool(tenant);
        let body = json!({ "to": number, "class": "promo", "pool": pool, "body": "Spring sale" });
        sending.spawn(async move {
            let begun = boot::clock::machine_now();
            let answer = client.post("/v1/messages", &body).await?;
            let id = answer["id"].as_str().context("no id")?.to_owned();
            anyhow::Ok((id, begun))
        });
    }

    let mut begun = HashMap::new();
    while let Some(submitted) = sending.join_next().await {
        let (id, begun_at) = submitted??;
        begun.insert(id, begun_at);
    }

    let waited = tokio::time::timeout(PATIENCE, arrivals(platform, &begun)).await;
    let mut took = waited.context("messages did not arrive at the carrier")??;
    let (found, posted) = (took.len(), begun.len());
    ensure!(found == posted, "{found} of {posted} messages are in the carrier's ledger");
    took.sort_by(f64::total_cmp);

    let percentile = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    Ok(Latency { messages: took.len(), p50: percentile(0.5), p99: percentile(0.99) })
}

/// Milliseconds from submission to arrival, once all have arrived.
async fn arrivals(
    platform: &Platform,
    begun: &HashMap<String, Timestamp>,
) -> anyhow::Result<Vec<f64>> {
    while platform.sandbox_stats().await?.accepted < begun.len() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let ledger = platform.ledger().await?;
    Ok(ledger.iter().filter_map(|line| milliseconds(line, begun)).collect())
}

fn milliseconds(line: &Value, begun: &HashMap<String, Timestamp>) -> Option<f64> {
    let begun_at = begun.get(line["reference"].as_str()?)?;
    let arrived_at: Timestamp = line["received_at"].as_str()?.parse().ok()?;
    Some(arrived_at.duration_since(*begun_at).as_secs_f64() * 1000.0)
}
