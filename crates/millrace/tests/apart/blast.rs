//! A blast of 5,000, and people and operators who say no to it while it is under way.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::Apart;

const RECIPIENTS: usize = 5_000;
const SENDERS: [&str; 2] = ["+12025550171", "+12025550172"];

/// How they say it: none of it is a word that the carrier itself would stop for.
const WORDS: [&str; 4] = ["ALTO", "please stop texting me", "No más", "take me off your list"];

/// What a person or an operator is promised: from their word to the last request for them.
const PROMISE: Duration = Duration::from_secs(1);

/// How long anything may take here.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn who_says_stop_is_texted_no_more_and_a_switch_halts_all_within_a_second()
-> anyhow::Result<()> {
    let platform = Apart::start(1).await?;
    let campaign = begin(&platform).await?;
    texts(&platform, 100).await?;
    let (quitters, latest) = stop(&platform).await?;
    switch_off_and_on(&platform).await?;
    texts(&platform, 300).await?;
    let ledger = end(&platform, &campaign).await?;

    let texts = platform.carrier().await?;
    let references: BTreeSet<_> = texts.iter().map(|text| text["reference"].to_string()).collect();
    assert_eq!(references.len(), texts.len(), "nobody is texted twice");
    let late: Vec<_> = texts
        .iter()
        .filter(|text| quitters.contains(text["to"].as_str().unwrap_or_default()))
        .filter(|text| instant(text).is_ok_and(|at| at > latest))
        .filter(|text| !confirms(text))
        .collect();
    assert!(late.is_empty(), "texted after they said no: {late:?}");
    let confirmed = texts.iter().filter(|text| confirms(text));
    let confirmed: Vec<_> = confirmed.filter_map(|text| text["to"].as_str()).collect();
    assert_eq!(confirmed.len(), quitters.len(), "one confirmation each: {confirmed:?}");
    assert!(confirmed.iter().all(|to| quitters.contains(*to)), "{confirmed:?}");
    let sent = texts.len() - confirmed.len();
    assert_eq!(ledger["final"]["delivered"].as_u64(), Some(sent as u64), "{ledger}");
    platform.stop().await
}

/// A tenant, its people, and a campaign to all of them, started at noon.
async fn begin(platform: &Apart) -> anyhow::Result<String> {
    let noon = json!({ "now": "2026-06-10T16:00:00Z", "rate": 1 });
    platform.sandbox(Method::PUT, "/sandbox/clock", &noon).await?;
    let quick = json!({ "seed": 7, "receipts": { "delay_ms": [20, 200] } });
    platform.sandbox(Method::PUT, "/sandbox/faults", &quick).await?;
    let spread = json!({ "quiet_hours": { "spread_seconds": 0 } });
    platform.put("/v1/policies", &spread).await?;
    let mut senders = Vec::new();
    for (n, number) in SENDERS.into_iter().enumerate() {
        let account = format!("blast{n}");
        platform.register(&account, number).await?;
        let sender = json!({
            "account": account, "number": number, "country": "US", "pace": 60,
            "active_since": "2026-01-01T00:00:00Z", "daily_cap": 100_000,
            "time_zone": "America/New_York",
        });
        senders.push(platform.post("/v1/senders", &sender).await?["id"].clone());
    }
    let pool = platform.post("/v1/pools", &json!({ "name": "all", "senders": senders })).await?;
    let mut csv = String::from("phone,tags,consent,consent_source\n");
    for n in 0..RECIPIENTS {
        csv.push_str(&format!("+1{},blast,yes,web form\n", 2_125_550_000 + n * 10));
    }
    let import = platform.import(csv).await?;
    ensure!(import["created"] == RECIPIENTS, "{import}");
    let bodies = json!({ "en": "Acme: everything must go. Reply STOP to opt out" });
    let variants = json!([{ "key": "only", "weight": 1, "bodies": bodies }]);
    let template = json!({ "name": "blast", "variants": variants });
    let template = platform.post("/v1/templates", &template).await?;
    let campaign = json!({
        "name": "Blast", "class": "promo", "template_id": template["id"], "pool_id": pool["id"],
        "audience": { "tags": ["blast"] },
    });
    let campaign = platform.post("/v1/campaigns", &campaign).await?;
    let id = campaign["id"].as_str().context("id")?.to_owned();
    platform.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await?;
    Ok(id)
}

/// Waits until the carrier has so many texts.
async fn texts(platform: &Apart, count: usize) -> anyhow::Result<()> {
    let there = async {
        while platform.carrier().await?.len() < count {
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, there).await.context("nothing is sent")?
}

/// People whose message is still under way say no; gives who they are, and when the last request
/// for them may have arrived.
async fn stop(platform: &Apart) -> anyhow::Result<(BTreeSet<String>, Timestamp)> {
    let quitters: BTreeSet<String> =
        (0..20).map(|n| format!("+1{}", 2_125_550_000 + (RECIPIENTS - 1 - 40 * n) * 10)).collect();
    for (n, from) in quitters.iter().enumerate() {
        let body = json!({ "from": from, "to": SENDERS[n % 2], "body": WORDS[n % WORDS.len()] });
        platform.sandbox(Method::POST, "/sandbox/inbound", &body).await?;
    }
    Ok((quitters, instant_now(platform).await? + PROMISE))
}

/// The carrier gets nothing from a second after the switch on, and everything else afterwards.
async fn switch_off_and_on(platform: &Apart) -> anyhow::Result<()> {
    let paused = json!({ "scope": "tenant", "mode": "paused", "reason": "a test" });
    platform.put("/v1/kill-switch", &paused).await?;
    sleep(PROMISE).await;
    let before = platform.carrier().await?.len();
    ensure!(before < RECIPIENTS / 2, "the switch came too late to halt anything: {before}");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(platform.carrier().await?.len(), before, "texts under a switch that is off");
    let on = json!({ "scope": "tenant", "mode": "on" });
    platform.put("/v1/kill-switch", &on).await?;
    Ok(())
}

/// Stops the campaign and waits until nothing of it is under way; gives its ledger.
async fn end(platform: &Apart, campaign: &str) -> anyhow::Result<Value> {
    platform.post(&format!("/v1/campaigns/{campaign}/stop"), &json!({})).await?;
    let path = format!("/v1/campaigns/{campaign}/ledger");
    let ended = async {
        loop {
            let ledger = platform.get(&path).await?;
            let open = ["accepted", "deferred", "held", "queued", "in_doubt", "sent"];
            if open.iter().all(|state| ledger["open"][*state].as_u64().unwrap_or(0) == 0) {
                return anyhow::Ok(ledger);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(LIMIT, ended).await {
        Ok(ledger) => ledger,
        Err(_) => anyhow::bail!("it does not end: {}", platform.get(&path).await?),
    }
}

/// The sandbox's time, which the carrier writes down.
async fn instant_now(platform: &Apart) -> anyhow::Result<Timestamp> {
    let clock = platform.sandbox(Method::GET, "/sandbox/clock", &Value::Null).await?;
    Ok(clock["now"].as_str().context("now")?.parse()?)
}

fn confirms(text: &Value) -> bool {
    let body = text["body"].as_str().unwrap_or_default();
    ["You are unsubscribed", "Su baja"].iter().any(|begins| body.starts_with(begins))
}

fn instant(text: &Value) -> anyhow::Result<Timestamp> {
    Ok(text["at"].as_str().context("at")?.parse()?)
}
