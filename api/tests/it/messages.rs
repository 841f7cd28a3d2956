//! Messages: accepted when the broker has them, once per key, and shown when the row is there.

use domain::ids::{MessageId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::{Submitted, message::Content};

use crate::{
    harness::{World, send},
    settings::{carrier, template},
};

fn message(to: &str) -> Value {
    json!({ "to": to, "class": "promo", "body": "Hello" })
}

#[tokio::test]
async fn an_accepted_message_is_on_the_stream_of_its_lane_with_its_trace() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    carrier(&admin, "main", "+12125550199").await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let body = json!({
        "to": "(212) 555-0123", "class": "transactional", "body": "Your code is 1",
        "from": "+12125550199", "validity_seconds": 60, "metadata": { "order": "7" },
    });
    let request = caller.request(Method::POST, "/v1/messages").header("traceparent", trace);
    let answer = send(request.json(&body)).await;

    assert_eq!(answer.headers["ratelimit-remaining"], "49999");

    let accepted = answer.expect(202);
    assert_eq!(accepted["status"], "accepted");

    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let [stored] = stored.as_slice() else { panic!("one message, not {}", stored.len()) };
    assert_eq!(accepted["id"], stored.head.id.to_string());
    assert_eq!(stored.head.to.as_str(), "+12125550123");
    assert_eq!(stored.head.trace.as_deref(), Some(trace));
    assert_eq!(stored.head.submitted_at.to_string(), "2026-05-01T15:00:00Z");
    assert_eq!(stored.head.expires_at.unwrap().to_string(), "2026-05-01T15:01:00Z");
    assert_eq!(stored.content, Content::Body("Your code is 1".into()));
    assert_eq!(stored.metadata["order"], "7");
    assert_eq!(stored.body_hash.len(), 64);
}

#[tokio::test]
async fn the_same_key_is_the_same_message_and_the_hash_tells_bodies_apart() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let tenant: TenantId = "acme".parse().unwrap();
    for to in ["+12125550123", "212-555-0123", "+12125550124"] {
        let answer = caller.post_once("/v1/messages", "k-1", &message(to)).await.expect(202);
        assert_eq!(answer["id"], MessageId::from_key(&tenant, "k-1").to_string());
    }

    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.bulk").await;

    assert_eq!(stored.len(), 2, "written differently, the same message: the same frame");
    assert_ne!(stored[0].body_hash, stored[1].body_hash);
    assert_eq!(stored[0].head.id, stored[1].head.id);

    let key = "x".repeat(256);
    caller.post_once("/v1/messages", &key, &message("+12125550123")).await.problem(422);
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let wrong = json!({
        "to": "123", "class": "compliance", "body": "x", "template": { "id": uuid::Uuid::nil() },
        "channel": "fax", "from": "*", "validity_seconds": 0,
        "metadata": { "a": "x".repeat(3000) }, "idempotency_key": "k",
    });
    let fields: Vec<_> = caller.post("/v1/messages", &wrong).await.problem(422);
    let named: Vec<_> = fields.iter().map(|(field, _)| field.as_str()).collect();

    assert_eq!(
        named,
        [
            "idempotency_key",
            "class",
            "to",
            "channel",
            "from",
            "template",
            "validity_seconds",
            "metadata"
        ]
    );
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named_with_its_code() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    for (body, field, code) in [
        (json!({ "to": "+12125550123", "body": "x" }), "class", "required"),
        (json!(["+12125550123", "transactional", "hi"]), "", "invalid_type"),
        (
            json!({ "to": "+12125550123", "class": "promo", "template": [uuid::Uuid::nil()] }),
            "template",
            "invalid_type",
        ),
        (json!({ "to": "+12125550123", "class": "promo" }), "body", "required"),
        (json!({ "to": 1, "class": "promo", "body": "x" }), "to", "invalid_type"),
        (
            json!({ "to": "+12125550123", "class": "promo", "body": "x", "send_at": "y" }),
            "send_at",
            "unknown_field",
        ),
        (
            json!({ "to": "+12125550123", "class": "promo", "body": "a\u{0}b" }),
            "body",
            "invalid_character",
        ),
        (
            json!({ "to": "+12125550123", "class": "transactional", "body": "x".repeat(1531) }),
            "body",
            "too_long",
        ),
        (
            json!({ "to": "+12125550123", "class": "promo", "body": "x".repeat(1530) }),
            "body",
            "too_long",
        ),
        (
            json!({ "to": "+12125550123", "class": "transactional", "body": "я".repeat(671) }),
            "body",
            "too_long",
        ),
        (
            json!({ "to": "+12125550123", "class": "promo", "template": {
                "id": uuid::Uuid::nil(), "variables": { "link": "x".repeat(501) } } }),
            "template.variables.link",
            "too_long",
        ),
        (
            json!({ "to": "+12125550123", "class": "promo", "template": {} }),
            "template.id",
            "required",
        ),
    ] {
        let errors = caller.post("/v1/messages", &body).await.problem(422);
        assert_eq!(errors, [(field.to_owned(), code.to_owned())]);
    }

    let none: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.bulk").await;
    assert!(none.is_empty(), "what is refused is not published");
}

