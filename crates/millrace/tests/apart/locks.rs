//! Everybody who locks rows of the same few people at once: gate, send, schedule, receipts, and
//! people who say no and yes again. There is one order of locks, so nobody deadlocks.

use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::Apart;

/// How long they are at it.
const TRIAL: Duration = Duration::from_secs(30);

/// People, each of whom is in every batch several times.
const PEOPLE: usize = 12;

/// Messages in a batch, and the time between two batches.
const BATCH: usize = 96;
const EVERY: Duration = Duration::from_millis(400);

const SENDERS: [&str; 2] = ["+12025550181", "+12025550182"];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_locks_rows_of_the_same_people_takes_turns() -> anyhow::Result<()> {
    let platform = Apart::start(1).await?;
    let pool = begin(&platform).await?;

    let end = Instant::now() + TRIAL;
    tokio::try_join!(text(&platform, &pool, end), say_no_and_yes(&platform, end))?;

    // Each of them has had to do with locks.
    let happened = [
        ("delivered", "select count(*) from millrace.messages where state = 22"),
        ("not delivered", "select count(*) from millrace.messages where state = 21"),
        ("blocked", "select count(*) from millrace.messages where state = 10"),
        ("in line", "select count(*) from millrace.messages where passport::text like '%pace%'"),
        ("heard", "select count(*) from millrace.consents where action <> 'grant'"),
    ];
    for (what, sql) in happened {
        let count = platform.count(sql).await?;
        ensure!(count > 20, "{count} {what}");
    }

    let deadlocks = "select deadlocks from pg_stat_database where datname = 'millrace'";
    assert_eq!(platform.count(deadlocks).await?, 0);
    platform.stop().await
}

/// Makes a pool of two slow senders and people who consented, at noon, and a carrier that refuses
/// some of the texts for a while and loses others; gives the pool.
async fn begin(platform: &Apart) -> anyhow::Result<Value> {
    let noon = json!({ "now": "2026-06-10T16:00:00Z", "rate": 1 });
    platform.sandbox(Method::PUT, "/sandbox/clock", &noon).await?;
    let faults = json!({
        "seed": 3,
        "http_429": 0.1,
        "http_5xx_before": 0.05,
        "undelivered": { "30003": 0.2 },
        "receipts": { "delay_ms": [20, 200] },
    });
    platform.sandbox(Method::PUT, "/sandbox/faults", &faults).await?;

    let people = (0..PEOPLE).map(|n| format!("{},yes,web form\n", number(n)));
    let csv = ["phone,consent,consent_source\n".to_owned()].into_iter().chain(people).collect();
    platform.import(csv).await?;
    Ok(platform.pool(&SENDERS, 60).await?.0)
}

fn number(n: usize) -> String {
    format!("+1{}", 2_125_550_700 + n)
}

/// Texts everybody again and again, more than the senders carry.
async fn text(platform: &Apart, pool: &Value, end: Instant) -> anyhow::Result<()> {
    let classes = ["transactional", "promo", "journey"];
    let message = |n: usize| {
        json!({
            "to": number(n % PEOPLE), "class": classes[n / PEOPLE % classes.len()], "pool": pool,
            "body": "Acme: your order is on its way. Reply STOP to opt out",
        })
    };
    let batch = json!({ "messages": (0..BATCH).map(message).collect::<Vec<_>>() });

    while Instant::now() < end {
        platform.post("/v1/messages/batch", &batch).await?;
        sleep(EVERY).await;
    }
    Ok(())
}

/// Everybody says no, and yes again, in turn.
async fn say_no_and_yes(platform: &Apart, end: Instant) -> anyhow::Result<()> {
    let mut word = ["ALTO", "START"].into_iter().cycle();
    while Instant::now() < end {
        let body = word.next().unwrap_or_default();
        for n in 0..PEOPLE {
            let text = json!({ "from": number(n), "to": SENDERS[n % 2], "body": body });
            platform.sandbox(Method::POST, "/sandbox/inbound", &text).await?;
            sleep(EVERY / 10).await;
        }
    }
    Ok(())
}
