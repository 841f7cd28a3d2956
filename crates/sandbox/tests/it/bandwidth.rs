//! Bandwidth as its callers see it: sends, callbacks, lists, faults and people.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Hit, PHONE, SENDER, World, now};

const ACCOUNT: &str = "9900000";
const APPLICATION: &str = "93de2206-9669-4e07-948d-329f4b722ee2";

/// Sets the usual application up, with the receiver as its callback.
async fn application(world: &World) {
    let settings = json!({
        "account": ACCOUNT, "callback_url": world.receiver.url("app"), "user": "u",
        "password": "p", "numbers": [SENDER],
    });
    world.put(&format!("applications/{APPLICATION}"), settings).await;
}

async fn call(world: &World, method: Method, query: &str, body: Option<&Value>) -> Answer {
    let url = format!("{}/api/v2/users/{ACCOUNT}/messages{query}", world.base);
    let mut request = world.http.request(method, url).basic_auth("user", Some("word"));
    if let Some(body) = body {
        request = request.json(body);
    }
    Answer::of(request.send().await.unwrap()).await
}

fn draft(to: &str, text: &str, tag: &str) -> Value {
    json!({ "applicationId": APPLICATION, "to": [to], "from": SENDER, "text": text, "tag": tag })
}

async fn send(world: &World, to: &str, text: &str, tag: &str) -> Answer {
    call(world, Method::POST, "", Some(&draft(to, text, tag))).await
}