#[tokio::test]
async fn all_that_is_missing_is_named_and_the_longest_text_is_taken() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let all = caller.post("/v1/messages", &json!({})).await.problem(422);
    let missing = ["class", "to", "body"].map(|field| (field.to_owned(), "required".to_owned()));
    assert_eq!(all, missing);

    let longest = json!({ "to": "+12125550123", "class": "promo", "body": "x".repeat(1497) });
    caller.post("/v1/messages", &longest).await.expect(202);
}

#[tokio::test]
async fn what_a_message_names_and_is_not_there_is_refused_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let hello = template(&caller).await;
    let code = json!({ "name": "Code", "variables": ["code"], "variants": [
        { "key": "a", "weight": 1, "bodies": { "en": "Hi {first_name}, {code}" } },
    ] });
    let code = caller.post("/v1/templates", &code).await.expect(201)["id"].clone();
    let ana = json!({ "phone": "+12125550123", "first_name": "Ana" });
    caller.post("/v1/contacts", &ana).await.expect(201);
    let message = |more: Value| {
        let mut message = json!({ "to": "+12125550123", "class": "transactional" });
        let more = more.as_object().unwrap().clone();
        message.as_object_mut().unwrap().extend(more);
        message
    };

    let nobody = uuid::Uuid::nil();
    let given = json!({ "id": code, "variables": { "code": "7" } });
    for (more, field, code) in [
        (json!({ "body": "x", "from": "+12125550198" }), "from", "not_found"),
        (json!({ "body": "x", "from": nobody }), "from", "not_found"),
        (json!({ "body": "x", "pool": nobody }), "pool", "not_found"),
        (json!({ "template": { "id": nobody } }), "template.id", "not_found"),
        (json!({ "template": { "id": code } }), "template.variables", "missing_variable"),
        (
            json!({ "template": given, "to": "+12125550124" }),
            "template.variables",
            "missing_variable",
        ),
    ] {
        let refused = caller.post("/v1/messages", &message(more.clone())).await;
        assert_eq!(refused.problem(422), [(field.to_owned(), code.to_owned())], "{more}");
        let batch = json!({ "messages": [message(more), message(json!({ "body": "x" }))] });
        let batch = caller.post("/v1/messages/batch", &batch).await.expect(202);
        assert_eq!(batch["rejected"][0]["errors"][0]["field"], field);
        assert_eq!(batch["items"][0]["index"], 1);
    }

    for more in [
        json!({ "body": "x", "from": "(212) 555-0199" }),
        json!({ "body": "x", "from": sender }),
        json!({ "body": "x", "pool": pool }),
        json!({ "template": { "id": hello } }),
        json!({ "template": given }),
    ] {
        for _ in 0..2 {
            caller.post("/v1/messages", &message(more.clone())).await.expect(202);
        }
    }
}

