//! SIGTERM while something is full, away or slow: every process ends within its bound, and well.
//! What was accepted is there when the processes are back, and goes out once.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::Apart;

/// How long every process may take.
const BOUND: Duration = Duration::from_secs(30);

/// How long the processes run into what is wrong before they are told to end.
const FELT: Duration = Duration::from_secs(3);

/// How long what is left may take once the processes are back.
const BACK: Duration = Duration::from_secs(90);

/// Calls whose result was not written down are cleared up soon.
const SOON: &[(&str, &str)] = &[("MILLRACE_REQUEST_TIMEOUT", "2"), ("MILLRACE_LIST_LAG", "0.5")];

/// Carrier calls may take longer than a process has to end.
const PATIENT: &[(&str, &str)] = &[("MILLRACE_REQUEST_TIMEOUT", "60")];

/// A stream that a few batches fill.
const SMALL: &[(&str, &str)] = &[("MILLRACE_STREAM_SIZES", "ADMITTED=1MiB")];

/// Two batches under one key, and how many items each has.
const BODIES: [(&str, usize); 2] = [("first", 2), ("second", 3)];

#[tokio::test(flavor = "multi_thread")]
async fn every_process_ends_in_time_while_the_database_is_frozen() -> anyhow::Result<()> {
    let mut platform = Apart::start_with(1, SOON).await?;
    let pool = platform.pool(&["+12025550181"], 1_000).await?.0;
    text(&platform, &pool, 1).await?;
    platform.signal_database(Signal::SIGSTOP)?;
    // They are taken without it, and the stages run into it.
    let _ = tokio::time::timeout(FELT, text(&platform, &pool, 1)).await;
    two_bodies(&platform, &pool).await?;

    let _carrier = platform.take("sandbox");
    let ended = platform.end_within(BOUND).await;
    platform.signal_database(Signal::SIGCONT)?;
    ended?;
    goes_on(&mut platform, 1_002).await?;
    one_body_stands(&platform).await?;
    platform.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_ends_in_time_while_the_broker_is_away() -> anyhow::Result<()> {
    let mut platform = Apart::start_with(1, SOON).await?;
    let pool = platform.pool(&["+12025550181"], 1_000).await?.0;
    text(&platform, &pool, 1).await?;
    platform.signal_broker(Signal::SIGKILL);
    sleep(FELT).await;

    let _carrier = platform.take("sandbox");
    platform.end_within(BOUND).await?;
    platform.restart_broker().await?;
    goes_on(&mut platform, 1_000).await?;
    platform.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_ends_in_time_while_a_stream_is_full() -> anyhow::Result<()> {
    let mut platform = Apart::start_with(1, SMALL).await?;
    let pool = platform.pool(&["+12025550181"], 10_000).await?.0;
    drop(platform.take("throttle"));
    text(&platform, &pool, 5).await?;
    reaches(&platform, 1_000, "select count(*) from millrace.messages where state = 3").await?;
    sleep(FELT).await;

    let _carrier = platform.take("sandbox");
    platform.end_within(BOUND).await?;
    goes_on(&mut platform, 5_000).await?;
    platform.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_ends_in_time_while_the_carrier_does_not_answer() -> anyhow::Result<()> {
    let mut platform = Apart::start_with(1, PATIENT).await?;
    let pool = platform.pool(&["+12025550181"], 100).await?.0;
    let faults = json!({ "latency_ms": [60_000, 60_000] });
    platform.sandbox(Method::PUT, "/sandbox/faults", &faults).await?;
    text(&platform, &pool, 1).await?;
    let called =
        "select count(*) from millrace.messages where state = 3 and claim_owner is not null";
    reaches(&platform, 1, called).await?;
    sleep(FELT).await;

    let _carrier = platform.take("sandbox");
    platform.end_within(BOUND).await?;
    platform.stop_servers().await
}

/// Starts the processes again: everything that was accepted, at least so many texts, goes out, each
/// to the carrier once.
async fn goes_on(platform: &mut Apart, accepted: i64) -> anyhow::Result<()> {
    platform.start_processes(1).await?;
    let all = "select count(*) from millrace.messages";
    let open = "select count(*) from millrace.messages where state not in (20, 22)";
    let gone = async {
        while platform.count(all).await? < accepted || platform.count(open).await? > 0 {
            sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    if tokio::time::timeout(BACK, gone).await.is_err() {
        let (all, open) = (platform.count(all).await?, platform.count(open).await?);
        anyhow::bail!("{all} of {accepted} are there, and {open} are not sent");
    }

    let texts = platform.carrier().await?;
    let once: BTreeSet<String> = texts.iter().map(|text| text["reference"].to_string()).collect();
    ensure!(once.len() == texts.len(), "{} texts for {} messages", texts.len(), once.len());
    ensure!(once.len() as i64 == platform.count(all).await?, "the carrier has {}", once.len());
    Ok(())
}

/// Submits a batch, and another one with an item more under the same key: without the database
/// nobody can know that the key is taken, so both are accepted.
async fn two_bodies(platform: &Apart, pool: &Value) -> anyhow::Result<()> {
    for (word, items) in BODIES {
        let message = |n: usize| {
            json!({
                "to": format!("+1{}", 2_125_550_300 + n), "class": "transactional", "pool": pool,
                "body": format!("The {word} body, item {n}"),
            })
        };
        let batch = json!({ "messages": (0..items).map(message).collect::<Vec<_>>() });
        let answer = platform.post_once("/v1/messages/batch", "order-7", &batch).await?;
        ensure!(answer["accepted"] == items, "{answer}");
    }
    Ok(())
}

/// One of the two batches has gone out whole, and every item of the other is listed as a conflict.
async fn one_body_stands(platform: &Apart) -> anyhow::Result<()> {
    reaches(platform, 2, "select count(*) from millrace.message_conflicts").await?;
    let texts = platform.carrier().await?;
    let sent = BODIES.map(|(word, _)| {
        let begins = format!("The {word} body");
        let is_of =
            |text: &&Value| text["body"].as_str().is_some_and(|body| body.starts_with(&begins));
        texts.iter().filter(is_of).count()
    });
    let [(_, first), (_, second)] = BODIES;
    let refused = match sent {
        [n, 0] if n == first => second,
        [0, n] if n == second => first,
        _ => anyhow::bail!("of each body the carrier has {sent:?}"),
    };

    let all_listed = async {
        loop {
            let listed = platform.get("/v1/messages/conflicts").await?;
            let listed = listed["data"].as_array().context("data")?.len();
            ensure!(listed <= refused, "{listed} conflicts of {refused}");
            if listed == refused {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(BOUND, all_listed).await.context("conflicts are missing")?
}

/// Waits until a count in the database is so high.
async fn reaches(platform: &Apart, least: i64, count: &'static str) -> anyhow::Result<()> {
    let reached = async {
        while platform.count(count).await? < least {
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(BOUND, reached).await.context("never so many")?
}

/// Submits so many batches of texts.
async fn text(platform: &Apart, pool: &Value, batches: usize) -> anyhow::Result<()> {
    let message = |n: usize| {
        json!({
            "to": format!("+1{}", 2_125_550_100 + n % 100), "class": "transactional", "pool": pool,
            "body": "Acme: your order is on its way. Reply STOP to opt out",
        })
    };
    let batch = json!({ "messages": (0..1_000).map(message).collect::<Vec<_>>() });
    for _ in 0..batches {
        platform.post("/v1/messages/batch", &batch).await?;
    }
    Ok(())
}
