//! `/v1/carrier-templates`: made, read, brought up to date and deleted at a simulated carrier; and
//! messages that are refused for them.

use std::time::Duration;

use domain::ids::CarrierTemplateId;
use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;

use crate::harness::{Answer, Caller, World};

const BUSINESS: &str = "102290129340398";
const NUMBER: &str = "106540352242922";

/// An ingress with an account at WhatsApp and a sender of it.
pub(crate) struct Kept {
    pub(crate) world: World,
    carrier: TestCarrier,
    pub(crate) caller: Caller,
    pub(crate) sender: Value,
}

impl Kept {
    /// Whose reviews are done at once, or `by_hand`.
    pub(crate) async fn open(review: &str) -> Self {
        let carrier = TestCarrier::start().await.unwrap();
        let host = carrier.address().to_string();
        let world = World::start_with(|settings| settings.carrier_hosts = vec![host]).await;
        let caller = world.caller("acme", KeyRole::Admin).await;

        let business = json!({
            "access_token": "token", "app_secret": "secret", "numbers": [NUMBER],
            "callback_url": carrier.url(), "review": review,
        });
        let put = format!("{}/sandbox/businesses/{BUSINESS}", carrier.url());
        carrier.http.put(put).json(&business).send().await.unwrap().error_for_status().unwrap();
        let account = json!({
            "account": "wa", "carrier": "whatsapp", "carrier_sid": BUSINESS,
            "auth_token": "token:secret:my-word", "base_url": carrier.url(),
        });
        caller.post("/v1/carrier-accounts", &account).await.expect(201);
        let sender = json!({ "number": NUMBER, "account": "wa", "pace": 10 });
        let sender = caller.post("/v1/senders", &sender).await.expect(201)["id"].clone();
        Self { world, carrier, caller, sender }
    }

    async fn create(&self, name: &str) -> Value {
        self.caller.post("/v1/carrier-templates", &new(name)).await.expect(202)
    }

