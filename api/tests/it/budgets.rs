//! What a tenant may spend: set as a whole, and cap by cap.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::World;

#[tokio::test]
async fn a_budget_is_changed_cap_by_cap_and_each_answer_says_what_has_changed() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let patch = async |mut body: Value| {
        body["scope"] = json!("tenant");
        caller.patch("/v1/budgets", &body).await
    };

    let first = patch(json!({ "daily": usd("10.00") })).await.expect(200);
    let changed = json!([{ "rule": "daily", "from": null, "to": usd("10.00") }]);
    assert_eq!((&first["daily"], &first["changed"]), (&usd("10.00"), &changed));
    let second = patch(json!({ "monthly": usd("100.00") })).await.expect(200);
    assert_eq!((&second["daily"], &second["monthly"]), (&usd("10.00"), &usd("100.00")));
    assert_eq!(patch(json!({})).await.expect(200)["changed"], json!([]));
    patch(json!({ "weekly": usd("1.00") })).await.problem(422);
    patch(json!({ "daily": { "amount": "1", "currency": "EUR" } })).await.problem(422);

    let put = json!({ "scope": "tenant", "daily": usd("20.00") });
    let put = caller.put("/v1/budgets", &put).await.expect(200);
    let changed = json!([
        { "rule": "daily", "from": usd("10.00"), "to": usd("20.00") },
        { "rule": "monthly", "from": usd("100.00"), "to": null },
    ]);
    assert_eq!((&put["monthly"], &put["changed"]), (&Value::Null, &changed), "left out, and said");

    let last = patch(json!({ "daily": null })).await.expect(200);
    assert_eq!((&last["daily"], last["changed"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_eq!(caller.get("/v1/budgets").await.expect(200)["data"], json!([]));
    let lost = json!({ "scope": "campaign", "target": uuid::Uuid::nil(), "daily": null });
    assert_eq!(caller.patch("/v1/budgets", &lost).await.problem(422)[0].0, "target");
}