#[tokio::test]
async fn what_a_template_makes_of_a_message_is_found_wrong_again_and_again() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    carrier(&caller, "main", "+12125550199").await;
    let long = json!({ "name": "Long", "variables": ["code"], "variants": [
        { "key": "a", "weight": 1, "bodies": { "en": format!("{} {{code}}", "a".repeat(1_200)) } },
    ] });
    let long = caller.post("/v1/templates", &long).await.expect(201)["id"].clone();
    let message = |code: &str| {
        let template = json!({ "id": long, "variables": { "code": code } });
        json!({ "to": "+12125550123", "class": "transactional", "template": template })
    };

    for _ in 0..2 {
        caller.post("/v1/messages", &message("7")).await.expect(202);
        let refused = caller.post("/v1/messages", &message(&"b".repeat(400))).await.problem(422);
        assert_eq!(refused[0].1, "too_long");
        let refused = caller.post("/v1/messages", &message("\u{200b}")).await.expect(422);
        assert_eq!(refused["errors"][0]["code"], "missing_variable", "{refused}");
        let detail = refused["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("give code"), "{detail}");
    }
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_right_is_422_with_every_index() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let batch = json!({ "messages": [message("nobody"), { "to": "+12125550123" }] });

    let errors = caller.post("/v1/messages/batch", &batch).await.problem(422);
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["messages[0].to", "messages[1].class", "messages[1].body"]);
}

#[tokio::test]
async fn a_batch_takes_what_is_right_and_names_what_is_not() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let tenant: TenantId = "acme".parse().unwrap();
    let mut items: Vec<Value> = (0..4).map(|n| message(&format!("+1212555010{n}"))).collect();
    items[1]["to"] = json!("nobody");
    items[2]["idempotency_key"] = json!("own");
    items[3]["class"] = json!("transactional");
    let body = json!({ "messages": items });
    let answer = caller.post_once("/v1/messages/batch", "b", &body).await.expect(202);
    let ids = [
        MessageId::from_batch(&tenant, "b", 0),
        MessageId::from_key(&tenant, "own"),
        MessageId::from_batch(&tenant, "b", 3),
    ];

    assert_eq!(answer["accepted"], 3);
    assert_eq!(answer["ids"], json!(ids));
    let indices: Vec<&Value> =
        answer["items"].as_array().unwrap().iter().map(|item| &item["index"]).collect();
    assert_eq!(indices, [0, 2, 3]);
    assert_eq!(answer["rejected"][0]["index"], 1);
    assert_eq!(answer["rejected"][0]["errors"][0]["field"], "to");

    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    let request = caller.request(Method::POST, "/v1/messages/batch").header("Idempotency-Key", "b");
    let request = request.header("Content-Type", "application/x-ndjson").body(lines);
    assert_eq!(send(request).await.expect(202), answer, "lines are the same batch");

    let many = json!({ "messages": vec![message("+12125550100"); 1001] });
    caller.post("/v1/messages/batch", &many).await.problem(422);
}

#[tokio::test]
async fn requests_that_come_together_share_a_frame_across_tenants() {
    let world = World::start().await;
    let callers = [
        world.caller("acme", KeyRole::Operator).await,
        world.caller("globex", KeyRole::Operator).await,
    ];
    // The keys and tenants are looked up first, so that nothing but the publish is waited for.
    for caller in &callers {
        caller.post("/v1/messages", &message("+12125550100")).await.expect(202);
    }
    let all = (0..64).map(|n| {
        let caller = callers[n % 2].clone();
        async move { caller.post("/v1/messages", &message("+12125550100")).await.expect(202) }
    });
    futures::future::join_all(all).await;
    let frames = world.frames("SUBMITTED", "msg.submitted.bulk").await;
    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.bulk").await;

    assert_eq!(stored.len(), 66);
    assert!(frames.len() < 40, "{} frames of 66 messages", frames.len());

    let mixed = frames.iter().any(|frame| {
        let text = String::from_utf8_lossy(frame);
        text.contains("acme") && text.contains("globex")
    });
    assert!(mixed, "tenants mix in a frame");
}

