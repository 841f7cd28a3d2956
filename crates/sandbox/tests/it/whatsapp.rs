//! WhatsApp's Cloud API as its callers see it: sends, windows, templates, signed callbacks, faults
//! and people.

mod templates;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Hit, PHONE, World};

const BUSINESS: &str = "102290129340398";
const NUMBER: &str = "106540352242922";

/// Sets the usual account up, with the receiver as its callback.
async fn business(world: &World) {
    let settings = json!({
        "access_token": "token", "app_secret": "secret", "numbers": [NUMBER],
        "callback_url": world.receiver.url("wa"),
    });
    world.put(&format!("businesses/{BUSINESS}"), settings).await;
}

async fn call(world: &World, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let url = format!("{}/v21.0/{path}", world.base);
    let mut request = world.http.request(method, url).bearer_auth("token");
    if let Some(body) = body {
        request = request.json(body);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn send(world: &World, kind: &str, object: Value, tag: &str) -> Answer {
    let body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": &PHONE[1..],
        "type": kind, kind: object, "biz_opaque_callback_data": tag,
    });
    call(world, Method::POST, &format!("{NUMBER}/messages"), Some(&body)).await
}

async fn text(world: &World, tag: &str) -> Answer {
    send(world, "text", json!({ "body": "hi" }), tag).await
}

/// Writes to the number, as a person does.
async fn write(world: &World, body: &str) {
    let said = json!({ "from": PHONE, "to": NUMBER, "body": body });
    let answer = world.control(Method::POST, "inbound", said).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}

async fn create_template(world: &World, name: &str, body: &str) -> Answer {
    let new = json!({
        "name": name, "language": "en_US", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": body }],
    });
    call(world, Method::POST, &format!("{BUSINESS}/message_templates"), Some(&new)).await
}

fn code(answer: &Answer) -> (u16, u64) {
    (answer.status, answer.body["error"]["code"].as_u64().unwrap_or_default())
}

/// The value of the one change of a callback.
fn value(hit: &Hit) -> Value {
    let envelope: Value = serde_json::from_slice(&hit.body).unwrap();
    assert_eq!(envelope["entry"][0]["id"], BUSINESS);
    assert_eq!(envelope["entry"][0]["changes"][0]["field"], "messages");
    envelope["entry"][0]["changes"][0]["value"].clone()
}

#[tokio::test]
async fn a_free_text_is_taken_once_its_person_has_written_and_called_back_about() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    assert_eq!(code(&text(&world, "t").await), (400, 131_047), "nobody has written yet");

    write(&world, "Señor").await;
    let hits = world.receiver.wait(1).await;
    let said = value(&hits[0]);
    assert_eq!(said["messages"][0]["text"]["body"], "Señor");
    assert_eq!(said["messages"][0]["from"], &PHONE[1..]);
    assert_eq!(said["metadata"]["phone_number_id"], NUMBER);
    let raw = std::str::from_utf8(&hits[0].body).unwrap();
    assert!(raw.contains(r"Se\u00f1or") && raw.is_ascii(), "{raw}");
    assert!(hits[0].header("x-hub-signature-256").starts_with("sha256="));

    let taken = text(&world, "tenant=t&message=m1").await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let id = taken.body["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid."));

    let hits = world.receiver.wait(3).await;
    let statuses: Vec<Value> =
        hits[1..].iter().map(|hit| value(hit)["statuses"][0].clone()).collect();
    let words: Vec<&str> = statuses.iter().filter_map(|one| one["status"].as_str()).collect();
    assert_eq!(words, ["sent", "delivered"]);
    for status in &statuses {
        assert_eq!(status["id"], id);
        assert_eq!(status["biz_opaque_callback_data"], "tenant=t&message=m1");
        assert_eq!(status["pricing"]["category"], "service");
    }

    let ledger = world.ledger("?carrier=whatsapp").await;
    assert_eq!((&ledger[0]["reference"], &ledger[0]["sid"]), (&json!("m1"), &json!(id)));
    assert_eq!(ledger[0]["account"], BUSINESS);
}

