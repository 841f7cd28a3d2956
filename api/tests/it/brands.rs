//! Brands and inboxes: made, shown, changed, archived; a company's own.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{harness::World, settings::carrier};

fn id(of: &Value) -> String {
    of["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_brand_has_a_name_of_its_own_and_is_archived_once_nothing_uses_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, _) = carrier(&caller, "main", "+12125550199").await;
    let sender = format!("/v1/senders/{}", sender.as_str().expect("an id"));

    let made = caller.post("/v1/brands", &json!({ "name": "Coffee" })).await.expect(201);
    let brand = format!("/v1/brands/{}", id(&made));
    assert_eq!((&made["display_name"], &made["colour"]), (&json!("Coffee"), &json!("#6366f1")));
    caller.post("/v1/brands", &json!({ "name": "coffee" })).await.problem(409);
    let tea = caller.post("/v1/brands", &json!({ "name": "Tea" })).await.expect(201);
    caller.patch(&brand, &json!({ "name": "TEA" })).await.problem(409);

    let registration = json!({ "brand": "B1", "campaign": "C1", "state": "pending" });
    let change = json!({ "colour": "#0F766E", "registration": registration });
    let changed = caller.patch(&brand, &change).await.expect(200);
    assert_eq!((&changed["colour"], &changed["name"]), (&json!("#0f766e"), &json!("Coffee")));
    assert_eq!(caller.get(&brand).await.expect(200), changed);
    assert_eq!(changed["registration"], registration);

    // What is in use stays.
    let used = caller.patch(&sender, &json!({ "brand": made["id"] })).await.expect(200);
    assert_eq!(used["brand"], made["id"]);
    caller.patch(&brand, &json!({ "archived": true })).await.problem(409);
    caller.patch(&sender, &json!({ "brand": tea["id"] })).await.expect(200);
    let archived = caller.patch(&brand, &json!({ "archived": true })).await.expect(200);
    assert!(archived["archived_at"].is_string());

    // Nothing new belongs to what is archived, and its name is free.
    let refused = caller.patch(&sender, &json!({ "brand": made["id"] })).await.problem(422);
    assert_eq!(refused, [("brand".to_owned(), "not_found".to_owned())]);
    let again = caller.post("/v1/brands", &json!({ "name": "Coffee" })).await.expect(201);
    caller.patch(&brand, &json!({ "archived": false })).await.problem(409);
    let all = caller.get("/v1/brands").await.expect(200);
    assert_eq!(all["data"].as_array().expect("data").len(), 3);
    assert!(all["data"].as_array().expect("data").contains(&again));
}

#[tokio::test]
async fn an_inbox_belongs_to_a_brand_that_is_in_use() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let brand = caller.post("/v1/brands", &json!({ "name": "Coffee" })).await.expect(201);
    let path = format!("/v1/brands/{}", id(&brand));

    let new = json!({ "name": "Support", "brand": brand["id"] });
    let inbox = caller.post("/v1/inboxes", &new).await.expect(201);
    caller.post("/v1/inboxes", &new).await.problem(409);
    caller.patch(&path, &json!({ "archived": true })).await.problem(409);

    let inbox = format!("/v1/inboxes/{}", id(&inbox));
    let renamed = caller.patch(&inbox, &json!({ "name": "Orders" })).await.expect(200);
    assert_eq!(caller.get(&inbox).await.expect(200), renamed);
    caller.patch(&inbox, &json!({ "archived": true })).await.expect(200);
    caller.patch(&path, &json!({ "archived": true })).await.expect(200);
    caller.patch(&inbox, &json!({ "archived": false })).await.problem(409);
    let refused = caller.post("/v1/inboxes", &new).await.problem(422);
    assert_eq!(refused, [("brand".to_owned(), "not_found".to_owned())]);
}

#[tokio::test]
async fn brands_and_inboxes_of_another_company_are_nobodys() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let other = world.caller("globex", KeyRole::Admin).await;
    let brand = caller.post("/v1/brands", &json!({ "name": "Coffee" })).await.expect(201);
    let inbox = json!({ "name": "Support", "brand": brand["id"] });
    let inbox = caller.post("/v1/inboxes", &inbox).await.expect(201);

    for path in [format!("/v1/brands/{}", id(&brand)), format!("/v1/inboxes/{}", id(&inbox))] {
        other.get(&path).await.problem(404);
        other.patch(&path, &json!({ "name": "Mine" })).await.problem(404);
    }
    let theirs = json!({ "name": "Support", "brand": brand["id"] });
    other.post("/v1/inboxes", &theirs).await.problem(422);
    other.post("/v1/brands", &json!({ "name": "Coffee" })).await.expect(201);
    assert_eq!(other.get("/v1/inboxes").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_brand_is_named_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let wrong = json!({
        "name": " ", "display_name": "x".repeat(101), "colour": "red", "logo_url": "http://x",
    });
    let fields: Vec<String> =
        caller.post("/v1/brands", &wrong).await.problem(422).into_iter().map(|it| it.0).collect();
    assert_eq!(fields, ["name", "display_name", "colour", "logo_url"]);

    let state = json!({ "name": "A", "registration": { "brand": "B", "state": "perhaps" } });
    let fields = caller.post("/v1/brands", &state).await.problem(422);
    assert_eq!(fields[0].0, "registration.state");
}
