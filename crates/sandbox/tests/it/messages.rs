//! Sending, fetching and changing messages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Answer, PHONE, SENDER, World};

#[tokio::test]
async fn an_accepted_text_is_shown_in_twilio_s_form() {
    let world = World::new().await;
    let answer = world.send(PHONE, "hello €", "m1").await;

    assert_eq!(answer.status, 201);
    assert!(answer.headers["twilio-request-id"].to_str().unwrap().starts_with("RQ"));

    let body = &answer.body;
    let sid = answer.sid();
    assert!(sid.starts_with("SM") && sid.len() == 34, "{sid}");
    for (name, value) in [
        ("account_sid", json!(ACCOUNT)),
        ("api_version", json!("2010-04-01")),
        ("body", json!("hello €")),
        ("date_sent", Value::Null),
        ("direction", json!("outbound-api")),
        ("error_code", Value::Null),
        ("from", json!(SENDER)),
        ("messaging_service_sid", Value::Null),
        ("num_media", json!("0")),
        ("num_segments", json!("1")),
        ("price", Value::Null),
        ("status", json!("queued")),
        ("to", json!(PHONE)),
    ] {
        assert_eq!(body[name], value, "{name}");
    }

    world.rest().await;
    let fetched = world.get(&format!("Messages/{sid}.json")).await.body;

    assert_eq!(fetched["status"], "delivered");
    assert_eq!(fetched["price"], "-0.00790");
    assert!(fetched["date_sent"].as_str().unwrap().ends_with("+0000"));
}

#[tokio::test]
async fn the_first_credentials_of_an_account_stand() {
    let world = World::new().await;
    world.send(PHONE, "hi", "m1").await;
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", world.base);
    let other = world.http.get(&url).basic_auth(ACCOUNT, Some("another"));

    Answer::of(other.send().await.unwrap()).await.refused(401, 20003);

    let none = world.http.get(&url);
    Answer::of(none.send().await.unwrap()).await.refused(401, 20003);
    assert_eq!(world.get("Messages.json").await.status, 200);

    let stranger = format!("{}/2010-04-01/Accounts/AC2/Messages.json", world.base);
    let stranger = world.http.get(stranger).basic_auth("AC2", Some("another"));
    let answer = Answer::of(stranger.send().await.unwrap()).await;

    assert_eq!((answer.status, &answer.body["messages"]), (200, &json!([])));
}

#[tokio::test]
async fn a_refused_text_is_not_in_the_ledger_and_counted_by_its_code() {
    let world = World::new().await;
    for (form, code) in [
        (vec![("From", SENDER), ("Body", "x")], 21604),
        (vec![("To", PHONE), ("Body", "x")], 21603),
        (vec![("To", PHONE), ("From", SENDER)], 21602),
        (vec![("To", "415"), ("From", SENDER), ("Body", "x")], 21211),
        (vec![("To", "+15005550002"), ("From", SENDER), ("Body", "x")], 21612),
        (vec![("To", "+15005550003"), ("From", SENDER), ("Body", "x")], 21408),
        (vec![("To", PHONE), ("From", "+15005550007"), ("Body", "x")], 21606),
    ] {
        world.twilio(Method::POST, "Messages.json", &form).await.refused(400, code);
    }
    let long = "a".repeat(1_601);
    world.send(PHONE, &long, "m1").await.refused(400, 21617);

    assert!(world.ledger("").await.is_empty());
    let stats = world.stats().await;
    assert_eq!((&stats["accepted"], &stats["refused"]["21617"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn redaction_hides_the_body_from_the_api_and_not_from_the_ledger() {
    let world = World::new().await;
    let sid = world.send(PHONE, "a secret", "m1").await.sid();

    let path = format!("Messages/{sid}.json");
    world.twilio(Method::POST, &path, &[("Body", "")]).await.refused(409, 20009);

    world.rest().await;
    let redacted = world.twilio(Method::POST, &path, &[("Body", "")]).await;
    assert_eq!((redacted.status, &redacted.body["body"]), (200, &json!("")));
    assert_eq!(world.get(&path).await.body["body"], "");
    assert_eq!(world.ledger("").await[0]["body"], "a secret");
}

#[tokio::test]
async fn a_deleted_text_is_gone_from_the_api_and_not_from_the_ledger() {
    let world = World::new().await;
    let sid = world.send(PHONE, "hi", "m1").await.sid();

    let path = format!("Messages/{sid}.json");
    world.twilio(Method::DELETE, &path, &[]).await.refused(409, 20009);

    world.rest().await;
    assert_eq!(world.twilio(Method::DELETE, &path, &[]).await.status, 204);
    world.get(&path).await.refused(404, 20404);
    assert_eq!(world.get("Messages.json").await.body["messages"], json!([]));
    assert_eq!(world.ledger("").await.len(), 1);
}

#[tokio::test]
async fn a_scheduled_text_waits_for_its_business_time_and_can_be_canceled_until_then() {
    let world = World::new().await;
    world.faults(json!({})).await;
    world.register().await;
    world.put("clock", json!({ "now": "2026-03-08T10:00:00Z", "rate": 0 })).await;
    let callback = world.receiver.url("m1");

    let form = [
        ("To", PHONE),
        ("MessagingServiceSid", "MG00000000000000000000000000000001"),
        ("Body", "hi"),
        ("ScheduleType", "fixed"),
        ("SendAt", "2026-03-08T11:00:00Z"),
        ("StatusCallback", &callback),
    ];

    let first = world.twilio(Method::POST, "Messages.json", &form).await;
    assert_eq!((&first.body["status"], &first.body["from"]), (&json!("scheduled"), &Value::Null));

    let second = world.twilio(Method::POST, "Messages.json", &form).await;
    let path = format!("Messages/{}.json", second.sid());
    let canceled = world.twilio(Method::POST, &path, &[("Status", "canceled")]).await;
    assert_eq!(canceled.body["status"], "canceled");
    let hits = world.receiver.wait(1).await;
    assert_eq!(hits[0].status(), "canceled");
    world.twilio(Method::POST, &path, &[("Status", "canceled")]).await.refused(400, 30409);

    world.put("clock", json!({ "now": "2026-03-08T11:00:00Z", "rate": 0 })).await;
    let hits = world.receiver.wait(4).await;
    let mut statuses: Vec<&str> = hits[1..].iter().map(|hit| hit.status()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["delivered", "queued", "sent"]);
    let stats = world.rest().await;
    assert_eq!(stats["by_status"]["canceled"], 1);
    assert_eq!(stats["by_status"]["delivered"], 1);
}

#[tokio::test]
async fn a_service_without_numbers_refuses() {
    let world = World::new().await;
    let service = "MG00000000000000000000000000000001";
    let form = [("To", PHONE), ("MessagingServiceSid", service), ("Body", "hi")];
    world.twilio(Method::POST, "Messages.json", &form).await.refused(400, 21704);

    world.register().await;
    let accepted = world.twilio(Method::POST, "Messages.json", &form).await;
    assert_eq!((accepted.status, &accepted.body["status"]), (201, &json!("accepted")));

    let path = format!("Messages/{}.json", accepted.sid());
    world.rest().await;

    assert_eq!(world.get(&path).await.body["from"], SENDER);
}
