//! Campaigns on WhatsApp: what they are made from, and what explain and simulate tell of the window
//! for free texts.

use serde_json::{Value, json};

use crate::{carrier_templates::Kept, harness::Answer, settings::template};

const NOON: &str = "2026-05-01T16:00:00Z";

/// An account with the approved template `sale`, a pool of its sender, and two people.
async fn market() -> (Kept, Value) {
    let kept = Kept::open("at_once").await;
    kept.made("sale", "approved").await;
    kept.sync().await;
    kept.world.run("update millrace.senders set active_since = '2025-01-01'").await;
    let pool = json!({ "name": "all", "senders": [kept.sender] });
    let pool = kept.caller.post("/v1/pools", &pool).await.expect(201)["id"].clone();
    for phone in ["+12125550100", "+12125550101"] {
        kept.caller.post("/v1/contacts", &json!({ "phone": phone })).await.expect(201);
    }
    (kept, pool)
}

/// A draft with these fields beside.
fn draft(pool: &Value, fields: Value) -> Value {
    let mut body = json!({
        "name": "Spring", "class": "transactional", "channel": "whatsapp", "pool_id": pool,
        "audience": { "all": true },
    });
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

fn sale(value: &str) -> Value {
    json!({ "carrier_template": { "name": "sale", "language": "en_US", "parameters": [value] } })
}

#[tokio::test]
async fn a_campaign_on_whatsapp_is_of_a_template_that_the_carrier_has_approved() {
    let (kept, pool) = market().await;
    let own = template(&kept.caller).await;
    let made = draft(&pool, sale("{first_name|friend}"));
    let made = kept.caller.post("/v1/campaigns", &made).await.expect(201);
    assert_eq!((&made["channel"], &made["template_id"]), (&json!("whatsapp"), &Value::Null));
    assert_eq!(made["carrier_template"]["parameters"], json!(["{first_name|friend}"]));
    let path = format!("/v1/campaigns/{}", made["id"].as_str().expect("an id"));

    for (fields, field, code) in [
        (json!({}), "template_id", "required"),
        (json!({ "channel": "fax", "template_id": own }), "channel", "unknown"),
        (
            json!({
                "channel": "sms", "carrier_template": { "name": "sale", "language": "en_US" },
            }),
            "carrier_template",
            "unsupported",
        ),
        (
            json!({ "template_id": own, "carrier_template": { "name": "a", "language": "en" } }),
            "carrier_template",
            "ambiguous",
        ),
        (
            json!({ "carrier_template": { "name": "sale", "language": "de" } }),
            "carrier_template",
            "template_unknown",
        ),
        (sale("{oops"), "carrier_template", "invalid_template"),
        (sale(" "), "carrier_template.parameters[0]", "invalid"),
    ] {
        let body = draft(&pool, fields);
        let refused = kept.caller.post("/v1/campaigns", &body).await.problem(422);
        assert_eq!(refused[0], (field.to_owned(), code.to_owned()), "{body}");
    }

    // A draft takes another kind of template, and a copy is like it.
    let change = json!({ "template_id": own });
    let changed = kept.caller.patch(&path, &change).await.expect(200);
    assert_eq!((&changed["template_id"], &changed["carrier_template"]), (&own, &Value::Null));
    let change = json!({ "channel": "sms" });
    assert_eq!(kept.caller.patch(&path, &change).await.expect(200)["channel"], "sms");
    let mut change = sale("{first_name}");
    change["channel"] = "whatsapp".into();
    let changed = kept.caller.patch(&path, &change).await.expect(200);
    assert_eq!(changed["template_id"], Value::Null);
    let copy = kept.caller.post(&format!("{path}/clone"), &json!({})).await.expect(201);
    assert_eq!(copy["carrier_template"], changed["carrier_template"]);

    // It starts once the carrier sends by it, and is fixed then.
    kept.review("sale", json!({ "status": "PAUSED" })).await;
    kept.sync().await;
    let refused = kept.caller.post(&format!("{path}/start"), &json!({})).await;
    assert!(refused.body["detail"].as_str().expect("why").contains("paused"), "{}", refused.body);
    refused.problem(409);
    kept.review("sale", json!({ "status": "APPROVED" })).await;
    kept.sync().await;
    kept.caller.post(&format!("{path}/start"), &json!({})).await.expect(200);
    kept.caller.post(&format!("{path}/pause"), &json!({})).await.expect(200);
    for (field, change) in [
        ("channel", json!({ "channel": "sms" })),
        ("carrier_template", sale("x")),
        ("template_version", json!({ "template_version": 1 })),
    ] {
        let refused = kept.caller.patch(&path, &change).await.problem(422);
        assert_eq!(refused[0].0, field);
    }
}

/// Two campaigns, by a text of our own and by a template of the carrier. Ana has written on
/// WhatsApp an hour before noon; the other one has never, and by SMS alone.
async fn campaigns(kept: &Kept, pool: &Value) -> (String, String) {
    let own = template(&kept.caller).await;
    let made = async |fields: Value| {
        let made = kept.caller.post("/v1/campaigns", &draft(pool, fields)).await.expect(201);
        made["id"].as_str().expect("an id").to_owned()
    };
    let (by_text, by_template) = (made(json!({ "template_id": own })).await, made(sale("x")).await);
    kept.world
        .run(
            "insert into millrace.standings (tenant_id, number, channel, last_inbound_at) values
             ('acme', '+12125550100', 'whatsapp', '2026-05-01T15:00:00Z'),
             ('acme', '+12125550101', 'sms', '2026-05-01T15:00:00Z')",
        )
        .await;
    (by_text, by_template)
}

/// Asks what would become of a message at noon, to whom WhatsApp has no window.
async fn ask(kept: &Kept, fields: &Value) -> Answer {
    let mut asked = json!({ "to": "+12125550101", "at": NOON });
    for (name, value) in fields.as_object().expect("fields") {
        asked[name] = value.clone();
    }
    kept.caller.post("/v1/explain", &asked).await
}

#[tokio::test]
async fn explain_tells_whether_the_window_is_open() {
    let (kept, pool) = market().await;
    let (by_text, by_template) = campaigns(&kept, &pool).await;
    let explain = async |fields: Value| ask(&kept, &fields).await.expect(200);

    let free = json!({ "channel": "whatsapp", "class": "transactional", "body": "Hello" });
    let closed = explain(free.clone()).await;
    assert_eq!((&closed["gate"], &closed["code"]), (&json!("eligible"), &json!("whatsapp_window")));
    assert!(closed["sentence"].as_str().expect("one").contains("send a template"), "{closed}");
    assert_eq!((&closed["segments"], &closed["cost"]["amount"]), (&json!(1), &json!("0.00")));
    let mut to_ana = free;
    to_ana["to"] = "+12125550100".into();
    let open = explain(to_ana.clone()).await;
    assert_eq!((&open["verdict"], &open["sender_id"]), (&json!("admit"), &kept.sender));
    to_ana["at"] = "2026-05-02T14:00:00Z".into();
    assert_eq!(explain(to_ana.clone()).await["sendable_until"], "2026-05-02T15:00:00Z");
    to_ana["at"] = "2026-05-02T15:00:00Z".into();
    assert_eq!(explain(to_ana).await["code"], "whatsapp_window", "a day is over");

    let mut template = sale("x");
    template["channel"] = "whatsapp".into();
    template["class"] = "transactional".into();
    assert_eq!(explain(template).await["verdict"], "admit", "at any time");
    let of_campaign = explain(json!({ "campaign": by_template })).await;
    assert_eq!((&of_campaign["verdict"], &of_campaign["code"]), (&json!("admit"), &Value::Null));
    assert_eq!(explain(json!({ "campaign": by_text })).await["code"], "whatsapp_window");
    let to_an_id = json!({ "campaign": by_template, "to": "US.13491208655302741918" });
    assert_eq!(explain(to_an_id).await["verdict"], "admit");
}

#[tokio::test]
async fn explain_names_the_field_of_what_whatsapp_does_not_carry() {
    let (kept, pool) = market().await;
    let (by_text, _) = campaigns(&kept, &pool).await;
    let german = json!({
        "carrier_template": { "name": "sale", "language": "de", "parameters": ["x"] },
        "channel": "whatsapp", "class": "transactional", "to": "+12125550100",
    });

    for (fields, field, code) in [
        (json!({ "campaign": by_text, "channel": "sms" }), "channel", "other_channel"),
        (json!({ "class": "transactional", "channel": "fax", "body": "x" }), "channel", "unknown"),
        (sale("x"), "class", "required"),
        (json!({ "class": "promo", "to": "US.1349120865", "body": "x" }), "to", "invalid_number"),
        (german, "carrier_template", "template_unknown"),
    ] {
        let refused = ask(&kept, &fields).await.problem(422);
        assert_eq!(refused[0], (field.to_owned(), code.to_owned()), "{fields}");
    }
}

#[tokio::test]
async fn a_simulation_predicts_whom_the_window_is_closed_for() {
    let (kept, pool) = market().await;
    let (by_text, by_template) = campaigns(&kept, &pool).await;
    let simulated = async |campaign: &str| {
        let path = format!("/v1/campaigns/{campaign}/simulate");
        let said = kept.caller.post(&path, &json!({ "at": NOON })).await.expect(200);
        let counts = ["audience", "admitted", "blocked", "sent"].map(|name| said[name].as_u64());
        (counts, said)
    };

    let (counts, said) = simulated(&by_text).await;
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(1)]);
    assert_eq!(said["by_gate"][0]["code"], "whatsapp_window");
    let (counts, said) = simulated(&by_template).await;
    assert_eq!(counts, [Some(2), Some(2), Some(0), Some(2)]);
    assert_eq!(said["cost"]["amount"], "0.00");
}
