//! The control API: ledger, statistics, reset, clock.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Answer, PHONE, SENDER, World, now};

#[tokio::test]
async fn the_ledger_holds_each_accepted_text_with_its_reference_and_business_time() {
    let world = World::new().await;
    world.put("clock", json!({ "now": "2026-03-08T01:55:00-05:00", "rate": 0 })).await;
    let first = world.send(PHONE, "hello", "m1").await;
    world.put("clock", json!({ "now": "2026-03-08T02:55:00-05:00", "rate": 0 })).await;
    world.send("+14155550101", &"á".repeat(71), "m2").await;

    let lines = world.ledger("").await;
    assert_eq!(lines.len(), 2);

    for (name, value) in [
        ("reference", json!("m1")),
        ("carrier", json!("twilio")),
        ("sid", json!(first.sid())),
        ("account", json!(ACCOUNT)),
        ("from", json!(SENDER)),
        ("to", json!(PHONE)),
        ("body", json!("hello")),
        ("segments", json!(1)),
        ("at", json!("2026-03-08T06:55:00Z")),
        ("status", json!("queued")),
    ] {
        assert_eq!(lines[0][name], value, "{name}");
    }

    let received: jiff::Timestamp = lines[0]["received_at"].as_str().unwrap().parse().unwrap();
    assert!(now().duration_since(received).as_secs() < 60);
    assert_eq!(lines[1]["segments"], 2);

    let since = world.ledger("?since=2026-03-08T07:00:00Z&carrier=twilio").await;
    assert_eq!((since.len(), &since[0]["reference"]), (1, &json!("m2")));
    let wrong = world.control(Method::GET, "ledger?carrier=pigeon", json!({})).await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn a_long_ledger_is_streamed_whole() {
    let world = World::new().await;
    for n in 0..700 {
        world.send(PHONE, "hi", &format!("m{n}")).await;
    }
    let lines = world.ledger("").await;
    let references: Vec<&str> = lines.iter().map(|l| l["reference"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..700).map(|n| format!("m{n}")).collect();
    assert_eq!(references, expected);
}

#[tokio::test]
async fn a_reference_that_was_accepted_twice_is_a_duplicate() {
    let world = World::new().await;
    for reference in ["a", "b", "a"] {
        world.send(PHONE, "hi", reference).await;
    }
    let stats = world.stats().await;
    assert_eq!((&stats["duplicates"], &stats["duplicate_texts"]), (&json!(1), &json!(1)));
    assert_eq!(stats["duplicate_references"], json!(["a"]));

    // Texts of others, whose address for receipts is the same and names no message.
    let shared = world.receiver.url("").replace("&message=", "");
    let form = [("To", PHONE), ("From", SENDER), ("Body", "hi"), ("StatusCallback", &shared)];
    for _ in 0..2 {
        assert_eq!(world.twilio(Method::POST, "Messages.json", &form).await.status, 201);
    }
    let stats = world.stats().await;
    assert_eq!((&stats["accepted"], &stats["duplicates"]), (&json!(5), &json!(1)));
}

#[tokio::test]
async fn a_reset_forgets_texts_and_blocks_and_keeps_accounts_and_settings() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "delay_ms": 60_000 } })).await;
    world.register().await;
    world.send(PHONE, "hi", "m1").await;
    world.inbound(PHONE, "STOP").await;
    world.receiver.wait(1).await;

    let stats = world.control(Method::POST, "reset", json!({})).await.body;
    assert_eq!((&stats["accepted"], &stats["duplicates"]), (&json!(0), &json!(0)));
    assert_eq!(stats["inbound"]["total"], 0);
    assert!(world.ledger("").await.is_empty());
    assert_eq!(world.rest().await["by_status"]["delivered"], 0);
    assert_eq!(world.send(PHONE, "hi", "m1").await.status, 201);

    let numbers = world.get("IncomingPhoneNumbers.json").await.body;
    assert_eq!(numbers["incoming_phone_numbers"].as_array().unwrap().len(), 1);

    world.control(Method::POST, "reset", json!({ "all": true })).await;
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json", world.base);
    let fresh = world.http.get(url).basic_auth(ACCOUNT, Some("new token")).send().await.unwrap();

    assert_eq!(fresh.status(), 200);
    let fresh: Value = fresh.json().await.unwrap();
    assert_eq!(fresh["incoming_phone_numbers"], json!([]));
}

#[tokio::test]
async fn the_clock_goes_forward_only_and_tells_who_watches() {
    let mut world = World::new().await;
    assert!(world.sandbox.clock.borrow().is_none());
    let before = world.control(Method::GET, "clock", json!({})).await.body;
    assert_eq!((&before["rate"], &before["set"]), (&json!(1.0), &json!(false)));

    world.put("clock", json!({ "now": "2026-03-08T01:55:00-05:00", "rate": 60 })).await;
    world.sandbox.clock.changed().await.unwrap();

    let clock = world.sandbox.clock.borrow_and_update().unwrap();
    assert_eq!((clock.now.to_string().as_str(), clock.rate), ("2026-03-08T06:55:00Z", 60.0));

    for wrong in [
        json!({ "now": "2026-03-08T01:54:59-05:00" }),
        json!({ "rate": 86_401 }),
        json!({ "rate": -1 }),
        json!({ "now": "yesterday" }),
        json!({}),
    ] {
        let answer = world.control(Method::PUT, "clock", wrong.clone()).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }

    assert_eq!(world.sandbox.clock.borrow().unwrap(), clock);
    let read = world.control(Method::GET, "clock", json!({})).await.body;
    assert!(read["now"].as_str().unwrap().starts_with("2026-03-08T0"));
    assert_eq!((&read["rate"], &read["set"]), (&json!(60.0), &json!(true)));
}

#[tokio::test]
async fn health_and_wrong_calls_are_answered() {
    let world = World::new().await;
    let health = world.http.get(format!("{}/healthz", world.base)).send().await.unwrap();

    assert_eq!(health.status(), 200);
    assert_eq!(world.control(Method::GET, "nothing", json!({})).await.status, 404);
    assert_eq!(world.control(Method::DELETE, "ledger", json!({})).await.status, 405);

    let url = format!("{}/sandbox/faults", world.base);
    let broken = world.http.put(&url).body("{").send().await.unwrap();

    assert_eq!(Answer::of(broken).await.status, 400);

    let huge = world.http.put(&url).body("x".repeat((1 << 20) + 1)).send().await.unwrap();
    assert_eq!(huge.status(), 413);
}

#[tokio::test]
async fn after_a_stop_nobody_answers() {
    let world = World::new().await;
    world.send(PHONE, "hi", "m1").await;
    let World { sandbox, http, base, .. } = world;
    let stopping = tokio::time::timeout(Duration::from_secs(5), sandbox.stop());
    stopping.await.expect("a stop takes no time");
    let error = http.get(format!("{base}/healthz")).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}
