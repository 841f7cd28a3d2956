//! Status callbacks and what faults make of them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use crate::support::{ACCOUNT, Hit, PHONE, SENDER, World};

/// The statuses of each reference, in the order in which they came.
fn by_reference(hits: &[Hit]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hit in hits {
        found.entry(hit.reference.clone()).or_default().push(hit.status().to_owned());
    }
    found
}

#[tokio::test]
async fn a_delivered_text_is_called_back_as_sent_and_then_as_delivered() {
    let world = World::new().await;
    let sid = world.send(PHONE, "hi", "m1").await.sid();

    let hits = world.receiver.wait(2).await;
    assert_eq!(by_reference(&hits)["m1"], ["sent", "delivered"]);

    for hit in &hits {
        let form = &hit.form;
        assert_eq!((&form["MessageSid"], &form["SmsSid"]), (&sid, &sid));
        assert_eq!(form["SmsStatus"], form["MessageStatus"]);
        assert_eq!((form["From"].as_str(), form["To"].as_str()), (SENDER, PHONE));
        assert_eq!(
            (form["AccountSid"].as_str(), form["ApiVersion"].as_str()),
            (ACCOUNT, "2010-04-01")
        );
        assert!(!form.contains_key("ErrorCode"));
        assert_eq!(hit.header("x-twilio-signature").len(), 28);
        assert_eq!(hit.header("i-twilio-idempotency-token").len(), 32);
    }
    assert_eq!(hits[1].form["RawDlrDoneDate"].len(), 10);

    let stats = world.rest().await;
    assert_eq!(
        (&stats["callbacks"]["sent"], &stats["callbacks"]["failed"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn a_text_without_callback_url_is_delivered_in_silence() {
    let world = World::new().await;
    world.faults(json!({})).await;
    let form = [("To", PHONE), ("From", SENDER), ("Body", "hi")];
    world.twilio(Method::POST, "Messages.json", &form).await;

    let stats = world.rest().await;
    assert_eq!(
        (&stats["by_status"]["delivered"], &stats["callbacks"]["sent"]),
        (&json!(1), &json!(0))
    );
    assert_eq!((&stats["without_reference"], world.receiver.hits().len()), (&json!(1), 0));
    assert!(world.ledger("").await[0]["reference"].is_null());
}

#[tokio::test]
async fn undelivered_and_failed_texts_carry_their_code() {
    let world = World::new().await;
    world.faults(json!({ "undelivered": [{ "code": 30003, "rate": 1 }] })).await;
    world.send(PHONE, "a", "off").await;

    let hits = world.receiver.wait(2).await;
    assert_eq!(by_reference(&hits)["off"], ["sent", "undelivered"]);
    assert_eq!(hits[1].form["ErrorCode"], "30003");

    world.faults(json!({ "undelivered": { "30001": 1 } })).await;
    world.send(PHONE, "b", "full").await;

    let hits = world.receiver.wait(3).await;
    assert_eq!(by_reference(&hits)["full"], ["failed"]);
    assert_eq!(hits[2].form["ErrorCode"], "30001");
    let lines = world.ledger("").await;
    assert_eq!(
        (&lines[0]["status"], &lines[0]["error_code"]),
        (&json!("undelivered"), &json!(30003))
    );
    assert_eq!((&lines[1]["status"], &lines[1]["error_code"]), (&json!("failed"), &json!(30001)));
}

#[tokio::test]
async fn dropped_receipts_never_come_though_the_text_is_delivered() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "drop": 1 } })).await;
    world.send(PHONE, "hi", "m1").await;

    let stats = world.rest().await;
    assert_eq!(
        (&stats["by_status"]["delivered"], &stats["callbacks"]["dropped"]),
        (&json!(1), &json!(2))
    );
    assert!(world.receiver.hits().is_empty());
}

#[tokio::test]
async fn duplicated_receipts_come_twice_with_one_token() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "duplicate": 1 } })).await;
    world.send(PHONE, "hi", "m1").await;
    let hits = world.receiver.wait(4).await;
    let mut tokens: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for hit in &hits {
        tokens.entry(hit.header("i-twilio-idempotency-token")).or_default().push(hit.status());
    }

    assert_eq!(tokens.len(), 2);
    assert!(tokens.values().all(|statuses| statuses.len() == 2 && statuses[0] == statuses[1]));
}

#[tokio::test]
async fn a_reordered_sent_comes_after_its_delivered() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "reorder": 1 } })).await;
    world.send(PHONE, "hi", "m1").await;
    let hits = world.receiver.wait(2).await;
    assert_eq!(by_reference(&hits)["m1"], ["delivered", "sent"]);
}

