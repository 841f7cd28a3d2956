//! The broker away or full: a 503 that says when to come again, and recovery by itself. A caller
//! who repeats with a key has one message, whatever became of the first try.

use std::{collections::BTreeSet, time::Duration};

use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::{Submitted, message::Content};

use crate::harness::{Answer, Caller, World};

const BULK: &str = "msg.submitted.bulk";

fn message(body: &str) -> Value {
    json!({ "to": "+12125550100", "class": "promo", "body": body })
}

/// 503, with the time after which to come again.
#[track_caller]
fn come_again(answer: Answer) {
    let after = answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..60).contains(&after), "Retry-After: {after}");
    answer.problem(503);
}

/// Asks again, as a caller does, until the message is accepted.
async fn accepted(caller: &Caller, key: &str, body: &str) -> Value {
    let asking = async {
        loop {
            let answer = caller.post_once("/v1/messages", key, &message(body)).await;
            if answer.status == StatusCode::ACCEPTED {
                return answer.body;
            }
            come_again(answer);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("accepted in the end")
}

#[tokio::test]
async fn a_caller_that_timed_out_and_asks_again_has_one_message() {
    let mut world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller.post("/v1/messages", &message("before")).await.expect(202);
    world.broker.server().signal(Signal::SIGSTOP);
    for _ in 0..3 {
        let request = caller.request(Method::POST, "/v1/messages").header("Idempotency-Key", "k-1");
        let impatient = request.json(&message("once")).timeout(Duration::from_millis(300));
        assert!(impatient.send().await.expect_err("no answer").is_timeout());
    }

    world.broker.server().signal(Signal::SIGCONT);
    let answer = accepted(&caller, "k-1", "once").await;

    assert_eq!(accepted(&caller, "k-1", "once").await, answer);

    let copies: Vec<Submitted> = world.published("SUBMITTED", BULK).await;
    let copies: Vec<_> =
        copies.iter().filter(|one| answer["id"] == one.head.id.to_string()).collect();
    assert!(!copies.is_empty());
    assert!(
        copies.iter().all(|one| one.body_hash == copies[0].body_hash),
        "each copy is the same message: enrich stores it once"
    );
}

#[tokio::test]
async fn a_broker_that_was_killed_is_used_again_by_itself_and_has_what_was_accepted() {
    let mut world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let before = accepted(&caller, "before", "x").await;

    world.broker.server().signal(Signal::SIGKILL);
    world.broker.server().exited().await;
    let single = message("once");
    let one = caller.post_once("/v1/messages", "k-1", &single);
    let batch = json!({ "messages": [message("many")] });
    let many = caller.post_once("/v1/messages/batch", "k-2", &batch);
    let (one, many) = tokio::join!(one, many);
    come_again(one);
    come_again(many);

    world.broker.server().restart().await.unwrap();
    let after = accepted(&caller, "k-1", "once").await;
    let stored: Vec<Submitted> = world.published("SUBMITTED", BULK).await;

    for answer in [before, after] {
        let copies = stored.iter().filter(|one| answer["id"] == one.head.id.to_string());
        assert!(copies.count() >= 1, "{answer}");
    }
}

#[tokio::test]
async fn a_post_without_a_key_that_may_be_stored_is_repeated_under_the_key_of_its_answer() {
    let mut world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller.post("/v1/messages", &message("before")).await.expect(202);
    world.broker.server().signal(Signal::SIGSTOP);
    let batch = json!({ "messages": [message("many 1"), message("many 2")] });
    let (single, batch_body) = (message("once"), batch.clone());
    let one = caller.post("/v1/messages", &single);
    let many = caller.post("/v1/messages/batch", &batch_body);
    let (one, many) = tokio::join!(one, many);
    let [one, many] = [one, many].map(|answer| {
        let key = answer.body["idempotency_key"].as_str().expect("a key").to_owned();
        come_again(answer);
        key
    });

    // What was handed over goes out once the broker is back, and the repeats do.
    world.broker.server().signal(Signal::SIGCONT);
    let once = accepted(&caller, &one, "once").await;
    let repeat = caller.post_once("/v1/messages/batch", &many, &batch).await.expect(202);

    let stored: Vec<Submitted> = world.published("SUBMITTED", BULK).await;
    let ids = |body: &str| -> BTreeSet<String> {
        let wanted = |one: &&Submitted| one.content == Content::Body(body.into());
        stored.iter().filter(wanted).map(|one| one.head.id.to_string()).collect()
    };
    assert_eq!(ids("once"), BTreeSet::from([once["id"].as_str().unwrap().to_owned()]));
    for (index, body) in ["many 1", "many 2"].into_iter().enumerate() {
        let id = repeat["ids"][index].as_str().unwrap().to_owned();
        assert_eq!(ids(body), BTreeSet::from([id]), "{body}");
    }
}

#[tokio::test]
async fn a_full_stream_is_a_503_until_its_readers_have_caught_up() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let api = world.broker.connect().await.unwrap().api;
    let stream = api.get_stream("SUBMITTED").await.unwrap();
    let mut config = stream.get_info().await.unwrap().config;
    config.max_bytes = 16 * 1024;
    api.update_stream(&config).await.unwrap();

    let long = "x".repeat(1_400);
    let mut taken = 0;
    let full = loop {
        let answer = caller.post_once("/v1/messages", &taken.to_string(), &message(&long)).await;
        if answer.status != StatusCode::ACCEPTED {
            break answer;
        }
        taken += 1;
    };
    assert!((4..16).contains(&taken), "{taken} of some 2 KB in 16 KB");
    assert_eq!(full.body["detail"], "the pipe is full");
    come_again(full);
    let batch = json!({ "messages": [message(&long)] });
    come_again(caller.post("/v1/messages/batch", &batch).await);
    let stored: Vec<Submitted> = world.published("SUBMITTED", BULK).await;
    assert_eq!(stored.len(), taken, "what was accepted is there, what was refused is not");
    // What readers do by acknowledging.
    stream.purge().await.unwrap();
    let answer = caller.post_once("/v1/messages", &taken.to_string(), &message(&long)).await;
    answer.expect(202);
    caller.post("/v1/messages/batch", &batch).await.expect(202);
}
