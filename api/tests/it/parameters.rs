//! Parameters of a query: one that a route does not have is refused by its name.

use serde_json::json;
use store::settings::api_keys::KeyRole;

use crate::harness::World;

#[tokio::test]
async fn a_parameter_that_a_route_does_not_have_is_refused_by_name_on_every_method() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Owner).await;
    let unknown = [("contact".to_owned(), "unknown_parameter".to_owned())];

    for path in [
        "/v1/analytics/dashboard",
        "/v1/analytics/dashboard/series",
        "/v1/api-keys",
        "/v1/audit",
        "/v1/budgets",
        "/v1/campaigns",
        "/v1/contacts",
        "/v1/do-not-contact",
        "/v1/kill-switch",
        "/v1/me",
        "/v1/messages",
        "/v1/pools",
        "/v1/suppressions",
    ] {
        caller.get(path).await.expect(200);
        let errors = caller.get(&format!("{path}?contact=1")).await.problem(422);
        assert_eq!(errors, unknown, "{path}");
    }

    let body = json!({ "phone": "+12125550100" });
    assert_eq!(caller.post("/v1/contacts?contact=1", &body).await.problem(422), unknown);
    assert_eq!(caller.get("/v1/contacts").await.expect(200)["data"], json!([]), "nothing was done");
    caller.put("/v1/policies?contact=1", &json!({})).await.problem(422);
    caller.delete("/v1/do-not-contact/%2B12125550100?contact=1").await.problem(422);

    let both = caller.get("/v1/pools?contact=1&limit=5&name=x").await.problem(422);
    assert_eq!(both.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["contact", "name"]);
    world.with_token("").get("/v1/pools?contact=1").await.problem(401);
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_told_by_its_parameter() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    for (query, field) in [
        ("/v1/audit?action=x&since=yesterday", "since"),
        ("/v1/messages?limit=5&campaign=spring", "campaign"),
        ("/v1/do-not-contact?channel=fax", "channel"),
        ("/v1/audit/verify?after=last", "after"),
    ] {
        assert_eq!(caller.get(query).await.problem(422)[0].0, field, "{query}");
    }
}
