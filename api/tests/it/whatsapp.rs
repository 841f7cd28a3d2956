//! WhatsApp at the API: accounts whose senders have ids, messages by template, and the verification
//! of the webhook address.

use domain::{
    draft::{CarrierTemplate, FileKind, ListRow, ReplyButton, RichContent},
    ids::SenderId,
    message::class::Channel,
};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
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
            "interactive.buttons.0.title",
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
            "carrier_template.parameters.1",
        ),
        (message(json!({ "carrier_template": fine(), "body": "Hello" })), "carrier_template"),
        (message(json!({ "carrier_template": fine(), "channel": "sms" })), "carrier_template"),
        (message(json!({ "body": "x".repeat(4_097) })), "body"),
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
