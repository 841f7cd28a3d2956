//! WhatsApp at the API: accounts whose senders have ids, messages by template, and the verification
//! of the webhook address.

use domain::{
    draft::{CarrierTemplate, FileKind, ListRow, ReplyButton, RichContent},
    ids::SenderId,
    message::class::Channel,
};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;
use wire::{
    Submitted,
    message::{Content, From},
};

use crate::harness::{Caller, World, send};

const NUMBER: &str = "106540352242922";

/// A tenant with an account at WhatsApp.
async fn world() -> (World, Caller) {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let account = json!({
        "account": "wa", "carrier": "whatsapp", "carrier_sid": "102290129340398",
        "auth_token": "token:secret:my-word",
    });
    caller.post("/v1/carrier-accounts", &account).await.expect(201);
    (world, caller)
}

/// A message on WhatsApp with these fields beside.
fn message(fields: Value) -> Value {
    let mut body = json!({ "to": "+12125550123", "channel": "whatsapp", "class": "transactional" });
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_sender_of_whatsapp_is_named_by_the_carriers_id_and_carries_that_channel() {
    let (_world, caller) = world().await;
    let wrong = json!({ "number": "+12125550199", "account": "wa", "pace": 10 });
    let refused = caller.post("/v1/senders", &wrong).await.problem(422);
    assert_eq!(refused[0].0, "number");

    let sender = json!({ "number": NUMBER, "account": "wa", "pace": 10 });
    let sender = caller.post("/v1/senders", &sender).await.expect(201);
    assert_eq!((&sender["number"], &sender["channel"]), (&json!(NUMBER), &json!("whatsapp")));
    let tenant = "acme".parse().expect("a tenant");
    assert_eq!(sender["id"], SenderId::of(&tenant, NUMBER).to_string());
}

#[tokio::test]
async fn the_numbers_of_an_account_are_listed_with_their_quality_and_limits() {
    let carrier = TestCarrier::start().await.expect("a carrier");
    let host = carrier.address().to_string();
    let world = World::start_with(|settings| settings.carrier_hosts = vec![host]).await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let business = json!({
        "access_token": "token", "app_secret": "secret", "numbers": [NUMBER, "106540352242923"],
        "callback_url": "http://127.0.0.1:9/hook",
    });
    let url = format!("{}/sandbox/businesses/102290129340398", carrier.url());
    let put = carrier.http.put(url).json(&business).send().await.expect("an answer");
    assert_eq!(put.status(), 200);

    let account = json!({
        "account": "wa", "carrier": "whatsapp", "carrier_sid": "102290129340398",
        "auth_token": "token:secret:my-word", "base_url": carrier.url(),
    });
    caller.post("/v1/carrier-accounts", &account).await.expect(201);
    let sender = json!({ "number": NUMBER, "account": "wa", "pace": 10 });
    let sender = caller.post("/v1/senders", &sender).await.expect(201);

    let numbers = caller.get("/v1/carrier-accounts/wa/numbers").await.expect(200);
    let [first, second] = numbers["data"].as_array().expect("a list").as_slice() else {
        panic!("two numbers, not {numbers}");
    };
    assert_eq!((&first["carrier_id"], &first["sender"]), (&json!(NUMBER), &sender["id"]));
    assert_eq!(
        (&first["quality"], &first["messaging_limit"]),
        (&json!("GREEN"), &json!("TIER_2K"))
    );
    assert_eq!(second["sender"], Value::Null);

    let validate = "/v1/carrier-accounts/wa/validate";
    let valid = caller.post(validate, &json!({})).await.expect(200);
    assert_eq!(valid, json!({ "valid": true, "numbers": 2, "refusal": null }));

    caller.get("/v1/carrier-accounts/other/numbers").await.problem(404);
    caller.post("/v1/carrier-accounts/other/validate", &json!({})).await.problem(404);
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.get("/v1/carrier-accounts/wa/numbers").await.problem(403);
    viewer.post(validate, &json!({})).await.problem(403);
    let token = json!({ "auth_token": "other:secret:my-word" });
    caller.patch("/v1/carrier-accounts/wa", &token).await.expect(200);
    caller.get("/v1/carrier-accounts/wa/numbers").await.problem(409);
    let invalid = caller.post(validate, &json!({})).await.expect(200);
    assert_eq!((&invalid["valid"], &invalid["numbers"]), (&json!(false), &Value::Null));
    let next_step = invalid["refusal"]["next_step"].as_str().expect("what to do");
    assert!(next_step.contains("secret"), "{invalid}");
}

#[tokio::test]
async fn what_messages_on_whatsapp_cost_is_said_in_versions_that_hold_from_their_time() {
    let (world, caller) = world().await;
    assert_eq!(caller.get("/v1/whatsapp-rates").await.expect(200)["data"], json!([]));

    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let price = |country: Option<&str>, category: &str, amount: &str| {
        let price = usd(amount);
        json!({ "country": country, "category": category, "price": price })
    };
    let prices = json!([price(Some("US"), "marketing", "0.025"), price(None, "service", "0.004")]);
    let said = json!({
        "valid_from": "2026-01-01T00:00:00Z", "prices": prices, "free_service_messages": 1000,
    });
    let first = caller.put("/v1/whatsapp-rates", &said).await.expect(200);
    assert_eq!((&first["version"], &first["in_force"]), (&json!(1), &json!(true)));
    assert_eq!((&first["prices"], &first["free_service_messages"]), (&prices, &json!(1000)));

    // What is to hold later does not hold yet, and what holds at once does.
    let later = json!({ "valid_from": "2099-01-01T00:00:00Z", "prices": [] });
    let later = caller.put("/v1/whatsapp-rates", &later).await.expect(200);
    assert_eq!((&later["version"], &later["in_force"]), (&json!(2), &json!(false)));
    let now = caller.put("/v1/whatsapp-rates", &json!({ "prices": [] })).await.expect(200);
    assert_eq!(now["in_force"], true);
    let page = caller.get("/v1/whatsapp-rates?limit=2").await.expect(200);
    let versions: Vec<&Value> =
        page["data"].as_array().expect("a list").iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, [&json!(3), &json!(2)]);

    for (prices, field) in [
        (json!([price(Some("US"), "marketing", "-1")]), "prices[0].price"),
        (json!([price(Some("US"), "marketing", "100000.000001")]), "prices[0].price"),
        (
            json!([{ "category": "utility", "price": { "amount": "1", "currency": "EUR" } }]),
            "prices[0].price",
        ),
        (
            json!([price(Some("US"), "utility", "1"), price(Some("US"), "utility", "2")]),
            "prices[1]",
        ),
    ] {
        let refused = caller.put("/v1/whatsapp-rates", &json!({ "prices": prices })).await;
        assert_eq!(refused.problem(422)[0].0, field);
    }
    let operator = world.caller("acme", KeyRole::Operator).await;
    operator.put("/v1/whatsapp-rates", &said).await.problem(403);
    operator.get("/v1/whatsapp-rates").await.expect(200);
    let noted = "select count(*) from millrace.audit_log where action = 'whatsapp_rates.added'";
    assert_eq!(world.number(noted).await, 3);

    // Of more versions than are kept those go that have begun first.
    let many = "insert into millrace.whatsapp_rates
                    (tenant_id, version, valid_from, body, created_at, created_by)
                select 'acme', n, timestamptz '2025-01-01' + n * interval '1 h', '{}', now(), 'test'
                from generate_series(4, 120) n";
    world.run(many).await;
    caller.put("/v1/whatsapp-rates", &json!({ "prices": [] })).await.expect(200);
    let kept = "select count(*) from millrace.whatsapp_rates";
    assert_eq!(world.number(kept).await, 100);
    let newest = "select count(*) from millrace.whatsapp_rates where version in (1, 2, 3, 121)";
    assert_eq!(world.number(newest).await, 4);
}

