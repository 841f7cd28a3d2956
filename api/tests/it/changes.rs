//! What a tenant has set up is shown alone, changed, and taken away again.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::{carrier, promo, template},
};

fn path(resource: &str, id: &Value) -> String {
    format!("/v1/{resource}/{}", id.as_str().expect("an id"))
}

/// The actions of a tenant's trail that are about one kind of thing, the oldest first.
async fn trail(caller: &Caller, kind: &str) -> Vec<String> {
    let trail = caller.get("/v1/audit?limit=100").await.expect(200);
    let actions = trail["data"].as_array().expect("data").iter();
    let actions = actions.map(|entry| entry["action"].as_str().expect("an action").to_owned());
    let mut actions: Vec<_> = actions.filter(|action| action.starts_with(kind)).collect();
    actions.reverse();
    actions
}

#[tokio::test]
async fn a_sender_is_changed_and_removed_once_no_pool_has_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let (sender, pool) = (path("senders", &sender), path("pools", &pool));

    let change = json!({ "pace": 3, "daily_cap": 50, "time_zone": "America/Chicago" });
    let changed = caller.patch(&sender, &change).await.expect(200);
    assert_eq!((&changed["pace"], &changed["daily_cap"]), (&json!(3), &json!(50)));
    assert_eq!(caller.get(&sender).await.expect(200), changed);
    let wrong = json!({ "pace": 0, "daily_cap": 0, "country": "Mars" });
    assert_eq!(caller.patch(&sender, &wrong).await.problem(422).len(), 3);
    caller.patch(&sender, &json!({ "number": "+12125550198" })).await.problem(422);

    caller.delete(&sender).await.problem(409);
    caller.delete(&pool).await.expect(200);
    caller.get(&pool).await.problem(404);
    assert_eq!(caller.delete(&sender).await.expect(200)["usable"], false);
    caller.get(&sender).await.problem(404);
    caller.delete(&sender).await.problem(404);
    assert_eq!(caller.get("/v1/senders").await.expect(200)["data"], json!([]));
    assert_eq!(world.number("select count(*) from millrace.senders").await, 1, "for its receipts");

    // Its id is of the number: made again it is the same sender, with what is said now.
    let again = json!({ "number": "+12125550199", "account": "main", "pace": 7 });
    let again = caller.post("/v1/senders", &again).await.expect(201);
    assert_eq!((&again["pace"], &again["usable"]), (&json!(7), &json!(true)));
    assert_eq!(caller.get(&sender).await.expect(200)["pace"], 7);
    let acts = ["sender.created", "sender.changed", "sender.removed", "sender.created"];
    assert_eq!(trail(&caller, "sender").await, acts);
}

#[tokio::test]
async fn a_pool_is_changed_and_stays_while_a_campaign_needs_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let other = json!({ "number": "+12125550198", "account": "main", "pace": 1 });
    let other = caller.post("/v1/senders", &other).await.expect(201)["id"].clone();
    let template = template(&caller).await;
    let draft = promo(&template, &pool);
    let campaign = caller.post("/v1/campaigns", &draft).await.expect(201)["id"].clone();
    let pool = path("pools", &pool);

    let both = json!([sender, other]);
    let changed = caller.patch(&pool, &json!({ "senders": both })).await.expect(200);
    assert_eq!((&changed["senders"], &changed["name"]), (&both, &json!("all")));
    let named = caller.patch(&pool, &json!({ "name": "east" })).await.expect(200);
    assert_eq!((&named["senders"], &named["name"]), (&both, &json!("east")));
    assert_eq!(caller.get(&pool).await.expect(200), named);
    caller.patch(&pool, &json!({ "senders": [] })).await.problem(422);
    caller.patch(&pool, &json!({ "senders": [uuid::Uuid::nil()] })).await.problem(422);

    caller.delete(&pool).await.problem(409);
    caller.delete(&path("campaigns", &campaign)).await.expect(200);
    caller.delete(&pool).await.expect(200);
    let stranger = world.caller("globex", KeyRole::Owner).await;
    stranger.get(&pool).await.problem(404);
    stranger.get(&path("senders", &sender)).await.problem(404);
    stranger.delete(&path("senders", &sender)).await.problem(404);
}

