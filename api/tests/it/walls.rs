//! Tenant walls: another tenant's things are in no list, and no body can name them. What is asked
//! for by its id, `document/walls.rs` walks through.

use serde_json::json;
use store::settings::api_keys::KeyRole;

use crate::{
    harness::World,
    settings::{carrier, template},
};

#[tokio::test]
async fn what_another_tenant_has_is_in_no_list_and_cannot_be_named() {
    let world = World::start().await;
    let owner = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&owner, "main", "+12125550199").await;
    let template = template(&owner).await;
    let campaign = json!({
        "name": "c", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "all": true },
    });
    let campaign_id = owner.post("/v1/campaigns", &campaign).await.expect(201)["id"].clone();
    owner.post("/v1/contacts", &json!({ "phone": "+12125550100" })).await.expect(201);
    let stop = json!({ "phone": "+12125550101", "reason": "x" });
    owner.post("/v1/do-not-contact", &stop).await.expect(201);

    let stranger = world.caller("globex", KeyRole::Owner).await;
    for path in [
        "/v1/contacts",
        "/v1/templates",
        "/v1/senders",
        "/v1/pools",
        "/v1/carrier-accounts",
        "/v1/campaigns",
        "/v1/do-not-contact",
        "/v1/consent/reviews",
        "/v1/budgets",
        "/v1/kill-switch",
    ] {
        let list = stranger.get(path).await.expect(200);
        assert_eq!(list["data"], json!([]), "{path}");
    }

    // What is named inside a body is not there either.
    assert_eq!(stranger.post("/v1/campaigns", &campaign).await.problem(422).len(), 2);
    let pool = json!({ "name": "p", "senders": [sender] });
    stranger.post("/v1/pools", &pool).await.problem(422);
    let borrowed = json!({ "number": "+12125550198", "account": "main", "pace": 1 });
    stranger.post("/v1/senders", &borrowed).await.problem(422);
    let switch = json!({ "scope": "campaign", "target": campaign_id, "mode": "stopped" });
    stranger.put("/v1/kill-switch", &switch).await.problem(422);
    let cap = json!({ "scope": "campaign", "target": campaign_id });
    stranger.put("/v1/budgets", &cap).await.problem(422);
    let path = format!("/v1/campaigns/{}", campaign_id.as_str().expect("an id"));
    let state = owner.get(&path).await.expect(200);
    assert_eq!(state["state"], "draft", "nothing of it was touched");
}

#[tokio::test]
async fn the_same_number_is_another_contact_to_each_tenant() {
    let world = World::start().await;
    let (a, b) =
        (world.caller("acme", KeyRole::Admin).await, world.caller("globex", KeyRole::Admin).await);
    let body = json!({ "phone": "+12125550100", "consent": {} });
    let (ours, theirs) = (
        a.post("/v1/contacts", &body).await.expect(201),
        b.post("/v1/contacts", &body).await.expect(201),
    );

    assert_ne!(ours["id"], theirs["id"]);

    let stop = json!({ "phone": "+12125550100", "reason": "x" });
    a.post("/v1/do-not-contact", &stop).await.expect(201);
    assert_eq!(b.get("/v1/do-not-contact").await.expect(200)["data"], json!([]));
}