#[tokio::test]
async fn a_template_of_the_carrier_is_accepted_as_it_will_be_sent() {
    let (world, caller) = world().await;
    let template = json!({
        "name": "order_shipped", "language": "en_US", "parameters": ["Ana", "12 High\n\tStreet"],
    });
    let body = message(json!({ "carrier_template": template, "from": NUMBER }));
    caller.post("/v1/messages", &body).await.problem(422);

    let sender = json!({ "number": NUMBER, "account": "wa", "pace": 10 });
    caller.post("/v1/senders", &sender).await.expect(201);
    caller.post("/v1/messages", &body).await.expect(202);
    let to_an_id = message(json!({ "to": "US.13491208655302741918", "body": "Hello" }));
    caller.post("/v1/messages", &to_an_id).await.expect(202);

    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let [first, second] = stored.as_slice() else { panic!("two, not {}", stored.len()) };
    let values = ["Ana".to_owned(), "12 High Street".to_owned()];
    let sent = CarrierTemplate::new("order_shipped", "en_US", &values).expect("right");
    assert_eq!((&first.content, first.head.channel), (&Content::Carrier(sent), Channel::Whatsapp));
    let tenant = "acme".parse().expect("a tenant");
    assert_eq!(first.from, From::Sender(SenderId::of(&tenant, NUMBER)));
    assert_eq!(second.head.to.as_str(), "US.13491208655302741918");
}