    /// A template once its review has come to a state.
    async fn comes_to(&self, template: &Value, state: &str) -> Value {
        let path = path(template);
        let comes = async {
            loop {
                let now = self.caller.get(&path).await.expect(200);
                if now["state"] == state {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), comes).await;
        waited.unwrap_or_else(|_| panic!("never {state}"))
    }

    /// A template that the carrier has kept.
    pub(crate) async fn made(&self, name: &str, state: &str) -> Value {
        let template = self.create(name).await;
        self.comes_to(&template, state).await
    }

    /// Says at the carrier what came of a review.
    pub(crate) async fn review(&self, name: &str, mut change: Value) {
        change["told"] = false.into();
        let path = format!("/sandbox/businesses/{BUSINESS}/templates/{name}/en_US");
        let put = self.carrier.http.put(format!("{}{path}", self.carrier.url())).json(&change);
        put.send().await.unwrap().error_for_status().unwrap();
    }

    pub(crate) async fn sync(&self) -> Value {
        let body = json!({ "account": "wa" });
        self.caller.post("/v1/carrier-templates/sync", &body).await.expect(200)
    }

    /// The templates of the account, as the carrier has them.
    async fn at_carrier(&self) -> Vec<Value> {
        let url = format!("{}/v21.0/{BUSINESS}/message_templates", self.carrier.url());
        let list = self.carrier.http.get(url).bearer_auth("token").send().await.unwrap();
        let list: Value = list.json().await.unwrap();
        list["data"].as_array().unwrap().clone()
    }

    /// Sends a message by a template; the answer.
    async fn send(&self, name: &str, language: &str) -> Answer {
        let body = json!({
            "to": "+12125550123", "channel": "whatsapp", "class": "transactional",
            "from": self.sender,
            "carrier_template": { "name": name, "language": language, "parameters": ["Ana"] },
        });
        self.caller.post("/v1/messages", &body).await
    }
}

fn path(template: &Value) -> String {
    format!("/v1/carrier-templates/{}", template["id"].as_str().unwrap())
}

fn new(name: &str) -> Value {
    json!({
        "account": "wa", "name": name, "language": "en_US", "category": "utility",
        "components": {
            "body": { "text": "Hello {{1}}, it is on its way.", "examples": ["Ana"] },
            "footer": "Acme",
            "buttons": [{ "type": "quick_reply", "text": "Thanks" }],
        },
    })
}

#[tokio::test]
async fn a_template_is_made_reviewed_read_and_deleted() {
    let kept = Kept::open("by_hand").await;
    let made = kept.create("order").await;
    assert_eq!((&made["state"], &made["carrier_status"]), (&json!("submitted"), &Value::Null));
    let pending = kept.comes_to(&made, "pending").await;
    assert_eq!(pending["carrier_status"], "PENDING");
    assert_eq!(pending["components"], new("order")["components"]);
    let listed = kept.at_carrier().await;
    assert_eq!((listed.len(), &listed[0]["category"]), (1, &json!("UTILITY")));
    assert_eq!(listed[0]["components"][2]["buttons"][0]["type"], "QUICK_REPLY");
    kept.caller.post("/v1/carrier-templates", &new("order")).await.problem(409);

    // What the carrier says of it is taken over.
    let rejected = json!({ "status": "REJECTED", "reason": "SCAM", "category": "MARKETING" });
    kept.review("order", rejected).await;
    let first = json!({ "listed": 1, "added": 0, "changed": 1, "gone": 0, "left_out": 0 });
    assert_eq!(kept.sync().await, first);
    let nothing = json!({ "listed": 1, "added": 0, "changed": 0, "gone": 0, "left_out": 0 });
    assert_eq!(kept.sync().await, nothing);
    let now = kept.caller.get(&path(&made)).await.expect(200);
    assert_eq!((&now["state"], &now["reason"]), (&json!("rejected"), &json!("SCAM")));
    assert_eq!((&now["category"], &now["account"]), (&json!("marketing"), &json!("wa")));

    for (query, found) in [
        ("", 1),
        ("?state=rejected", 1),
        ("?state=approved", 0),
        ("?account=wa&name=order", 1),
        ("?account=other", 0),
        ("?name=sale", 0),
    ] {
        let list = kept.caller.get(&format!("/v1/carrier-templates{query}")).await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
    }
    let unknown = kept.caller.get("/v1/carrier-templates?state=fine").await.problem(422);
    assert_eq!(unknown[0], ("state".to_owned(), "unknown".to_owned()));

    let deleted = kept.caller.delete(&path(&made)).await.expect(200);
    assert_eq!(deleted["name"], "order");
    assert_eq!(kept.at_carrier().await, Vec::<Value>::new());
    kept.caller.get(&path(&made)).await.problem(404);
    kept.caller.delete(&path(&made)).await.problem(404);
    let acts = "select count(*) from millrace.audit_log where action in
                ('carrier_template.created', 'carrier_templates.synced',
                 'carrier_template.deleted')";
    assert_eq!(kept.world.number(acts).await, 4);
}

#[tokio::test]
async fn templates_made_at_the_carrier_are_read_and_those_deleted_there_are_gone() {
    let kept = Kept::open("at_once").await;
    let made = kept.made("order", "approved").await;
    let url = format!("{}/v21.0/{BUSINESS}/message_templates", kept.carrier.url());
    for index in 0..120 {
        let new = json!({
            "name": format!("sale_{index}"), "language": "de", "category": "MARKETING",
            "components": [{ "type": "HEADER", "format": "TEXT", "text": "Neu" },
                { "type": "BODY", "text": "Hallo." }],
        });
        let create = kept.carrier.http.post(&url).bearer_auth("token").json(&new);
        create.send().await.unwrap().error_for_status().unwrap();
    }
    let path = path(&made);
    kept.carrier
        .http
        .delete(format!("{url}?name=order"))
        .bearer_auth("token")
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();

    let synced = kept.sync().await;
    let expected = json!({ "listed": 120, "added": 120, "changed": 0, "gone": 1, "left_out": 0 });
    assert_eq!(synced, expected);
    kept.caller.get(&path).await.problem(404);
    let sale = kept.caller.get("/v1/carrier-templates?name=sale_7").await.expect(200);
    let header = &sale["data"][0]["components"]["header"];
    assert_eq!((&header["format"], &header["text"]), (&json!("text"), &json!("Neu")));

    // A read that is due, as news of another template have it, is made all the same.
    kept.world.run("update millrace.template_syncs set due = 'epoch'").await;
    kept.sync().await;
    let due = "select count(*) from millrace.template_syncs where due = 'epoch'";
    assert_eq!(kept.world.number(due).await, 1);
}

#[tokio::test]
async fn what_a_template_cannot_be_is_named_with_its_field_and_the_carriers_words_are_told() {
    let kept = Kept::open("at_once").await;
    for (field, change) in [
        ("name", json!({ "name": "Order 1" })),
        ("language", json!({ "language": "english" })),
        ("category", json!({ "category": "authentication" })),
        ("components.body.text", json!({ "components": { "body": { "text": "Hello {{1}}" } } })),
        ("components.body.examples", json!({ "components": { "body": { "text": "I {{1}}." } } })),
        (
            "components.buttons[0].text",
            json!({ "components": { "body": { "text": "Hi." },
                "buttons": [{ "type": "quick_reply", "text": "x".repeat(26) }] } }),
        ),
        ("account", json!({ "account": "other" })),
    ] {
        let mut body = new("order");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = kept.caller.post("/v1/carrier-templates", &body).await.problem(422);
        assert_eq!(refused[0].0, field, "{body}");
    }
    assert_eq!(kept.at_carrier().await, Vec::<Value>::new());

    // What the carrier itself refuses has failed, in its words, and may be made again.
    let url = format!("{}/v21.0/{BUSINESS}/message_templates", kept.carrier.url());
    let same = json!({ "name": "order", "language": "en_US", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Hello." }] });
    let create = kept.carrier.http.post(&url).bearer_auth("token").json(&same);
    create.send().await.unwrap().error_for_status().unwrap();
    let made = kept.create("order").await;
    let failed = kept.comes_to(&made, "failed").await;
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("there is such a template in this language"), "{reason}");
    kept.caller.delete(&path(&made)).await.expect(200);
    assert_eq!(kept.at_carrier().await.len(), 1, "it was nothing of the carrier's");

    // A list shows it as what it is.
    kept.made("order", "failed").await;
    assert_eq!(kept.sync().await["changed"], 1);
    assert_eq!(kept.caller.get(&path(&made)).await.expect(200)["state"], "approved");
}

#[tokio::test]
async fn an_account_has_as_many_templates_as_its_carrier_keeps_and_no_more() {
    let kept = Kept::open("at_once").await;
    let fill = "insert into millrace.carrier_templates (tenant_id, template_id, account, name,
                    language, category, components, state, created_at, asked_at, told_at)
                select 'acme', gen_random_uuid(), account, 'old_' || n, 'en', 'utility',
                       '{\"body\": {\"text\": \"Hi\"}}', 'approved', now(), now(), now()
                from millrace.carrier_accounts, generate_series(1, 6000) n where name = 'wa'";
    kept.world.run(fill).await;
    let full = kept.caller.post("/v1/carrier-templates", &new("order")).await;
    assert!(full.body["detail"].as_str().unwrap().contains("6000 templates"), "{}", full.body);
    full.problem(409);

    let one = "delete from millrace.carrier_templates where name = 'old_1'";
    kept.world.run(one).await;
    kept.made("order", "approved").await;

    // An account that is removed takes its templates along.
    let sender = format!("/v1/senders/{}", kept.sender.as_str().unwrap());
    kept.caller.delete(&sender).await.expect(200);
    kept.caller.delete("/v1/carrier-accounts/wa").await.expect(200);
    let left = "select count(*) from millrace.carrier_templates";
    assert_eq!(kept.world.number(left).await, 0);
}

#[tokio::test]
async fn templates_are_those_of_carriers_that_keep_such_and_are_made_by_those_who_may() {
    let kept = Kept::open("at_once").await;
    let sms = json!({
        "account": "sms", "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
    });
    kept.caller.post("/v1/carrier-accounts", &sms).await.expect(201);
    let body = json!({ "account": "sms" });
    let none = kept.caller.post("/v1/carrier-templates/sync", &body).await;
    assert!(none.body["detail"].as_str().unwrap().contains("/v1/templates"), "{}", none.body);
    none.problem(409);

    let viewer = kept.world.caller("acme", KeyRole::Viewer).await;
    viewer.get("/v1/carrier-templates").await.expect(200);
    viewer.post("/v1/carrier-templates", &new("order")).await.problem(403);
    let made = kept.made("order", "approved").await;
    viewer.delete(&path(&made)).await.problem(403);

    // Another tenant sees none of it.
    let stranger = kept.world.caller("globex", KeyRole::Admin).await;
    assert_eq!(stranger.get("/v1/carrier-templates").await.expect(200)["data"], json!([]));
    stranger.get(&path(&made)).await.problem(404);
    stranger.delete(&path(&made)).await.problem(404);

    // One that is open may not be deleted before its end is known.
    let tenant = "acme".parse().unwrap();
    let open = CarrierTemplateId::of(&tenant, "x", "open", "en");
    let row = format!(
        "insert into millrace.carrier_templates (tenant_id, template_id, account, name, language,
             category, components, state, created_at, asked_at, told_at)
         select 'acme', '{open}', account, 'open', 'en', 'utility',
                '{{\"body\": {{\"text\": \"\"}}}}', 'submitted', now(), now(), now()
         from millrace.carrier_accounts where name = 'wa'"
    );
    kept.world.run(&row).await;
    let open = json!({ "id": open });
    kept.caller.delete(&path(&open)).await.problem(409);
}