#[tokio::test]
async fn an_account_is_changed_without_its_token_and_stays_while_it_has_senders() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let account = "/v1/carrier-accounts/main";
    let sealed = "select count(*) from millrace.carrier_accounts where base_url like '%.test%'";

    caller.patch(account, &json!({ "base_url": "https://evil.test" })).await.problem(422);
    let change = json!({ "base_url": "http://127.0.0.1:8090/", "confirms_opt_out": false });
    let changed = caller.patch(account, &change).await.expect(200);
    assert_eq!(changed["confirms_opt_out"], false);
    assert_eq!(caller.get(account).await.expect(200), changed);
    assert_eq!(world.number(sealed).await, 0);
    caller.patch("/v1/carrier-accounts/other", &change).await.problem(404);

    caller.delete(account).await.problem(409);
    caller.delete(&path("pools", &pool)).await.expect(200);
    caller.delete(&path("senders", &sender)).await.expect(200);
    caller.delete(account).await.expect(200);
    caller.get(account).await.problem(404);
    assert_eq!(caller.get("/v1/carrier-accounts").await.expect(200)["data"], json!([]));
    let late = json!({ "number": "+12125550198", "account": "main", "pace": 1 });
    assert_eq!(caller.post("/v1/senders", &late).await.problem(422)[0].0, "account");

    carrier(&caller, "main", "+12125550199").await;
    let changes =
        ["created", "changed", "removed", "created"].map(|act| format!("carrier_account.{act}"));
    assert_eq!(trail(&caller, "carrier_account").await, changes);
}

#[tokio::test]
async fn a_draft_is_changed_copied_and_deleted_and_keeps_to_the_rules_of_a_new_one() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let draft = json!({
        "name": "spring", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "tags": ["vip"] }, "validity_seconds": 60,
    });
    let made = caller.post("/v1/campaigns", &draft).await.expect(201);
    let campaign = path("campaigns", &made["id"]);

    let change = json!({
        "name": "summer", "class": "transactional", "audience": { "tags": ["all"] },
        "validity_seconds": null,
    });
    let changed = caller.patch(&campaign, &change).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["program"]),
        (&json!("summer"), &json!("transactional"))
    );
    assert_eq!(changed["audience"], json!({ "tags": ["all"] }));
    assert_eq!(changed["validity_seconds"], Value::Null);
    assert_eq!((&changed["pool_id"], &changed["id"]), (&pool, &made["id"]));
    assert_eq!(caller.get(&campaign).await.expect(200), changed);
    let wrong = json!({ "class": "urgent", "pool_id": uuid::Uuid::nil(), "validity_seconds": 0 });
    assert_eq!(caller.patch(&campaign, &wrong).await.problem(422).len(), 3);
    caller.patch(&campaign, &json!({ "state": "running" })).await.problem(422);

    let copy = json!({ "name": "autumn" });
    let copied = caller.post_once(&format!("{campaign}/clone"), "k", &copy).await.expect(201);
    let again = caller.post_once(&format!("{campaign}/clone"), "k", &copy).await.expect(201);
    assert_eq!(copied, again);
    assert_ne!(copied["id"], made["id"]);
    assert_eq!((&copied["name"], &copied["class"]), (&json!("autumn"), &json!("transactional")));
    assert_eq!(caller.get("/v1/campaigns").await.expect(200)["data"].as_array().unwrap().len(), 2);

    let cap = json!({
        "scope": "campaign", "target": made["id"], "daily": { "amount": "1", "currency": "USD" },
    });
    caller.put("/v1/budgets", &cap).await.expect(200);
    caller.delete(&campaign).await.expect(200);
    caller.get(&campaign).await.problem(404);
    assert_eq!(caller.get("/v1/budgets").await.expect(200)["data"], json!([]));
    let stranger = world.caller("globex", KeyRole::Owner).await;
    let other = path("campaigns", &copied["id"]);
    stranger.delete(&other).await.problem(404);
    stranger.patch(&other, &json!({ "name": "x" })).await.problem(404);
    stranger.post(&format!("{other}/clone"), &json!({})).await.problem(404);
}