#[tokio::test]
async fn a_file_a_question_and_a_reaction_are_accepted_as_they_will_be_sent() {
    let (world, caller) = world().await;
    let link = "https://example.com/bill.pdf";
    let buttons = json!([{ "id": "y", "title": "Yes" }, { "id": "n", "title": "No" }]);
    let rows = json!([{ "id": "mon", "title": "Monday", "description": "Afternoon" }]);
    for fields in [
        json!({ "media_urls": [link], "body": "Yours", "media_filename": "bill.pdf" }),
        json!({ "media": ["https://example.com/listen"], "media_kind": "audio" }),
        json!({ "body": "Come?", "interactive": { "buttons": buttons } }),
        json!({ "body": "When?", "interactive": { "list": { "button": "Days", "rows": rows } } }),
        json!({ "reaction": { "message_id": "wamid.HBgL", "emoji": "👍" } }),
    ] {
        caller.post("/v1/messages", &message(fields)).await.expect(202);
    }

    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let [bill, sound, question, list, reaction] = stored.as_slice() else {
        panic!("five, not {}", stored.len())
    };
    let button = |id: &str, title: &str| ReplyButton { id: id.into(), title: title.into() };
    let row =
        ListRow { id: "mon".into(), title: "Monday".into(), description: Some("Afternoon".into()) };
    for (message, content, rich) in [
        (
            bill,
            Content::Media { text: "Yours".into(), media: vec![link.into()] },
            RichContent::file(FileKind::Document, Some("bill.pdf")),
        ),
        (
            sound,
            Content::Media {
                text: String::new(),
                media: vec!["https://example.com/listen".into()],
            },
            RichContent::file(FileKind::Audio, None),
        ),
        (
            question,
            Content::Body("Come?".into()),
            RichContent::buttons(vec![button("y", "Yes"), button("n", "No")]),
        ),
        (list, Content::Body("When?".into()), RichContent::list("Days", vec![row])),
        (reaction, Content::Body("👍".into()), RichContent::reaction("wamid.HBgL", "👍")),
    ] {
        assert_eq!((&message.content, &message.rich), (&content, &rich.ok()));
    }
}

