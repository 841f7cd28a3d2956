//! What the assistant goes by: set, changed, taken away, tried.

use carriers::anthropic::Client;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;

use crate::harness::World;

const SETTINGS: &str = "/v1/ai/settings";
const TEST: &str = "/v1/ai/test";

fn of_company(settings: Value) -> Value {
    json!({ "scope": "company", "settings": settings })
}

#[tokio::test]
async fn settings_are_set_whole_for_the_company_a_brand_and_an_inbox() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let first = admin.get(SETTINGS).await.expect(200);
    assert_eq!(
        (&first["data"][0]["version"], &first["data"][0]["target"]),
        (&json!(0), &Value::Null)
    );

    let brand = json!({ "name": "Coffee" });
    let brand = admin.post("/v1/brands", &brand).await.expect(201)["id"].clone();
    let inbox = json!({ "name": "Orders", "brand": brand });
    let inbox = admin.post("/v1/inboxes", &inbox).await.expect(201)["id"].clone();

    let set = admin.put(SETTINGS, &of_company(json!({ "persona": "Kind." }))).await.expect(200);
    assert_eq!((&set["version"], &set["settings"]["persona"]), (&json!(1), &json!("Kind.")));
    for (scope, target) in [("brand", &brand), ("inbox", &inbox)] {
        let body = json!({ "scope": scope, "target": target, "settings": {} });
        assert_eq!(admin.put(SETTINGS, &body).await.expect(200)["target"], *target);
    }
    let again = of_company(json!({ "knowledge": "Nine to five." }));
    let again = admin.put(SETTINGS, &again).await.expect(200);
    assert_eq!((&again["version"], &again["settings"]["persona"]), (&json!(2), &json!("")));

    let page = admin.get(&format!("{SETTINGS}?limit=2")).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let rest = admin.get(&format!("{SETTINGS}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);

    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.get(SETTINGS).await.expect(200);
    viewer.put(SETTINGS, &of_company(json!({}))).await.problem(403);
    let trail = "select count(*) from millrace.audit_log where action = 'assistant.changed'";
    assert_eq!(world.number(trail).await, 4);

    let stranger = world.caller("globex", KeyRole::Admin).await;
    let foreign = json!({ "scope": "brand", "target": brand, "settings": {} });
    assert_eq!(stranger.put(SETTINGS, &foreign).await.problem(422)[0].0, "target");
    assert_eq!(stranger.get(SETTINGS).await.expect(200)["data"][0]["version"], 0);
}

#[tokio::test]
async fn whoever_changes_what_somebody_else_has_changed_since_is_told_so() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let after = |version: i64| {
        let settings = json!({ "quiet_seconds": 5 });
        json!({ "scope": "company", "version": version, "settings": settings })
    };
    admin.put(SETTINGS, &after(1)).await.problem(409);
    admin.put(SETTINGS, &after(0)).await.expect(200);
    admin.put(SETTINGS, &after(0)).await.problem(409);
    assert_eq!(admin.put(SETTINGS, &after(1)).await.expect(200)["version"], 2);

    let gone = format!("{SETTINGS}?scope=company");
    admin.delete(&gone).await.expect(204);
    admin.delete(&gone).await.expect(204);
    assert_eq!(admin.get(SETTINGS).await.expect(200)["data"][0]["version"], 0);
    let trail = "select count(*) from millrace.audit_log where action = 'assistant.deleted'";
    assert_eq!(world.number(trail).await, 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_each_field() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let wrong = json!({ "quiet_seconds": 60, "qualification": [{ "name": "A b", "about": "x" }] });
    let fields: Vec<String> = admin
        .put(SETTINGS, &of_company(wrong))
        .await
        .problem(422)
        .into_iter()
        .map(|e| e.0)
        .collect();
    assert_eq!(fields, ["settings.qualification[0].name", "settings.quiet_seconds"]);
    admin.put(SETTINGS, &of_company(json!({ "mood": "sunny" }))).await.problem(422);
    let unscoped = json!({ "scope": "inbox", "settings": {} });
    assert_eq!(admin.put(SETTINGS, &unscoped).await.problem(422)[0].0, "target");
    let no_texts = json!({ "scope": "company", "texts": [] });
    assert_eq!(admin.post(TEST, &no_texts).await.problem(422)[0].0, "texts");
}

#[tokio::test]
async fn what_was_used_of_a_days_budget_is_shown_by_whose_settings_it_was() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    assert_eq!(admin.get("/v1/ai/usage").await.expect(200)["data"], json!([]));

    let used = "insert into millrace.assistant_usage
                    (tenant_id, scope, target, day, answers, tokens, cost_micros, tool_calls)
                values ('acme', 'company', '00000000-0000-0000-0000-000000000000', '2026-05-01',
                        3, 1200, 900, 2),
                       ('acme', 'brand', '00000000-0000-0000-0000-000000000007', '2026-04-30',
                        1, 400, 0, 0)";
    world.run(used).await;
    let first = admin.get("/v1/ai/usage?limit=1").await.expect(200);
    let company = json!({ "scope": "company", "target": null, "day": "2026-05-01", "answers": 3,
                          "tokens": 1200, "cost_micros": 900, "tool_calls": 2 });
    assert_eq!(first["data"], json!([company]));
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = admin.get(&format!("/v1/ai/usage?limit=1&cursor={cursor}")).await.expect(200);
    let row = &rest["data"][0];
    assert_eq!((&row["scope"], &row["tokens"]), (&json!("brand"), &json!(400)));

    let stranger = world.caller("globex", KeyRole::Admin).await;
    assert_eq!(stranger.get("/v1/ai/usage").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_test_says_what_would_be_answered_and_sends_nothing() {
    let carrier = TestCarrier::start().await.unwrap();
    let key = SecretString::from("sk-test");
    let ai = Client::new(carrier.http.clone(), &carrier.url(), &key).unwrap();
    let world = World::start_with(|settings| settings.ai = Some(ai)).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let keyword = json!({ "words": ["parking"], "answer": "It is free." });
    let settings = json!({ "keywords": [keyword], "escalate_on": ["complaint"],
                           "qualification": [{ "name": "day", "about": "when they come" }] });
    admin.put(SETTINGS, &of_company(settings)).await.expect(200);
    let test = async |texts: &[&str]| {
        let body = json!({ "scope": "company", "texts": texts });
        admin.post(TEST, &body).await.expect(200)
    };

    let answered = test(&["Hi", "what are your opening hours?"]).await;
    assert_eq!(answered["reason"], "answered", "{answered}");
    assert!(answered["reply"].as_str().unwrap().contains("9 am"), "{answered}");
    assert!(answered["input_tokens"].as_u64() > Some(0) && !answered["model"].is_null());

    let parking = test(&["Parking?"]).await;
    assert_eq!((&parking["reason"], &parking["reply"]), (&json!("keyword"), &json!("It is free.")));
    let complaint = test(&["I have a complaint"]).await;
    assert_eq!((&complaint["reason"], &complaint["reply"]), (&json!("escalated"), &Value::Null));

    let tried =
        json!({ "scope": "company", "texts": ["Parking?"], "settings": { "enabled": false } });
    assert_eq!(admin.post(TEST, &tried).await.expect(200)["reason"], "ai_off");
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.post(TEST, &tried).await.problem(403);

    let left = "select (select count(*) from millrace.messages)
                    + (select count(*) from millrace.ai_replies)
                    + (select count(*) from millrace.assistant_usage)";
    assert_eq!(world.number(left).await, 0, "nothing is sent, and nothing is kept");
    assert_eq!(carrier.stats().await.unwrap()["ai_calls"], 1);
}