#[tokio::test]
async fn a_message_that_is_opened_is_told_and_one_that_fails_says_why() {
    let world = World::new().await;
    business(&world).await;
    write(&world, "hi").await;
    world.faults(json!({ "receipts": { "read": 1.0, "delay_ms": 0 } })).await;
    text(&world, "m1").await;
    let hits = world.receiver.wait(4).await;
    assert_eq!(value(&hits[3])["statuses"][0]["status"], "read");

    world.faults(json!({ "undelivered": { "131026": 1.0 } })).await;
    text(&world, "m2").await;
    let hits = world.receiver.wait(6).await;
    let failed = value(&hits[5])["statuses"][0].clone();
    assert_eq!(
        (&failed["status"], &failed["errors"][0]["code"]),
        (&json!("failed"), &json!(131_026))
    );
}

#[tokio::test]
async fn templates_are_created_listed_and_sent_at_any_time() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    for (name, body) in [("plain", "Hello."), ("order", "Order {{1}} for {{2}} is on its way.")] {
        let made = create_template(&world, name, body).await;
        assert_eq!((made.status, &made.body["status"]), (200, &json!("APPROVED")), "{}", made.body);
    }
    assert_eq!(code(&create_template(&world, "plain", "x").await), (400, 100), "there is one");

    let path = format!("{BUSINESS}/message_templates?limit=1");
    let first = call(&world, Method::GET, &path, None).await.body;
    assert_eq!(first["data"][0]["name"], "order");
    let next = first["paging"]["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}/v21.0/{BUSINESS}/", world.base)), "{next}");
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let last = call(&world, Method::GET, &format!("{path}&after={after}"), None).await.body;
    assert_eq!(last["data"][0]["name"], "plain");
    assert!(last["paging"]["next"].is_null());

    let with = |name: &str, language: &str, values: &[&str]| {
        let parameters: Vec<Value> =
            values.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        json!({ "name": name, "language": { "code": language },
            "components": [{ "type": "body", "parameters": parameters }] })
    };
    for (template, answered) in [
        (with("plain", "en_US", &[]), (200, 0)),
        (with("order", "en_US", &["7", "Ana"]), (200, 0)),
        (with("order", "en_US", &["7"]), (400, 132_000)),
        (with("order", "de", &["7", "Ana"]), (404, 132_001)),
        (with("order", "en_US", &["7", " "]), (400, 131_008)),
        (with("order", "en_US", &["7", "a\nb"]), (400, 132_018)),
    ] {
        let answer = send(&world, "template", template.clone(), "t").await;
        assert_eq!(code(&answer), answered, "{template}");
    }
    let ledger = world.ledger("?carrier=whatsapp").await;
    assert_eq!(ledger[1]["body"], "Order 7 for Ana is on its way.");
}

/// Does something else than writing: the fields beside say what.
async fn does(world: &World, fields: Value) {
    let mut said = json!({ "from": PHONE, "to": NUMBER, "body": "Yes" });
    for (name, value) in fields.as_object().unwrap() {
        said[name] = value.clone();
    }
    let answer = world.control(Method::POST, "inbound", said).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}

#[tokio::test]
async fn files_questions_and_signs_are_taken_within_metas_limits() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    write(&world, "hi").await;

    let button =
        |id: &str, title: &str| json!({ "type": "reply", "reply": { "id": id, "title": title } });
    let buttons = |all: Vec<Value>| {
        let action = json!({ "buttons": all });
        json!({ "type": "button", "body": { "text": "Come?" }, "action": action })
    };
    let list = |title: &str| {
        let rows = json!([{ "id": "1", "title": title, "description": "Afternoon" }]);
        json!({ "type": "list", "body": { "text": "When?" },
            "action": { "button": "Days", "sections": [{ "rows": rows }] } })
    };
    for (kind, object, answered) in [
        ("image", json!({ "link": "https://x.test/a.jpg", "caption": "Look" }), (200, 0)),
        ("document", json!({ "caption": "no link" }), (400, 100)),
        ("interactive", buttons(vec![button("y", "Yes"), button("n", "No")]), (200, 0)),
        ("interactive", buttons(vec![]), (400, 131_009)),
        ("interactive", buttons(vec![button("y", &"x".repeat(21))]), (400, 131_009)),
        ("interactive", list("Monday"), (200, 0)),
        ("interactive", list(&"x".repeat(25)), (400, 131_009)),
        ("interactive", json!({ "type": "list" }), (400, 131_008)),
        ("reaction", json!({ "message_id": "wamid.1", "emoji": "👍" }), (200, 0)),
        ("reaction", json!({ "emoji": "👍" }), (400, 131_008)),
        ("poll", json!({}), (400, 131_051)),
    ] {
        let answer = send(&world, kind, object.clone(), "t").await;
        assert_eq!(code(&answer), answered, "{kind} {object}");
    }
    let bodies: Vec<Value> = world
        .ledger("?carrier=whatsapp")
        .await
        .into_iter()
        .map(|mut text| text["body"].take())
        .collect();
    assert_eq!(bodies, ["Look", "Come?", "When?", "👍"]);
}

