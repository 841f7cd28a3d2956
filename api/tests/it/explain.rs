//! Explain: what every gate would say, in words, and nothing written.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::{carrier, template},
};

/// Noon in New York.
const NOON: &str = "2026-05-01T16:00:00Z";

async fn world() -> (World, Caller, Value) {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    world.run("update millrace.senders set active_since = '2025-01-01'").await;
    (world, caller, pool)
}

fn promo(to: &str) -> Value {
    json!({ "to": to, "body": "Spring sale", "class": "promo", "at": NOON })
}

async fn with_consent(caller: &Caller, to: &str, more: Value) {
    let mut person = json!({ "phone": to, "consent": { "source": "form" } });
    person.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    caller.post("/v1/contacts/bulk", &json!({ "contacts": [person] })).await.expect(200);
}

/// What each gate says in one word.
fn words(explained: &Value) -> Vec<&str> {
    let gates = explained["gates"].as_array().unwrap();
    gates.iter().map(|gate| gate["verdict"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_that_may_be_sent_says_by_whom_at_what_cost_and_until_when() {
    let (_world, caller, _) = world().await;
    with_consent(&caller, "+12125550100", json!({})).await;
    let said = caller.post("/v1/explain", &promo("(212) 555-0100")).await.expect(200);

    assert_eq!((&said["verdict"], &said["gate"]), (&json!("admit"), &Value::Null));
    assert_eq!(said["sentence"], "The message would be sent: every gate lets it pass.");
    assert_eq!(words(&said), ["pass"; 8]);
    assert_eq!(said["sendable_until"], "2026-05-02T01:00:00Z", "21:00 in New York");
    assert_eq!(said["timezones"], json!(["America/New_York"]));
    assert_eq!((&said["segments"], &said["evidence"]), (&json!(1), &json!("prefix")));
    assert_eq!(said["cost"], json!({ "amount": "0.0079", "currency": "USD" }));
}

#[tokio::test]
async fn somebody_new_is_a_person_of_whom_nothing_is_known_and_stays_unknown() {
    let (world, caller, _) = world().await;
    let before = world.tables().await;
    let said = caller.post("/v1/explain", &promo("+18085550100")).await.expect(200);
    assert_eq!((&said["verdict"], &said["code"]), (&json!("block"), &json!("no_consent")));

    let words = words(&said);
    assert_eq!(words[3..6], ["block", "pass", "defer"], "06:00 in Hawaii");
    assert_eq!(
        said["sentence"],
        "The message would not be sent: it would be blocked because of do-not-contact: no consent \
         is recorded, and messages of this class need one."
    );

    let mut asked = promo("+12125550100");
    asked["contact"] = json!({ "state": "CA" });
    caller.post("/v1/explain", &asked).await.expect(200);
    assert_eq!(world.tables().await, before, "nothing is made, and nothing changes");
}

#[tokio::test]
async fn a_supposed_person_stands_in_for_what_is_on_file() {
    let (_world, caller, _) = world().await;
    let on_file = json!({ "time_zone": "Pacific/Honolulu" });
    with_consent(&caller, "+12125550100", on_file).await;
    let said = caller.post("/v1/explain", &promo("+12125550100")).await.expect(200);

    assert_eq!((&said["code"], &said["evidence"]), (&json!("quiet_hours"), &json!("contact")));
    assert_eq!(said["until"], "2026-05-01T19:00:00Z");
    assert_eq!(
        said["sentence"],
        "The message would wait until 2026-05-01 19:00 UTC because of quiet hours: it may be sent \
         daily 09:00-21:00 in Pacific/Honolulu, which is next at 2026-05-01T19:00:00Z."
    );

    let mut asked = promo("+12125550100");
    asked["contact"] = json!({ "postal_code": "94103" });
    let said = caller.post("/v1/explain", &asked).await.expect(200);
    assert_eq!((&said["verdict"], &said["evidence"]), (&json!("admit"), &json!("postal_code")));

    asked["at"] = json!("2026-05-01T08:59:00-07:00");
    let said = caller.post("/v1/explain", &asked).await.expect(200);
    assert_eq!(said["until"], "2026-05-01T16:00:00Z");
}

#[tokio::test]
async fn with_a_campaign_its_own_class_text_pool_and_switch_count() {
    let (_world, caller, pool) = world().await;
    with_consent(&caller, "+12125550100", json!({ "first_name": "Ana" })).await;
    let template = template(&caller).await;
    let campaign = json!({ "name": "Spring", "class": "journey", "template_id": template,
        "pool_id": pool, "validity_seconds": 3600, "audience": { "all": true } });
    let id = caller.post("/v1/campaigns", &campaign).await.expect(201)["id"].clone();
    let mut asked = json!({ "to": "+12125550100", "campaign": id, "at": NOON });
    let said = caller.post("/v1/explain", &asked).await.expect(200);

    assert_eq!(words(&said)[4], "not_asked", "suppression is for promotions");
    assert_eq!(said["verdict"], "admit");

    asked["at"] = json!("2026-05-02T03:00:00Z");
    let said = caller.post("/v1/explain", &asked).await.expect(200);
    assert_eq!((&said["verdict"], &said["gate"]), (&json!("expire"), &json!("quiet_hours")));

    asked["class"] = json!("promo");
    let errors = caller.post("/v1/explain", &asked).await.problem(422);
    assert_eq!(errors, [("class".to_owned(), "other_class".to_owned())]);

    let target = json!({ "scope": "campaign", "target": id, "mode": "paused", "reason": "x" });
    caller.put("/v1/kill-switch", &target).await.expect(200);
    let asked = json!({ "to": "+12125550100", "campaign": id, "at": NOON });
    let said = caller.post("/v1/explain", &asked).await.expect(200);

    assert_eq!((&said["verdict"], &said["code"]), (&json!("hold"), &json!("campaign_paused")));
    assert_eq!(words(&said)[2..], ["pass", "pass", "not_asked", "pass", "pass", "pass"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_named_field_by_field() {
    let (world, _, _) = world().await;
    let caller = world.caller("other", KeyRole::Viewer).await;
    let asked = json!({
        "to": "12", "class": "compliance", "at": "noon", "campaign": uuid::Uuid::nil(),
    });
    let errors = caller.post("/v1/explain", &asked).await.problem(422);
    let fields: Vec<_> = errors.iter().map(|error| error.0.as_str()).collect();

    assert_eq!(fields, ["to", "campaign", "class", "at"]);

    let asked = json!({
        "to": "+12125550100", "body": "Hi", "class": "promo",
        "contact": { "timezone": "Mars/Base", "postal_code": "nowhere", "state": "XX" },
    });
    let errors = caller.post("/v1/explain", &asked).await.problem(422);
    let fields: Vec<_> = errors.iter().map(|error| error.0.as_str()).collect();
    assert_eq!(fields, ["contact.timezone", "contact.postal_code", "contact.state"]);

    let asked = json!({ "to": "+12125550100", "body": "\u{4e2d}".repeat(700), "class": "promo" });
    let errors = caller.post("/v1/explain", &asked).await.problem(422);
    assert_eq!(errors, [("body".to_owned(), "too_long".to_owned())]);

    let asked = json!({ "to": "+12125550100", "class": "promo" });
    let errors = caller.post("/v1/explain", &asked).await.problem(422);
    assert_eq!(errors, [("body".to_owned(), "required".to_owned())]);
}

#[tokio::test]
async fn an_abbreviation_is_the_zone_that_people_mean_wherever_it_is_written() {
    let (_world, caller, _) = world().await;

    // by explain: 21:30 in New York, where an offset of five hours would have it 20:30
    let late = "2026-07-02T01:30:00Z";
    with_consent(&caller, "+12125550100", json!({})).await;
    for zone in ["EST", "America/New_York"] {
        let mut asked = promo("+12125550100");
        asked["contact"] = json!({ "timezone": zone });
        asked["at"] = json!(late);
        let said = caller.post("/v1/explain", &asked).await.expect(200);
        assert_eq!((&said["verdict"], &said["gate"]), (&json!("defer"), &json!("quiet_hours")));
        assert_eq!(said["timezones"], json!(["America/New_York"]), "{zone}");
    }

    // by the API and by a file
    let person = json!({ "phone": "+12125550101", "time_zone": "EST" });
    caller.post("/v1/contacts", &person).await.expect(201);
    let file = "phone,time_zone\n+12125550102,EST\n";
    caller.csv("/v1/contacts/import", file).await.expect(202);
    let contacts = async {
        loop {
            let found = caller.get("/v1/contacts").await.expect(200);
            if found["data"].as_array().expect("data").len() == 3 {
                return found["data"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let contacts = tokio::time::timeout(std::time::Duration::from_secs(20), contacts).await;
    let contacts = contacts.expect("imported");
    let zones = contacts.as_array().expect("data").iter().map(|one| &one["time_zone"]);
    assert_eq!(zones.filter(|zone| *zone == "America/New_York").count(), 2, "{contacts}");
}