#[tokio::test]
async fn a_message_by_a_template_that_is_surely_refused_is_refused_with_the_fix() {
    let kept = Kept::open("by_hand").await;
    // Nothing is known of the account: the carrier decides.
    kept.send("order", "en_US").await.expect(202);

    kept.made("order", "pending").await;
    kept.sync().await;
    for (status, code) in [
        ("PENDING", Some("template_pending")),
        ("REJECTED", Some("template_rejected")),
        ("PAUSED", Some("template_paused")),
        ("DISABLED", Some("template_disabled")),
        ("FLAGGED", None),
        ("APPROVED", None),
    ] {
        kept.review("order", json!({ "status": status })).await;
        kept.sync().await;
        let answer = kept.send("order", "en_US").await;
        match code {
            None => drop(answer.expect(202)),
            Some(code) => {
                let refused = answer.problem(422);
                assert_eq!(refused, [("carrier_template".to_owned(), code.to_owned())]);
            }
        }
    }

    for (name, language) in [("order", "de"), ("sale", "en_US")] {
        let refused = kept.send(name, language).await.problem(422);
        assert_eq!(refused[0].1, "template_unknown", "{name} {language}");
    }

    // By whichever sender of the pool, or of the tenant.
    let pool = json!({ "name": "all", "senders": [kept.sender] });
    let pool = kept.caller.post("/v1/pools", &pool).await.expect(201)["id"].clone();
    let message = |from: Value| {
        let mut body = json!({
            "to": "+12125550123", "channel": "whatsapp", "class": "transactional",
            "carrier_template": { "name": "sale", "language": "en_US" },
        });
        for (name, value) in from.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for from in [json!({ "pool": pool }), json!({})] {
        let refused = kept.caller.post("/v1/messages", &message(from)).await.problem(422);
        assert_eq!(refused[0].1, "template_unknown");
    }
    let text = json!({ "to": "+12125550123", "channel": "whatsapp", "class": "transactional",
        "body": "Hello" });
    let batch = json!({ "messages": [message(json!({})), text] });
    let batch = kept.caller.post("/v1/messages/batch", &batch).await.expect(202);
    assert_eq!(batch["rejected"][0]["errors"][0]["code"], "template_unknown", "{batch}");
    assert_eq!(batch["rejected"].as_array().unwrap().len(), 1, "{batch}");
}

#[tokio::test]
async fn what_headers_and_buttons_need_is_read_and_what_is_wrong_is_named() {
    let kept = Kept::open("at_once").await;
    let message = |template: Value| {
        json!({ "to": "+12125550123", "channel": "whatsapp", "class": "transactional",
            "carrier_template": template })
    };
    let fine = message(json!({
        "name": "order", "language": "en_US", "header": { "image": "https://example.com/a.png" },
        "buttons": [{ "index": 1, "type": "url", "value": "417" }],
    }));
    kept.caller.post("/v1/messages", &fine).await.expect(202);

    for (more, field) in [
        (json!({ "header": {} }), "carrier_template.header"),
        (
            json!({ "header": { "text": "a", "image": "https://a.test" } }),
            "carrier_template.header",
        ),
        (json!({ "header": { "video": "http://a.test/x" } }), "carrier_template.header"),
        (
            json!({ "buttons": [{ "index": 0, "type": "call", "value": "1" }] }),
            "carrier_template.buttons[0].type",
        ),
        (
            json!({ "buttons": [{ "index": 0, "type": "url", "value": " " }] }),
            "carrier_template.buttons[0].value",
        ),
    ] {
        let mut template = json!({ "name": "order", "language": "en_US" });
        for (name, value) in more.as_object().unwrap() {
            template[name] = value.clone();
        }
        let refused = kept.caller.post("/v1/messages", &message(template)).await.problem(422);
        assert_eq!(refused[0].0, field, "{more}");
    }

    // All of it at once, each by its place.
    let wrong = message(json!({
        "name": "Order 1", "language": "en_US", "parameters": ["Ana", " "],
        "buttons": [
            { "index": 0, "type": "call", "value": "1" },
            { "index": 10, "type": "url", "value": " " },
        ],
    }));
    let refused = kept.caller.post("/v1/messages", &wrong).await.problem(422);
    let fields: Vec<&str> =
        refused.iter().filter_map(|of| of.0.strip_prefix("carrier_template.")).collect();
    let all = "buttons[0].type name parameters[1] buttons[1].index buttons[1].value";
    assert_eq!(fields.join(" "), all);

    let put = kept.caller.request(Method::PUT, "/v1/carrier-templates");
    crate::harness::send(put.json(&json!({}))).await.problem(405);
}