#[tokio::test]
async fn a_tenant_over_its_quota_gets_its_own_429() {
    let world = World::start_with(|settings| {
        settings.submit_per_second = 1;
        settings.submit_burst = 3;
    })
    .await;
    let flooding = world.caller("acme", KeyRole::Operator).await;
    let other = world.caller("globex", KeyRole::Operator).await;
    for _ in 0..3 {
        flooding.post("/v1/messages", &message("+12125550100")).await.expect(202);
    }
    let refused = flooding.post("/v1/messages", &message("+12125550100")).await;

    assert_eq!(refused.headers["ratelimit-remaining"], "0");
    assert_eq!(refused.headers["retry-after"], "1");

    refused.problem(429);
    other.post("/v1/messages", &message("+12125550100")).await.expect(202);
}

#[tokio::test]
async fn a_message_is_waited_for_and_shown_with_its_passport() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let accepted = caller.post_once("/v1/messages", "k-1", &message("+12125550100")).await;
    let id = accepted.expect(202)["id"].as_str().unwrap().to_owned();
    let watching = tokio::spawn({
        let (caller, path) = (caller.clone(), format!("/v1/messages/{id}"));
        async move { caller.get(&path).await }
    });
    let mut db = world.database.superuser().await.unwrap();
    let insert = format!(
        "insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
            number, body, segments, cost_micros, body_hash, submitted_at, changed_at, passport,
            gate, code, due)
         values ('acme', '{id}', 1, 'promo', 'sms', '{id}', '+12125550100', 'Hello', 1, 7900,
            '\\x00', '2026-05-01T15:00:00Z', '2026-05-01T15:00:01Z',
            '[{{\"stage\": \"gate\", \"at\": \"2026-05-01T15:00:01Z\", \"verdict\": \"defer\",
               \"gate\": \"quiet_hours\", \"code\": \"quiet_hours\",
               \"reason\": \"it is night there\"}}]',
            'quiet_hours', 'quiet_hours', '2026-05-02T13:00:00Z')"
    );

    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut db).await.unwrap();
    let shown = watching.await.unwrap().expect(200);

    assert_eq!(shown["status"], "deferred");
    assert_eq!(shown["cost"], json!({ "amount": "0.0079", "currency": "USD" }));
    assert_eq!(shown["passport"][0]["gate"], "quiet_hours");
    assert_eq!(
        shown["sentence"],
        "The message waits until 2026-05-02 13:00 UTC because of quiet hours: it is night there."
    );

    caller.get(&format!("/v1/messages/{}", uuid::Uuid::nil())).await.problem(404);

    // Of a text that is no longer kept it says since when.
    assert_eq!((&shown["body"], &shown["text_expired_at"]), (&json!("Hello"), &Value::Null));
    let expire = "update millrace.messages
                  set body = '', text_expired_at = '2026-08-01T00:00:00Z'";
    sqlx::raw_sql(expire).execute(&mut db).await.unwrap();
    let shown = caller.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(shown["text_expired_at"], "2026-08-01T00:00:00Z");
    assert_eq!((&shown["body"], &shown["segments"]), (&json!(""), &json!(1)));
}

#[tokio::test]
async fn without_the_broker_nothing_is_accepted() {
    let mut world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller.post("/v1/messages", &message("+12125550100")).await.expect(202);
    world.broker.server().signal(nix::sys::signal::Signal::SIGSTOP);
    let refused = caller.post("/v1/messages", &message("+12125550100")).await;
    assert_eq!(refused.headers["retry-after"], "1");

    refused.problem(503);
    world.broker.server().signal(nix::sys::signal::Signal::SIGCONT);
    caller.post("/v1/messages", &message("+12125550100")).await.expect(202);
}