#[tokio::test]
async fn people_press_choose_sign_and_send_pictures() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;

    // A sign opens no window, a press does.
    does(&world, json!({ "reaction_to": "wamid.1", "body": "👍" })).await;
    assert_eq!(code(&text(&world, "t").await), (400, 131_047));
    does(&world, json!({ "button": "y" })).await;
    assert_eq!(text(&world, "t").await.status, 200);
    does(&world, json!({ "row": "mon" })).await;
    does(&world, json!({ "template_button": "p" })).await;
    does(&world, json!({ "pictures": 2, "body": "Look" })).await;

    let hits = world.receiver.wait(7).await;
    let said: Vec<Value> =
        hits.iter().map(value).filter(|value| !value["messages"].is_null()).collect();
    let of = |kind: &str| {
        let mut all = said.iter().map(|value| &value["messages"]);
        all.find(|messages| messages[0].to_string().contains(kind)).expect("it was called back")
    };
    assert_eq!(of("reaction")[0]["reaction"], json!({ "message_id": "wamid.1", "emoji": "👍" }));
    assert_eq!(of("button_reply")[0]["interactive"]["button_reply"]["id"], "y");
    assert_eq!(of("list_reply")[0]["interactive"]["list_reply"]["title"], "Yes");
    assert_eq!(of("payload")[0]["button"], json!({ "payload": "p", "text": "Yes" }));

    // Each picture is a message; its id leads to its bytes, with the account's token alone.
    let pictures = of("image");
    assert_eq!(
        (&pictures[0]["image"]["caption"], pictures.as_array().unwrap().len()),
        (&json!("Look"), 2)
    );
    let id = pictures[1]["image"]["id"].as_str().unwrap();
    let told = call(&world, Method::GET, id, None).await;
    assert_eq!((told.status, &told.body["mime_type"]), (200, &json!("image/png")));
    let url =
        told.body["url"].as_str().unwrap().replace("https://lookaside.fbsbx.com", &world.base);
    let bytes = world.http.get(&url).bearer_auth("token").send().await.unwrap();
    assert_eq!(bytes.headers()["content-type"], "image/png");
    assert_eq!(bytes.bytes().await.unwrap().len() as u64, told.body["file_size"].as_u64().unwrap());
    let node = format!("{}/v21.0/{id}", world.base);
    for url in [url.as_str(), node.as_str()] {
        let refused = world.http.get(url).bearer_auth("x").send().await.unwrap();
        assert_eq!(code(&Answer::of(refused).await), (401, 190), "{url}");
    }
}

#[tokio::test]
async fn what_is_written_on_the_phone_itself_is_told_and_opens_no_window() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    let said = json!({ "from": NUMBER, "to": PHONE, "body": "We open at nine." });
    let answer = world.control(Method::POST, "echo", said).await;
    assert_eq!(answer.status, 202, "{}", answer.body);

    let hits = world.receiver.wait(1).await;
    let envelope: Value = serde_json::from_slice(&hits[0].body).unwrap();
    let change = &envelope["entry"][0]["changes"][0];
    assert_eq!(change["field"], "smb_message_echoes");
    assert_eq!(change["value"]["metadata"]["phone_number_id"], NUMBER);
    let echo = &change["value"]["message_echoes"][0];
    assert_eq!((&echo["to"], &echo["id"]), (&json!(PHONE[1..]), &answer.body["sid"]));
    assert_eq!(echo["text"]["body"], "We open at nine.");
    assert!(hits[0].header("x-hub-signature-256").starts_with("sha256="));
    assert_eq!(code(&text(&world, "t").await), (400, 131_047), "the person has not written");

    for wrong in [json!({ "from": "1", "to": PHONE, "body": "Hi" }), json!({ "from": NUMBER })] {
        assert_eq!(world.control(Method::POST, "echo", wrong).await.status, 422);
    }
}