async fn list(world: &World, query: &str) -> Value {
    let answer = call(world, Method::GET, query, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn ids(list: &Value) -> Vec<&str> {
    let messages = list["messages"].as_array().unwrap();
    messages.iter().map(|message| message["messageId"].as_str().unwrap()).collect()
}

/// The one event of a callback.
fn event(hit: &Hit) -> Value {
    let events: Value = serde_json::from_slice(&hit.body).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
    events[0].clone()
}

/// The types of the callbacks about one text, in the order in which they came.
fn kinds(hits: &[Hit]) -> Vec<String> {
    hits.iter().map(|hit| event(hit)["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_text_is_taken_and_called_back_about_with_its_tag() {
    let world = World::new().await;
    application(&world).await;
    world.faults(json!({})).await;

    let taken = send(&world, PHONE, "hi", "tenant=t&message=m1").await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let id = taken.body["id"].as_str().unwrap();
    assert_eq!(taken.body["segmentCount"], 1);
    assert_eq!(taken.body["direction"], "out");
    assert_eq!(taken.body["to"], json!([PHONE]));
    assert_eq!(taken.body["tag"], "tenant=t&message=m1");

    let hits = world.receiver.wait(2).await;
    assert_eq!(kinds(&hits), ["message-sent", "message-delivered"]);
    for hit in &hits {
        assert_eq!(hit.header("authorization"), "Basic dTpw");
        assert_eq!(hit.header("user-agent"), "BandwidthAPI/v2");
        assert_eq!(hit.header("content-type"), "application/json; charset=utf-8");
        let event = event(hit);
        assert_eq!((&event["to"], &event["errorCode"]), (&json!(PHONE), &Value::Null));
        let message = &event["message"];
        assert_eq!((&message["id"], &message["tag"]), (&json!(id), &json!("tenant=t&message=m1")));
        assert_eq!((&message["direction"], &message["text"]), (&json!("out"), &json!("")));
        assert_eq!((&message["owner"], &message["from"]), (&json!(SENDER), &json!(SENDER)));
    }

    let ledger = world.ledger("?carrier=bandwidth").await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((&ledger[0]["reference"], &ledger[0]["sid"]), (&json!("m1"), &json!(id)));
    assert_eq!(
        (&ledger[0]["account"], &ledger[0]["status"]),
        (&json!(ACCOUNT), &json!("delivered"))
    );
    assert!(world.ledger("?carrier=twilio").await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named_by_its_field() {
    let world = World::new().await;
    application(&world).await;
    let long = "x".repeat(2_049);
    let change = |name: &str, value: Value| {
        let mut draft = draft(PHONE, "hi", "t");
        draft[name] = value;
        draft
    };

    for (field, body) in [
        ("applicationId", change("applicationId", json!(""))),
        ("applicationId", change("applicationId", json!("another"))),
        ("to", change("to", json!(["4155550100"]))),
        ("to", change("to", json!([]))),
        ("to", change("to", json!([SENDER]))),
        ("from", change("from", json!("no sender"))),
        ("text", change("text", json!(""))),
        ("text", change("text", json!(long))),
        ("tag", change("tag", json!("x".repeat(1_025)))),
        ("expiration", change("expiration", json!("2020-01-01T00:00:00Z"))),
    ] {
        let answer = call(&world, Method::POST, "", Some(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.body["type"], "request-validation");
        assert_eq!(answer.body["fieldErrors"][0]["fieldName"], field, "{body}");
    }

    assert_eq!(call(&world, Method::POST, "", Some(&json!(7))).await.status, 400);
    assert_eq!(call(&world, Method::DELETE, "", None).await.status, 405);
    let url = format!("{}/api/v2/users/{ACCOUNT}/messages", world.base);
    let other = world.http.get(&url).basic_auth("user", Some("other")).send().await.unwrap();
    let other = Answer::of(other).await;
    assert_eq!((other.status, &other.body["type"]), (401, &json!("unauthorized")));
    assert!(world.ledger("").await.is_empty(), "nothing was taken");
}

#[tokio::test]
async fn texts_are_listed_newest_first_by_numbers_and_time_in_pages_without_their_text() {
    let world = World::new().await;
    application(&world).await;
    world.faults(json!({})).await;
    let mut sent = Vec::new();
    for n in 0..5 {
        let taken = send(&world, PHONE, "hi", &n.to_string()).await;
        sent.insert(0, taken.body["id"].as_str().unwrap().to_owned());
    }
    send(&world, "+14155550101", "hi", "else").await;
    world.rest().await;

    let between = format!("?sourceTn=%2B15005550006&destinationTn={}", PHONE.replace('+', "%2B"));
    let all = list(&world, &between).await;
    assert_eq!(ids(&all), sent);
    assert_eq!(all["totalCount"], 5);
    let first = &all["messages"][0];
    assert_eq!(
        (&first["messageStatus"], &first["messageDirection"]),
        (&json!("DELIVERED"), &json!("OUTBOUND"))
    );
    assert_eq!((&first["text"], &first["tag"]), (&Value::Null, &Value::Null));

    let mut found: Vec<String> = Vec::new();
    let mut token = String::new();
    for _ in 0..3 {
        let page = list(&world, &format!("{between}&limit=2{token}")).await;
        found.extend(ids(&page).into_iter().map(str::to_owned));
        let next = page["pageInfo"]["nextPageToken"].as_str().unwrap_or_default();
        token = format!("&pageToken={next}");
    }
    assert_eq!(found, sent);
    assert_eq!(token, "&pageToken=", "the last page has no next one");

    let day = now().strftime("%Y-%m-%dT00:00:00.000Z").to_string();
    assert_eq!(ids(&list(&world, &format!("{between}&fromDateTime={day}")).await).len(), 5);
    assert!(ids(&list(&world, &format!("{between}&toDateTime={day}")).await).is_empty());
    assert_eq!(ids(&list(&world, &format!("?messageId={}", sent[2])).await), [&sent[2]]);
    assert!(ids(&list(&world, "?messageDirection=INBOUND").await).is_empty());
    assert_eq!(ids(&list(&world, "").await).len(), 6);
    assert_eq!(call(&world, Method::GET, "?fromDateTime=soon", None).await.status, 400);

    world.faults(json!({ "list_lag_ms": 600_000 })).await;
    assert!(ids(&list(&world, &between).await).is_empty(), "not listed yet");
}

#[tokio::test]
async fn faults_strike_before_and_after_a_text_is_taken() {
    let world = World::new().await;
    application(&world).await;
    let taken = async || world.stats().await["accepted"].as_u64().unwrap();

    for (fault, status, kind, takes) in [
        (
            json!({ "http_429": { "rate": 1.0, "retry_after": 3 } }),
            429,
            "max-message-queue-size-exceeded",
            0,
        ),
        (json!({ "http_5xx_before": 1.0 }), 503, "service-unavailable", 0),
        (json!({ "http_5xx_after": 1.0 }), 500, "internal-server-error", 1),
        (json!({ "refuse": { "403": 1.0 } }), 403, "forbidden", 0),
        (json!({ "refuse": { "4720": 1.0 } }), 400, "request-validation", 0),
    ] {
        world.faults(fault.clone()).await;
        let before = taken().await;
        let answer = send(&world, PHONE, "hi", "t").await;
        assert_eq!((answer.status, &answer.body["type"]), (status, &json!(kind)), "{fault}");
        assert_eq!(taken().await - before, takes, "{fault}");
        let wish = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(wish, (status == 429).then_some("3"));
    }

    let cut = async |fault: Value| {
        world.faults(fault).await;
        let url = format!("{}/api/v2/users/{ACCOUNT}/messages", world.base);
        let request = world.http.post(url).basic_auth("user", Some("word"));
        assert!(request.json(&draft(PHONE, "lost", "t")).send().await.is_err());
    };
    let before = taken().await;
    cut(json!({ "reset_before": 1.0 })).await;
    assert_eq!(taken().await, before);
    cut(json!({ "lost_response": 1.0 })).await;
    assert_eq!(taken().await, before + 1);
}

#[tokio::test]
async fn receipts_fail_repeat_and_come_before_the_answer() {
    let world = World::new().await;
    application(&world).await;
    world.faults(json!({ "undelivered": { "4720": 1.0 } })).await;
    send(&world, PHONE, "hi", "t").await;
    let hits = world.receiver.wait(2).await;
    assert_eq!(kinds(&hits), ["message-sent", "message-failed"]);
    assert_eq!(event(&hits[1])["errorCode"], 4720);
    world.rest().await;
    assert_eq!(list(&world, "").await["messages"][0]["errorCode"], 4720);

    let receipts = json!({ "duplicate": 1.0, "before_response": 1.0 });
    world.faults(json!({ "receipts": receipts, "latency_ms": 300 })).await;
    let answer = send(&world, PHONE, "hi again", "t2").await;
    assert_eq!(answer.status, 202);
    assert!(world.receiver.hits().len() > 2, "its first callback was there before the answer");
    world.receiver.wait(6).await;
    world.rest().await;
    assert_eq!(world.receiver.hits().len(), 6, "each twice");
}

#[tokio::test]
async fn people_answer_to_the_application_and_opt_out_words_are_passed_on() {
    let world = World::new().await;
    application(&world).await;
    world.faults(json!({})).await;
    let answer = world.inbound(PHONE, "STOP").await;
    assert_eq!(answer.status, 202, "{}", answer.body);

    let hits = world.receiver.wait(1).await;
    let event = event(&hits[0]);
    assert_eq!((&event["type"], &event["to"]), (&json!("message-received"), &json!(SENDER)));
    let message = &event["message"];
    assert_eq!((&message["text"], &message["direction"]), (&json!("STOP"), &json!("in")));
    assert_eq!((&message["from"], &message["owner"]), (&json!(PHONE), &json!(SENDER)));
    assert_eq!(hits[0].header("authorization"), "Basic dTpw");

    // Bandwidth blocks nobody by itself, and answers nothing.
    assert_eq!(send(&world, PHONE, "hi", "t").await.status, 202);
    let stats = world.rest().await;
    assert_eq!((&stats["auto_replies"], &stats["inbound"]["stop"]), (&json!(0), &json!(1)));

    // A persona behaves as with any carrier.
    world.put("personas", json!({ "question_rate": 1.0, "reply_delay_ms": 0 })).await;
    let before = world.receiver.hits().len();
    send(&world, "+14155550102", "any questions?", "t").await;
    world.receiver.wait(before + 3).await;
    assert_eq!(world.rest().await["inbound"]["question"], 1);
}

#[tokio::test]
async fn a_picture_comes_with_its_text_and_is_given_to_the_account() {
    let world = World::new().await;
    application(&world).await;
    let text = json!({ "from": PHONE, "to": SENDER, "body": "look", "pictures": 1 });
    assert_eq!(world.control(Method::POST, "inbound", text).await.status, 202);
    let event = event(&world.receiver.wait(1).await[0]);
    let url = event["message"]["media"][0].as_str().expect("an address").to_owned();

    let own = "https://messaging.bandwidth.com";
    assert!(url.starts_with(&format!("{own}/api/v2/users/{ACCOUNT}/media/")), "{url}");
    let url = url.replace(own, &world.base);
    let stranger = world.http.get(&url).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let picture = world.http.get(&url).basic_auth("user", Some("word")).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn an_outage_and_a_reset_are_as_with_every_carrier() {
    let world = World::new().await;
    application(&world).await;
    let outage = json!({ "account_outage": [{ "account": ACCOUNT, "from": "2000-01-01T00:00:00Z",
        "to": "2100-01-01T00:00:00Z", "status": 503 }] });
    world.faults(outage).await;
    assert_eq!(send(&world, PHONE, "hi", "t").await.status, 503);

    let answer = world.control(Method::POST, "reset", json!({ "all": true })).await;
    assert_eq!(answer.status, 200);
    let refused = send(&world, PHONE, "hi", "t").await;
    assert_eq!(refused.body["fieldErrors"][0]["fieldName"], "applicationId", "it is gone");
    let bad = json!({ "account": ACCOUNT, "callback_url": "x", "numbers": [] });
    let path = format!("applications/{APPLICATION}");
    assert_eq!(world.control(Method::PUT, &path, bad).await.status, 422);
}
