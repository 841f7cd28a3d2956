//! Texts from phones, and the carrier's own opt-out handling.

use reqwest::Method;
use serde_json::json;

use crate::support::{ACCOUNT, PHONE, SENDER, TOKEN, World};

#[tokio::test]
async fn an_inbound_text_is_delivered_as_a_signed_form() {
    let world = World::new().await;
    world.register().await;

    let answer = world.inbound(PHONE, "¿Qué tal? & more").await;
    assert_eq!(answer.status, 202);

    let hit = &world.receiver.wait(1).await[0];
    assert_eq!(hit.reference, "inbound");
    for (name, value) in [
        ("From", PHONE),
        ("To", SENDER),
        ("Body", "¿Qué tal? & more"),
        ("AccountSid", ACCOUNT),
        ("SmsStatus", "received"),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("ApiVersion", "2010-04-01"),
    ] {
        assert_eq!(hit.form[name], value, "{name}");
    }

    let sid = answer.sid();
    for name in ["MessageSid", "SmsSid", "SmsMessageSid"] {
        assert_eq!(hit.form[name], sid);
    }
    assert!(!hit.form.contains_key("OptOutType"));
    assert_eq!(hit.header("x-twilio-signature").len(), 28);

    let stats = world.rest().await;
    assert_eq!((&stats["inbound"]["question"], &stats["inbound"]["total"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_stop_blocks_the_sender_until_start_and_twilio_answers_once() {
    let world = World::new().await;
    world.register().await;
    world.inbound(PHONE, " Stop ").await;
    world.inbound(PHONE, "STOP").await;

    world.send(PHONE, "hi", "m1").await.refused(400, 21610);
    let other = [("To", PHONE), ("From", "+15005550010"), ("Body", "hi")];
    assert_eq!(world.twilio(Method::POST, "Messages.json", &other).await.status, 201);
    assert_eq!(world.send("+14155550101", "hi", "m2").await.status, 201);

    world.inbound(PHONE, "unstop").await;
    assert_eq!(world.send(PHONE, "hi", "m3").await.status, 201);
    let stats = world.rest().await;
    assert_eq!((&stats["inbound"]["stop"], &stats["inbound"]["start"]), (&json!(2), &json!(1)));
    assert_eq!((&stats["auto_replies"], &stats["accepted"]), (&json!(2), &json!(3)));

    let url = format!("{}/sandbox/auto-replies", world.base);
    let replies = world.http.get(url).send().await.unwrap().text().await.unwrap();

    let replies: Vec<serde_json::Value> =
        replies.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&replies[0]["from"], &replies[0]["to"]), (&json!(SENDER), &json!(PHONE)));
    assert!(replies[0]["body"].as_str().unwrap().contains("unsubscribed"));
    assert!(replies[1]["body"].as_str().unwrap().contains("re-subscribed"));
    let hooks = world.receiver.hits().iter().filter(|hit| hit.reference == "inbound").count();
    assert_eq!(hooks, 3, "keywords reach the webhook too");
}

#[tokio::test]
async fn words_that_are_no_keyword_of_twilio_s_do_not_block() {
    let world = World::new().await;
    world.register().await;
    world.inbound(PHONE, "ALTO").await;
    world.inbound(PHONE, "stop please").await;
    assert_eq!(world.send(PHONE, "hi", "m1").await.status, 201);
    let stats = world.rest().await;
    assert_eq!((&stats["inbound"]["alto"], &stats["auto_replies"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn advanced_opt_out_names_its_type_and_blocks() {
    let world = World::new().await;
    world.register().await;
    let text = json!({ "from": PHONE, "to": SENDER, "body": "ALTO", "opt_out_type": "STOP" });
    assert_eq!(world.control(Method::POST, "inbound", text).await.status, 202);
    assert_eq!(world.receiver.wait(1).await[0].form["OptOutType"], "STOP");
    world.send(PHONE, "hi", "m1").await.refused(400, 21610);
}

#[tokio::test]
async fn an_answer_to_a_service_names_it() {
    let world = World::new().await;
    world.register().await;
    let service = "MG0123456789abcdef0123456789abcdef";
    let form = [("To", PHONE), ("MessagingServiceSid", service), ("Body", "hi")];
    assert_eq!(world.twilio(Method::POST, "Messages.json", &form).await.status, 201);

    world.inbound(PHONE, "hello").await;
    world.inbound("+14155550101", "hello").await;
    let hits = world.receiver.wait(2).await;
    assert_eq!(hits[0].form["MessagingServiceSid"], service);
    assert!(!hits[1].form.contains_key("MessagingServiceSid"), "nobody texted this phone");
}

#[tokio::test]
async fn an_inbound_text_that_cannot_be_is_refused_with_the_reason() {
    let world = World::new().await;
    for (text, reason) in [
        (json!({ "from": PHONE, "to": SENDER, "body": "x" }), "register it"),
        (json!({ "from": "415", "to": SENDER, "body": "x" }), "E.164"),
        (json!({ "from": PHONE, "body": "x" }), "to"),
        (json!({ "from": PHONE, "to": SENDER, "body": "x", "opt_out_type": "ALTO" }), "STOP"),
    ] {
        let answer = world.control(Method::POST, "inbound", text).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body["detail"].as_str().unwrap().contains(reason), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_webhook_that_is_busy_gets_the_text_later() {
    let world = World::new().await;
    world.faults(json!({ "callbacks": { "backoff_ms": [1, 5] } })).await;
    world.register().await;
    world.receiver.answer(&[503]);
    world.inbound(PHONE, "hello").await;
    let hits = world.receiver.wait(2).await;
    assert_eq!(hits[0].form["MessageSid"], hits[1].form["MessageSid"]);
    assert_eq!(world.rest().await["callbacks"]["sent"], 1);
}

#[tokio::test]
async fn a_picture_is_a_part_of_its_text_which_twilio_gives_to_its_account() {
    let world = World::new().await;
    world.register().await;
    let text = json!({ "from": PHONE, "to": SENDER, "body": "look", "pictures": 2 });
    let answer = world.control(Method::POST, "inbound", text).await;
    assert_eq!(answer.status, 202, "{}", answer.body);

    let hit = &world.receiver.wait(1).await[0];
    assert_eq!((&*hit.form["NumMedia"], &*hit.form["MediaContentType1"]), ("2", "image/png"));
    let sid = answer.sid();
    assert!(sid.starts_with("MM"), "{sid}");
    let at =
        format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME");
    assert!(hit.form["MediaUrl0"].starts_with(&at), "{}", hit.form["MediaUrl0"]);
    assert_ne!(hit.form["MediaUrl0"], hit.form["MediaUrl1"]);

    let url = hit.form["MediaUrl1"].replace("https://api.twilio.com", &world.base);
    let stranger = world.http.get(&url).send().await.expect("an answer");
    assert_eq!(stranger.status(), 401);
    let request = world.http.get(&url).basic_auth(ACCOUNT, Some(TOKEN));
    let picture = request.send().await.expect("an answer");
    assert_eq!(picture.url().path(), "/sandbox/pictures/picture.png", "after a redirect");
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.expect("bytes").starts_with(b"\x89PNG"));
}
