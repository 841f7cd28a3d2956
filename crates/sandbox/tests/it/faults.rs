//! What goes wrong on request.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, PHONE, SENDER, TOKEN, World};

/// Sends and says what the caller sees: a status, or 0 for a cut connection.
async fn try_send(world: &World, to: &str, body: &str) -> u16 {
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.base);
    let form = [("To", to), ("From", SENDER), ("Body", body)];
    let request = world.http.post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(&form);
    match request.send().await {
        Ok(response) => response.status().as_u16(),
        Err(error) => {
            assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
            0
        }
    }
}

#[tokio::test]
async fn a_lost_response_cuts_the_connection_after_acceptance() {
    let world = World::new().await;
    world.faults(json!({ "lost_response": 1 })).await;
    assert_eq!(try_send(&world, PHONE, "hi").await, 0);
    assert_eq!(world.ledger("").await.len(), 1);
    assert_eq!(world.stats().await["faults"]["lost_response"], 1);
}

#[tokio::test]
async fn a_reset_comes_before_acceptance() {
    let world = World::new().await;
    world.faults(json!({ "reset_before": 1 })).await;
    assert_eq!(try_send(&world, PHONE, "hi").await, 0);
    assert!(world.ledger("").await.is_empty());
    world.faults(json!({})).await;
    assert_eq!(try_send(&world, PHONE, "hi").await, 201);
}

#[tokio::test]
async fn http_errors_come_before_or_after_acceptance_as_asked() {
    let world = World::new().await;
    world.faults(json!({ "http_429": { "rate": 1, "retry_after": 7 } })).await;
    let throttled = world.send(PHONE, "hi", "m1").await;

    throttled.refused(429, 20429);
    assert_eq!(throttled.headers["retry-after"], "7");

    world.faults(json!({ "http_5xx_before": 1 })).await;
    world.send(PHONE, "hi", "m1").await.refused(503, 20503);
    assert!(world.ledger("").await.is_empty());

    world.faults(json!({ "http_5xx_after": 1 })).await;
    world.send(PHONE, "hi", "m1").await.refused(500, 20500);
    assert_eq!(world.ledger("").await.len(), 1);
}

#[tokio::test]
async fn refusals_have_the_code_that_was_asked_for() {
    let world = World::new().await;
    world.faults(json!({ "refuse": [{ "code": 21610, "rate": 1 }] })).await;
    world.send(PHONE, "hi", "m1").await.refused(400, 21610);
    assert_eq!(world.stats().await["refused"]["21610"], 1);
    assert!(world.ledger("").await.is_empty());
}

#[tokio::test]
async fn latency_lies_between_acceptance_and_answer() {
    let world = World::new().await;
    world.faults(json!({ "latency_ms": [200, 210] })).await;
    let start = Instant::now();
    let sending = world.send(PHONE, "hi", "m1");
    tokio::pin!(sending);

    let early = tokio::time::timeout(Duration::from_millis(100), &mut sending).await;
    assert!(early.is_err());
    assert_eq!(world.ledger("").await.len(), 1);
    assert_eq!(sending.await.status, 201);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn an_outage_fails_every_call_of_its_account_for_its_span_of_business_time() {
    let world = World::new().await;
    let account = json!({ "account": ACCOUNT, "from": "2026-03-08T10:00:00Z",
        "to": "2026-03-08T11:00:00Z" });
    world.faults(json!({ "account_outage": account })).await;
    world.put("clock", json!({ "now": "2026-03-08T09:59:59Z", "rate": 0 })).await;

    assert_eq!(world.send(PHONE, "a", "m1").await.status, 201);

    world.put("clock", json!({ "now": "2026-03-08T10:00:00Z", "rate": 0 })).await;
    world.send(PHONE, "b", "m2").await.refused(503, 20503);
    world.get("Messages.json").await.refused(503, 20503);

    let other = format!("{}/2010-04-01/Accounts/AC2/Messages.json", world.base);
    let other = world.http.get(other).basic_auth("AC2", Some("x")).send().await.unwrap();

    assert_eq!(other.status(), 200);

    world.put("clock", json!({ "now": "2026-03-08T11:00:00Z", "rate": 0 })).await;
    assert_eq!(world.send(PHONE, "c", "m3").await.status, 201);
}

/// What each of 60 people gets in two attempts, asked in the given order.
async fn run(seed: u64, backwards: bool) -> BTreeMap<String, Vec<u16>> {
    let world = World::seeded(seed).await;
    world
        .faults(json!({ "lost_response": 0.2, "reset_before": 0.1, "http_429": 0.2,
            "http_5xx_after": 0.1, "refuse": { "21614": 0.1 } }))
        .await;

    let mut phones: Vec<String> = (0..60).map(|n| format!("+1415555{n:04}")).collect();
    if backwards {
        phones.reverse();
    }

    let mut seen = BTreeMap::new();
    for _ in 0..2 {
        for phone in &phones {
            let status = try_send(&world, phone, "hi").await;
            seen.entry(phone.clone()).or_insert_with(Vec::new).push(status);
        }
    }
    seen
}

#[tokio::test]
async fn a_run_repeats_under_its_seed_whatever_the_order_of_arrival() {
    let first = run(7, false).await;
    assert_eq!(first, run(7, true).await);
    assert_ne!(first, run(8, false).await);
    let kinds: std::collections::BTreeSet<u16> = first.values().flatten().copied().collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [0, 201, 400, 429, 500]);
    assert!(first.values().any(|seen| seen[0] != seen[1]), "attempts differ");
}

#[tokio::test]
async fn faults_are_read_back_and_what_cannot_be_meant_is_refused() {
    let world = World::new().await;
    let url = format!("{}/sandbox/faults", world.base);
    let default: Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();

    assert_eq!(default["receipts"]["delay_ms"], json!([50, 300]));
    assert_eq!(default["latency_ms"], json!([0, 0]));

    world.put("faults", json!({ "lost_response": 0.25 })).await;
    let changed: Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();

    assert_eq!(changed["lost_response"], 0.25);
    for wrong in [json!({ "lost_response": 2 }), json!({ "typo": 1 }), json!([])] {
        let answer = world.control(Method::PUT, "faults", wrong).await;
        assert_eq!((answer.status, &answer.body["status"]), (422, &json!(422)), "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }

    let kept: Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(kept["lost_response"], 0.25);
}