/// The field and the value of the one change of a callback that is about no message.
fn told(hit: &Hit) -> (String, Value) {
    let envelope: Value = serde_json::from_slice(&hit.body).unwrap();
    let entry = &envelope["entry"][0];
    assert!(entry["time"].is_i64(), "{envelope}");
    let change = &entry["changes"][0];
    (change["field"].as_str().unwrap().to_owned(), change["value"].clone())
}

/// Changes a template as Meta's reviewers do; the answer.
async fn review(world: &World, name: &str, change: Value) -> Answer {
    let path = format!("businesses/{BUSINESS}/templates/{name}/en_US");
    world.control(Method::PUT, &path, change).await
}

#[tokio::test]
async fn a_person_stops_marketing_in_whatsapp_itself_and_takes_it_up_again() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    create_template(&world, "plain", "Hello.").await;
    create_template(&world, "sale", "Sale!").await;
    review(&world, "sale", json!({ "category": "MARKETING", "told": false })).await;
    let template = |name: &str| json!({ "name": name, "language": { "code": "en_US" } });
    let prefers = async |marketing: &str, calls: usize| {
        let choice = json!({ "from": PHONE, "to": NUMBER, "marketing": marketing });
        let answer = world.control(Method::POST, "preferences", choice).await;
        assert_eq!((answer.status, &answer.body["callbacks"]), (202, &json!(1)));
        let (field, value) = told(&world.receiver.wait(calls).await[calls - 1]);
        assert_eq!(field, "user_preferences");
        let told = &value["user_preferences"][0];
        assert_eq!((&told["value"], &told["wa_id"]), (&json!(marketing), &json!(&PHONE[1..])));
    };

    prefers("stop", 1).await;
    assert_eq!(code(&send(&world, "template", template("sale"), "t").await), (400, 131_050));
    prefers("resume", 2).await;
    assert_eq!(send(&world, "template", template("sale"), "t").await.status, 200);
    world.rest().await;
    prefers("stop", 5).await;
    assert_eq!(send(&world, "template", template("plain"), "t").await.status, 200);

    let nobody = json!({ "from": PHONE, "to": "1", "marketing": "stop" });
    assert_eq!(world.control(Method::POST, "preferences", nobody).await.status, 422);
}

#[tokio::test]
async fn wrong_tokens_nodes_and_faults_are_refused_with_metas_codes() {
    let world = World::new().await;
    business(&world).await;
    write(&world, "hi").await;
    let url = format!("{}/v21.0/{NUMBER}/messages", world.base);
    let other = world.http.post(&url).bearer_auth("x").json(&json!({})).send().await.unwrap();
    assert_eq!(code(&Answer::of(other).await), (401, 190));
    let nobody = call(&world, Method::POST, "999999999/messages", Some(&json!({}))).await;
    assert_eq!(code(&nobody), (400, 100));
    let number = call(&world, Method::GET, NUMBER, None).await;
    assert_eq!((number.status, &number.body["quality_rating"]), (200, &json!("GREEN")));

    let taken = async || world.stats().await["accepted"].as_u64().unwrap();
    for (fault, answered, takes) in [
        (json!({ "http_429": { "rate": 1.0, "retry_after": 3 } }), (429, 130_429), 0),
        (json!({ "http_5xx_before": 1.0 }), (503, 131_016), 0),
        (json!({ "http_5xx_after": 1.0 }), (500, 131_000), 1),
        (json!({ "refuse": { "131031": 1.0 } }), (400, 131_031), 0),
    ] {
        let before = taken().await;
        world.faults(fault.clone()).await;
        assert_eq!(code(&text(&world, "t").await), answered, "{fault}");
        assert_eq!(taken().await - before, takes, "{fault}");
    }
}
