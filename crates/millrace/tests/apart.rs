//! The demo with every part in a process of its own and two of each stage, against one NATS and one
//! Postgres; a stock Python subscriber that was there before ends with the ledger's numbers.

#[path = "apart/blast.rs"]
mod blast;
#[path = "apart/discreet.rs"]
mod discreet;
#[path = "apart/locks.rs"]
mod locks;
#[path = "apart/readme.rs"]
mod readme;
#[path = "apart/stops.rs"]
mod stops;
mod support;
#[path = "apart/totals.rs"]
mod totals;

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use support::{Apart, subscriber::Subscriber};

/// How long the totals may lag behind the ledger at the end.
const LAG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_balances_with_two_processes_of_each_stage_and_a_subscriber_agrees()
-> anyhow::Result<()> {
    let platform = Apart::start_with(2, &[("RUST_LOG", "trace"), ("MILLRACE_LOG", "json")]).await?;
    let mut subscriber =
        Subscriber::start(&platform.nats_url(), &platform.nats_creds(), "demo").await?;

    let (demo, watched) = tokio::join!(platform.demo(), platform.watch_totals());
    let demo = demo?;
    assert!(watched? > 10, "the totals were looked at while the campaign ran");
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));

    let campaign = platform.only_campaign().await?;
    let ledger = platform.get(&format!("/v1/campaigns/{campaign}/ledger")).await?;

    let agreed = async {
        loop {
            let totals = subscriber.next(&format!("analytics.demo.campaign.{campaign}")).await?;
            if agree(&ledger, &totals) {
                return anyhow::Ok(totals);
            }
        }
    };
    let agreed = tokio::time::timeout(LAG, agreed).await;
    agreed.with_context(|| format!("the totals never came to {ledger}"))??;

    let shown = platform.follow_readme().await?;
    assert_eq!((&shown["status"], &shown["to"]), (&"delivered".into(), &"+12025550123".into()));
    let stages: Vec<_> = shown["passport"].as_array().into_iter().flatten().collect();
    assert!(stages.iter().any(|stamp| stamp["stage"] == "gate"), "{shown}");

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(platform.traced_text(trace).await?["traceparent"], trace);

    platform.follow_guides().await?;
    discreet::is_discreet(&platform).await?;
    platform.stop().await
}

/// Whether a subscriber's totals say what the ledger says: every state, every gate, segments, money
/// and texts.
fn agree(ledger: &Value, totals: &Value) -> bool {
    let total = |name: &str| totals["totals"][name].as_i64().unwrap_or_default();

    let states = ["open", "final"].iter().flat_map(|part| ledger[part].as_object());
    let states = states.flatten().filter(|(name, _)| *name != "waiting");
    let gates = ledger["blocked_by"].as_object().into_iter().flatten();
    let cost = ledger["cost"]["amount"].as_str().and_then(|cost| cost.parse::<f64>().ok());

    states.into_iter().all(|(name, count)| count.as_i64() == Some(total(name)))
        && gates.into_iter().all(|(gate, n)| n.as_i64() == Some(total(&format!("blocked.{gate}"))))
        && ledger["audience"].as_i64() == Some(total("audience"))
        && ledger["segments"].as_i64() == Some(total("segments"))
        && cost.map(|cost| (cost * 1e6).round() as i64) == Some(total("cost_micros"))
        && ledger["opt_outs"].as_i64() == Some(total("opt_outs"))
        && ledger["replies"].as_i64() == Some(total("received"))
}