#[tokio::test]
async fn a_receipt_may_be_answered_before_the_caller_is() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "before_response": 1, "delay_ms": 10_000 } })).await;
    let answer = world.send(PHONE, "hi", "m1").await;
    let hits = world.receiver.hits();
    assert_eq!((hits.len(), hits[0].status()), (1, "sent"));
    assert_eq!(hits[0].form["MessageSid"], answer.sid());
}

#[tokio::test]
async fn sent_receipts_can_be_left_out() {
    let world = World::new().await;
    world.faults(json!({ "receipts": { "sent": false } })).await;
    world.send(PHONE, "hi", "m1").await;
    world.rest().await;
    assert_eq!(by_reference(&world.receiver.hits())["m1"], ["delivered"]);
}

#[tokio::test]
async fn a_callback_is_retried_with_its_token_on_5xx_and_not_on_4xx() {
    let world = World::new().await;
    let callbacks = json!({ "backoff_ms": [1, 5] });
    world.faults(json!({ "receipts": { "sent": false }, "callbacks": callbacks })).await;
    world.receiver.answer(&[503, 500]);
    world.send(PHONE, "a", "m1").await;

    let hits = world.receiver.wait(3).await;
    assert_eq!(by_reference(&hits)["m1"], ["delivered"; 3]);
    let token = hits[0].header("i-twilio-idempotency-token");
    assert!(hits.iter().all(|hit| hit.header("i-twilio-idempotency-token") == token));

    world.rest().await;
    world.receiver.answer(&[403]);
    world.send(PHONE, "b", "m2").await;
    let stats = world.rest().await;

    assert_eq!(world.receiver.hits().len(), 4);
    let callbacks = &stats["callbacks"];
    assert_eq!(
        (&callbacks["sent"], &callbacks["failed"], &callbacks["retried"]),
        (&json!(1), &json!(1), &json!(2))
    );
}

#[tokio::test]
async fn an_address_says_how_often_it_is_called_where_that_is_played() {
    let world = World::new().await;
    let callbacks = json!({ "backoff_ms": [1, 5], "overrides": true });
    world.faults(json!({ "receipts": { "sent": false }, "callbacks": callbacks })).await;
    let cases = [
        ("", &[503][..], 1),
        ("#rc=2&rp=5xx", &[503, 500], 3),
        ("#rc=1&rp=5xx", &[503, 500], 2),
        ("#rc=5&rp=all", &[403, 503], 3),
        ("#rc=5&rp=5xx", &[403], 1),
    ];

    let mut calls = 0;
    for (index, (fragment, answers, expected)) in cases.into_iter().enumerate() {
        world.receiver.answer(answers);
        let reference = format!("m{index}");
        let callback = format!("{}{fragment}", world.receiver.url(&reference));
        let form = [("To", PHONE), ("From", SENDER), ("Body", "a"), ("StatusCallback", &callback)];
        assert_eq!(world.twilio(Method::POST, "Messages.json", &form).await.status, 201);
        world.rest().await;

        let hits = by_reference(&world.receiver.hits());
        assert_eq!(hits[&reference].len(), expected, "{fragment}");
        calls += expected;
    }
    assert_eq!(world.receiver.hits().len(), calls);
}

#[tokio::test]
async fn a_callback_that_never_gets_through_is_given_up_after_its_retries() {
    let world = World::new().await;
    let callbacks = json!({ "backoff_ms": [1, 2], "retries": 2 });
    world.faults(json!({ "receipts": { "sent": false }, "callbacks": callbacks })).await;

    for url in ["http://127.0.0.1:1/hook?message=a", "https://127.0.0.1:1/hook?message=b"] {
        let form = [("To", PHONE), ("From", SENDER), ("Body", url), ("StatusCallback", url)];
        assert_eq!(world.twilio(Method::POST, "Messages.json", &form).await.status, 201);
    }

    let stats = world.rest().await;
    let callbacks = &stats["callbacks"];
    assert_eq!((&callbacks["failed"], &callbacks["retried"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn many_receipts_arrive_each_exactly_once() {
    let world = World::new().await;
    world.faults(json!({})).await;
    for n in 0..300 {
        world.send(&format!("+1415555{n:04}"), "hi", &n.to_string()).await;
    }
    world.rest().await;

    let found = by_reference(&world.receiver.hits());
    assert_eq!(found.len(), 300);
    for (reference, mut statuses) in found {
        statuses.sort_unstable();
        assert_eq!(statuses, ["delivered", "sent"], "{reference}");
    }
}
