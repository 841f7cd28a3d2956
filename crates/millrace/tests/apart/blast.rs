//! A blast with 5,000 messages in the queue. While it is under way, people say no to it and
//! operators throw switches.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::Apart;

/// More than go out before the queue is as long as it is to be.
const MESSAGES: usize = 6_400;

/// Messages that wait for their call when the first person says no.
const QUEUED: i64 = 5_000;

const SENDERS: [&str; 2] = ["+12025550171", "+12025550172"];

const BODY: &str = "Acme: everything must go. Reply STOP to opt out";

/// How they say it: none of it is a word that the carrier itself would stop for.
const WORDS: [&str; 4] = ["ALTO", "please stop texting me", "No más", "take me off your list"];

/// What people and operators are promised: the time from their word to the last request for them.
const PROMISE: Duration = Duration::from_secs(1);

/// How long anything may take here.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn who_says_stop_is_texted_no_more_and_a_switch_halts_all_within_a_second()
-> anyhow::Result<()> {
    let platform = Apart::start(1).await?;
    let senders = begin(&platform).await?;
    queued(&platform).await?;
    let (quitters, latest) = stop(&platform).await?;
    others(&platform, &quitters).await?;

    for scope in [Scope::Tenant, Scope::Platform, Scope::Senders(&senders)] {
        switch_off_and_on(&platform, scope).await?;
        texts(&platform, platform.carrier().await?.len() + 50).await?;
    }

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

    platform.stop().await
}

/// Makes a tenant with senders and people, at noon, and submits a message to each of them; gives
/// the senders' ids.
async fn begin(platform: &Apart) -> anyhow::Result<Vec<Value>> {
    let noon = json!({ "now": "2026-06-10T16:00:00Z", "rate": 1 });
    platform.sandbox(Method::PUT, "/sandbox/clock", &noon).await?;
    let quick = json!({ "seed": 7, "receipts": { "delay_ms": [20, 200] } });
    platform.sandbox(Method::PUT, "/sandbox/faults", &quick).await?;
    let spread = json!({ "quiet_hours": { "spread_seconds": 0 } });
    platform.put("/v1/policies", &spread).await?;

    let (pool, senders) = platform.pool(&SENDERS, 120).await?;

    let people = (0..MESSAGES).map(|n| format!("{},yes,web form\n", number(n)));
    let csv = ["phone,consent,consent_source\n".to_owned()].into_iter().chain(people).collect();
    let import = platform.import(csv).await?;
    ensure!(import["created"] == MESSAGES, "{import}");

    let messages: Vec<Value> = (0..MESSAGES)
        .map(|n| json!({ "to": number(n), "class": "promo", "pool": pool, "body": BODY }))
        .collect();
    for batch in messages.chunks(1_000) {
        let accepted = platform.post("/v1/messages/batch", &json!({ "messages": batch })).await?;
        ensure!(accepted["accepted"] == batch.len(), "{accepted}");
    }

    Ok(senders)
}

/// The number of person `n`, in New York.
fn number(n: usize) -> String {
    format!("+1{}", 2_125_550_000 + n * 10)
}

/// Waits until as many are past the gates as are to be: queued, or in line for their sender's pace.
async fn queued(platform: &Apart) -> anyhow::Result<()> {
    let deep = async {
        let queued = "select count(*) from millrace.messages
                      where state = 3 or state = 1 and code = 'pace'";
        while platform.count(queued).await? < QUEUED {
            sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, deep).await.context("the queue does not fill")?
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

/// Waits until everybody else is texted whose turn comes no later than theirs.
async fn others(platform: &Apart, quitters: &BTreeSet<String>) -> anyhow::Result<()> {
    let last = quitters.last().context("nobody says no")?;
    let others: BTreeSet<String> =
        (0..MESSAGES).map(number).filter(|to| to < last && !quitters.contains(to)).collect();
    let all = async {
        while !texted(platform).await?.is_superset(&others) {
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, all).await.context("the others are not texted")?
}

/// Who has been texted so far.
async fn texted(platform: &Apart) -> anyhow::Result<BTreeSet<String>> {
    let texts = platform.carrier().await?;
    let to = texts.iter().filter_map(|text| text["to"].as_str());
    Ok(to.map(str::to_owned).collect())
}

/// People whose turn comes within seconds say no; gives who they are, and when the last request for
/// them may have arrived.
async fn stop(platform: &Apart) -> anyhow::Result<(BTreeSet<String>, Timestamp)> {
    let texted = texted(platform).await?;
    let waiting = (0..MESSAGES).map(number).filter(|to| !texted.contains(to));
    let quitters: BTreeSet<String> = waiting.skip(40).step_by(6).take(20).collect();

    for (n, from) in quitters.iter().enumerate() {
        let body = json!({ "from": from, "to": SENDERS[n % 2], "body": WORDS[n % WORDS.len()] });
        platform.sandbox(Method::POST, "/sandbox/inbound", &body).await?;
    }

    Ok((quitters, instant_now(platform).await? + PROMISE))
}

/// Whom a switch halts.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Platform,
    Tenant,
    /// All senders that the tenant has, one by one.
    Senders(&'a [Value]),
}

async fn throw(platform: &Apart, scope: Scope<'_>, mode: &str) -> anyhow::Result<()> {
    let put = async |switch: Value| platform.put("/v1/kill-switch", &switch).await.map(drop);
    match scope {
        Scope::Platform => {
            let words = ["switch", "platform", mode, "--reason", "a test"];
            platform.tool(&words).await.map(drop)
        }
        Scope::Tenant => put(json!({ "scope": "tenant", "mode": mode })).await,
        Scope::Senders(senders) => {
            for id in senders {
                put(json!({ "scope": "sender", "target": id, "mode": mode })).await?;
            }
            Ok(())
        }
    }
}

/// Throws a switch off and on: from a second after it is off the carrier gets nothing, and the rest
/// once it is on again.
async fn switch_off_and_on(platform: &Apart, scope: Scope<'_>) -> anyhow::Result<()> {
    throw(platform, scope, "paused").await?;
    sleep(PROMISE).await;

    let before = platform.carrier().await?.len();
    ensure!(before + 500 < MESSAGES, "the switch came too late to halt anything: {before}");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(platform.carrier().await?.len(), before, "texts under a switch that is off");

    throw(platform, scope, "on").await
}

/// The sandbox's time, which the carrier writes down.
async fn instant_now(platform: &Apart) -> anyhow::Result<Timestamp> {
    let clock = platform.sandbox(Method::GET, "/sandbox/clock", &Value::Null).await?;
    Ok(clock["now"].as_str().context("now")?.parse()?)
}

/// Whether a text confirms an opt-out.
fn confirms(text: &Value) -> bool {
    let body = text["body"].as_str().unwrap_or_default();
    ["You are unsubscribed", "Su baja"].iter().any(|begins| body.starts_with(begins))
}

fn instant(text: &Value) -> anyhow::Result<Timestamp> {
    Ok(text["at"].as_str().context("at")?.parse()?)
}