#[tokio::test]
async fn what_whatsapp_does_not_carry_is_named_with_its_field() {
    let (_world, caller) = world().await;
    let image = "https://example.com/a.jpg";
    let sound = "https://example.com/a.mp3";
    let id = "0198f1d2-7c00-7a00-8000-00000000d001";
    let buttons = |title: &str| json!({ "buttons": [{ "id": "y", "title": title }] });
    let sign = json!({ "message_id": "wamid.HBgL", "emoji": "👍" });
    let long = "x".repeat(1_025);

    for (fields, field) in [
        (json!({ "media": [image, image] }), "media"),
        (json!({ "media": [id] }), "media_kind"),
        (json!({ "media": [image], "media_kind": "picture" }), "media_kind"),
        (json!({ "media": [image], "media_filename": "a.jpg" }), "media_filename"),
        (json!({ "media": [image], "body": long }), "body"),
        (json!({ "media": [sound], "body": "Listen" }), "body"),
        (json!({ "media": [sound], "class": "promo" }), "media_kind"),
        (json!({ "body": "Hi", "media_kind": "image" }), "media_kind"),
        (json!({ "interactive": buttons("Yes") }), "body"),
        (json!({ "interactive": buttons("Yes"), "body": long }), "body"),
        (
            json!({ "interactive": buttons(&"x".repeat(21)), "body": "Come?" }),
            "interactive.buttons[0].title",
        ),
        (json!({ "interactive": {}, "body": "Come?" }), "interactive"),
        (
            json!({ "interactive": buttons("Yes"), "body": "Come?", "media": [image] }),
            "interactive",
        ),
        (
            json!({ "interactive": { "list": { "button": "Days", "rows": [] } }, "body": "When?" }),
            "interactive.list.rows",
        ),
        (json!({ "reaction": { "message_id": "wamid.HBgL", "emoji": "yes" } }), "reaction.emoji"),
        (json!({ "reaction": sign, "body": "Hi" }), "reaction"),
        (json!({ "reaction": sign, "class": "promo" }), "reaction"),
        (json!({ "reaction": sign, "interactive": buttons("Yes") }), "reaction"),
        (json!({ "reaction": sign, "channel": "sms" }), "reaction"),
        (
            json!({ "interactive": buttons("Yes"), "body": "Come?", "channel": "sms" }),
            "interactive",
        ),
    ] {
        let refused = caller.post("/v1/messages", &message(fields.clone())).await.problem(422);
        assert_eq!(refused[0].0, field, "{fields}");
    }
}

#[tokio::test]
async fn what_a_template_of_the_carrier_cannot_say_is_named_with_its_field() {
    let (_world, caller) = world().await;
    let template = |name: &str, language: &str, parameters: Value| -> Value {
        json!({ "name": name, "language": language, "parameters": parameters })
    };
    let fine = || template("order", "en", json!([]));
    for (body, field) in [
        (
            message(json!({ "carrier_template": template("Order 1", "en", json!([])) })),
            "carrier_template.name",
        ),
        (
            message(json!({ "carrier_template": template("order", "english", json!([])) })),
            "carrier_template.language",
        ),
        (
            message(json!({ "carrier_template": template("order", "en", json!(["Ana", " \n"])) })),
            "carrier_template.parameters[1]",
        ),
        (message(json!({ "carrier_template": fine(), "body": "Hello" })), "carrier_template"),
        (message(json!({ "carrier_template": fine(), "channel": "sms" })), "carrier_template"),
        (message(json!({ "body": "x".repeat(4_097) })), "body"),
        (message(json!({ "body": "x".repeat(4_090), "class": "promo" })), "body"),
        (message(json!({ "to": "US.1349", "body": "Hello", "channel": "sms" })), "to"),
        (message(json!({ "body": "Hello", "channel": "fax" })), "channel"),
    ] {
        let refused = caller.post("/v1/messages", &body).await.problem(422);
        assert_eq!(refused[0].0, field, "{body}");
    }

    // One message whatever its length: SMS would refuse it.
    let long = message(json!({ "body": "я".repeat(4_000) }));
    caller.post("/v1/messages", &long).await.expect(202);
}

#[tokio::test]
async fn the_webhook_address_is_verified_by_the_accounts_own_word() {
    let (world, caller) = world().await;
    let sms = json!({
        "account": "sms", "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
    });
    caller.post("/v1/carrier-accounts", &sms).await.expect(201);
    world.ready().await;

    let ask = async |path: &str, word: &str| {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", "1158201444"),
            ("hub.verify_token", word),
        ];
        send(world.http.get(format!("{}{path}", world.base)).query(&query)).await
    };
    let answer = world
        .http
        .get(format!("{}/webhooks/whatsapp/wa", world.base))
        .query(&[
            ("hub.mode", "subscribe"),
            ("hub.challenge", "4"),
            ("hub.verify_token", "my-word"),
        ])
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.text().await.expect("a body"), "4");

    ask("/webhooks/whatsapp/wa", "secret").await.problem(403);
    ask("/webhooks/whatsapp/nobody", "my-word").await.problem(404);
    ask("/webhooks/twilio/sms", "secret").await.problem(404);
}
