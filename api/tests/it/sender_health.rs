//! Senders put into use, out of use and into quarantine together; how they do; their pools.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::carrier,
};

const STATUS: &str = "/v1/senders/status";

/// The ids of two senders of an account, both in a pool; then the pool's.
async fn two_senders(caller: &Caller) -> (Value, Value, Value) {
    let (first, pool) = carrier(caller, "main", "+12125550199").await;
    let second = json!({ "number": "+12125550198", "account": "main", "pace": 1 });
    let second = caller.post("/v1/senders", &second).await.expect(201)["id"].clone();
    let path = format!("/v1/pools/{}", pool.as_str().unwrap());
    caller.patch(&path, &json!({ "senders": [first, second] })).await.expect(200);
    (first, second, pool)
}

fn sender(id: &Value) -> String {
    format!("/v1/senders/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn senders_are_given_a_status_together_each_with_its_result() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (first, second, _) = two_senders(&caller).await;
    let nobody = uuid::Uuid::nil();

    let off = json!({ "senders": [first, nobody, second], "status": "inactive" });
    let answer = caller.post(STATUS, &off).await.expect(200);
    assert_eq!(answer["changed"], 2);
    let outcomes: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["changed", "not_found", "changed"]);
    assert_eq!(answer["results"][1]["sender"], json!(nobody));
    assert_eq!(caller.get(&sender(&first)).await.expect(200)["usable"], false);
    let again = caller.post(STATUS, &off).await.expect(200);
    assert_eq!(
        (&again["changed"], &again["results"][0]["outcome"]),
        (&json!(0), &json!("unchanged"))
    );

    let on = json!({ "senders": [first, second], "status": "active" });
    assert_eq!(caller.post(STATUS, &on).await.expect(200)["changed"], 2);
    assert_eq!(caller.get(&sender(&second)).await.expect(200)["usable"], true);

    let trail = "select count(*) from millrace.audit_log where action = 'sender.status_changed'";
    assert_eq!(world.number(trail).await, 2, "an act that changes nothing is none");
    let woken = "select count(*) from millrace.wakes where what like 'health:sender:%'";
    assert_eq!(world.number(woken).await, 2);
}

#[tokio::test]
async fn a_quarantine_by_hand_shows_who_could_take_the_senders_place() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (first, second, _) = two_senders(&caller).await;
    let health = |one: Value| one["health"].clone();
    let shown = health(caller.get(&sender(&first)).await.expect(200));
    assert_eq!((&shown["state"], &shown["replacement"]), (&json!("healthy"), &Value::Null));
    assert_eq!((&shown["delivered_percent"], &shown["window_minutes"]), (&Value::Null, &json!(60)));

    world
        .run(&format!(
            "insert into millrace.sender_outcomes values
                 ('acme', '{id}', '2026-05-01T14:30:00Z', '', 90),
                 ('acme', '{id}', '2026-05-01T14:30:00Z', '30007', 6),
                 ('acme', '{id}', '2026-05-01T14:30:00Z', '30003', 4),
                 ('acme', '{id}', '2026-05-01T13:30:00Z', '30003', 99)",
            id = first.as_str().unwrap(),
        ))
        .await;
    let one = |status: &str| json!({ "senders": [first], "status": status });
    assert_eq!(caller.post(STATUS, &one("quarantined")).await.expect(200)["changed"], 1);
    let listed = caller.get("/v1/senders").await.expect(200);
    let shown = listed["data"].as_array().unwrap().iter().find(|one| one["id"] == first).unwrap();
    let shown = health(shown.clone());
    assert_eq!((&shown["state"], &shown["cause"]), (&json!("quarantined"), &json!("by_hand")));
    assert_eq!(shown["rests_until"], Value::Null);
    assert_eq!((&shown["delivered"], &shown["failed"]), (&json!(90), &json!(10)));
    assert_eq!((&shown["complaints"], &shown["delivered_percent"]), (&json!(6), &json!(90.0)));
    assert_eq!(shown["replacement"]["sender"], second);

    let both = json!({ "senders": [second], "status": "inactive" });
    caller.post(STATUS, &both).await.expect(200);
    let alone = health(caller.get(&sender(&first)).await.expect(200));
    assert_eq!(alone["replacement"]["sender"], Value::Null);
    assert!(alone["replacement"]["reason"].as_str().unwrap().contains("no other sender"));

    caller.post(STATUS, &one("active")).await.expect(200);
    assert_eq!(health(caller.get(&sender(&first)).await.expect(200))["state"], "healthy");
    let told = "select count(*) from millrace.senders where health_version = 2";
    assert_eq!(world.number(told).await, 1, "quarantined, and back");
}

#[tokio::test]
async fn a_status_is_refused_by_name_and_for_who_may_not_set_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (first, ..) = two_senders(&caller).await;
    let field = |errors: Vec<(String, String)>| errors[0].clone();
    let named = |of: &str, code: &str| (of.to_owned(), code.to_owned());

    let wrong = json!({ "senders": [first], "status": "gone" });
    assert_eq!(field(caller.post(STATUS, &wrong).await.problem(422)), named("status", "unknown"));
    let twice = json!({ "senders": [first, first], "status": "active" });
    let twice = caller.post(STATUS, &twice).await.problem(422);
    assert_eq!(field(twice), named("senders", "duplicate"));
    let none = json!({ "senders": [], "status": "active" });
    let none = caller.post(STATUS, &none).await.problem(422);
    assert_eq!(field(none), named("senders", "out_of_range"));

    let off = json!({ "senders": [first], "status": "inactive" });
    let other = world.caller("globex", KeyRole::Owner).await;
    assert_eq!(other.post(STATUS, &off).await.expect(200)["results"][0]["outcome"], "not_found");
    world.caller("acme", KeyRole::Operator).await.post(STATUS, &off).await.problem(403);
    assert_eq!(caller.get(&sender(&first)).await.expect(200)["usable"], true);
}

#[tokio::test]
async fn a_sender_is_moved_between_pools_and_no_pool_is_left_empty() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (first, second, all) = two_senders(&caller).await;
    let west = json!({ "name": "west", "senders": [second] });
    let west = caller.post("/v1/pools", &west).await.expect(201)["id"].clone();
    let senders_of = |pool: &Value| {
        let (caller, path) = (caller.clone(), format!("/v1/pools/{}", pool.as_str().unwrap()));
        async move { caller.get(&path).await.expect(200)["senders"].clone() }
    };

    caller.patch(&sender(&first), &json!({ "pools": [west] })).await.expect(200);
    assert_eq!(senders_of(&west).await, json!([second, first]));
    assert_eq!(senders_of(&all).await, json!([second]));
    caller.patch(&sender(&first), &json!({ "pace": 2 })).await.expect(200);
    assert_eq!(senders_of(&west).await, json!([second, first]), "what is not said stays");

    let none = caller.patch(&sender(&second), &json!({ "pools": [] })).await.problem(422);
    assert_eq!(none, [("pools".to_owned(), "last_sender".to_owned())]);
    let nobodys = json!({ "pools": [uuid::Uuid::nil()], "pace": 0 });
    let fields: Vec<_> = caller.patch(&sender(&first), &nobodys).await.problem(422);
    let fields: Vec<_> = fields.into_iter().map(|error| error.0).collect();
    assert_eq!(fields, ["pools[0]", "pace"]);
    assert_eq!(senders_of(&west).await, json!([second, first]), "nothing of it was done");

    caller.patch(&sender(&first), &json!({ "pools": [] })).await.expect(200);
    assert_eq!(senders_of(&west).await, json!([second]));
    caller.delete(&sender(&first)).await.expect(200);
}