#[tokio::test]
async fn a_campaign_that_has_started_is_changed_while_it_is_paused_and_never_deleted() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let draft = promo(&template, &pool);
    let campaign = caller.post("/v1/campaigns", &draft).await.expect(201)["id"].clone();
    let campaign = path("campaigns", &campaign);
    let act = |act: &'static str| {
        let (caller, path) = (caller.clone(), format!("{campaign}/{act}"));
        async move { caller.post(&path, &json!({})).await.expect(200) }
    };
    let version = json!({ "variants": [{ "key": "a", "weight": 1, "bodies": { "en": "x" } }] });
    let versions = format!("{}/versions", path("templates", &template));

    act("start").await;
    caller.post(&versions, &version).await.expect(201);
    caller.patch(&campaign, &json!({ "name": "d" })).await.problem(409);
    caller.delete(&campaign).await.problem(409);

    act("pause").await;
    let change = json!({ "name": "d", "validity_seconds": 90, "template_version": 2 });
    let changed = caller.patch(&campaign, &change).await.expect(200);
    assert_eq!((&changed["name"], &changed["template_version"]), (&json!("d"), &json!(2)));
    assert_eq!((&changed["state"], &changed["validity_seconds"]), (&json!("paused"), &json!(90)));
    let fixed = json!({ "class": "journey", "audience": { "tags": [] }, "template_version": 3 });
    let errors = caller.patch(&campaign, &fixed).await.problem(422);
    let fields: Vec<_> = errors.iter().map(|error| error.0.as_str()).collect();
    assert_eq!(fields, ["class", "audience", "template_version"]);

    assert_eq!(act("resume").await["name"], "d");
    act("stop").await;
    caller.patch(&campaign, &json!({ "name": "e" })).await.problem(409);
    caller.delete(&campaign).await.problem(409);
    let copied = caller.post(&format!("{campaign}/clone"), &json!({})).await.expect(201);
    assert_eq!((&copied["state"], &copied["template_version"]), (&json!("draft"), &Value::Null));
}

#[tokio::test]
async fn versions_of_a_template_are_listed_and_a_saved_one_is_previewed() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let template = path("templates", &template(&caller).await);
    let next = json!({
        "variables": ["code"],
        "variants": [{ "key": "b", "weight": 1, "bodies": { "en": "Code {code}" } }],
    });
    caller.post(&format!("{template}/versions"), &next).await.expect(201);

    let versions = caller.get(&format!("{template}/versions?limit=1")).await.expect(200);
    assert_eq!(versions["data"][0]["version"], 2);
    let cursor = versions["next_cursor"].as_str().unwrap();
    let older = caller.get(&format!("{template}/versions?cursor={cursor}")).await.expect(200);
    assert_eq!((&older["data"][0]["version"], &older["data"][1]), (&json!(1), &Value::Null));

    let preview = format!("{template}/preview");
    let latest = json!({ "variables": { "code": "417" }, "class": "promo" });
    let shown = caller.post(&preview, &latest).await.expect(200);
    assert_eq!((&shown["version"], &shown["previews"][0]["variant"]), (&json!(2), &json!("b")));
    assert_eq!(shown["previews"][0]["text"], "Code 417\nReply STOP to opt out");
    let errors = caller.post(&preview, &json!({})).await.problem(422);
    assert_eq!(errors[0].0, "variables");

    let long = json!({ "variables": { "code": "x".repeat(501) } });
    let shown = caller.post(&preview, &long).await.expect(200);
    let codes = |shown: &Value| {
        let warnings = shown["warnings"].as_array().unwrap().iter();
        warnings.map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&shown["previews"][0]), ["variable_too_long"]);
    for (letters, class, expected) in [
        (1_530, "transactional", vec![]),
        (1_531, "transactional", vec!["too_long"]),
        (1_530, "promo", vec!["too_long"]),
    ] {
        let text = "a".repeat(letters);
        let trial = json!({ "body": text, "class": class });
        let shown = caller.post("/v1/templates/preview", &trial).await.expect(200);
        assert_eq!(codes(&shown), expected, "{letters} {class}");
        let asked = json!({ "to": "+12125550123", "body": text, "class": class });
        let explained = caller.post("/v1/explain", &asked).await;
        assert_eq!(explained.status.as_u16() == 422, !expected.is_empty(), "{letters} {class}");
    }

    let first = json!({ "version": 1, "variables": { "first_name": "Ana" } });
    let shown = caller.post(&preview, &first).await.expect(200);
    let texts: Vec<_> =
        shown["previews"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, ["Hi Ana", "Hola"]);
    caller.post(&preview, &json!({ "version": 3 })).await.problem(404);
    let nobodys = format!("/v1/templates/{}", uuid::Uuid::nil());
    caller.get(&format!("{nobodys}/versions")).await.problem(404);
    caller.post(&format!("{nobodys}/preview"), &json!({})).await.problem(404);
}
