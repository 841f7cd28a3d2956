//! Parameters of a query: one that a route does not have is refused by its name.

use serde_json::{Value, json};
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

#[tokio::test]
async fn a_value_of_a_wrong_form_is_told_what_fits_on_every_path() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let document: Value = serde_json::from_str(&api::documents::openapi_json()).expect("JSON");
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let (name, schema) =
                (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
            let has_form =
                ["format", "enum", "minimum"].iter().any(|key| schema.get(key).is_some());
            if parameter["in"] != "query" || !(has_form || schema["type"] == "boolean") {
                continue;
            }

            let path = path.replace("{id}", "0198f1d2-0000-7000-8000-0000000000ff");
            let refused = caller.get(&format!("{path}?{name}=so%20so")).await.expect(422);
            let errors = refused["errors"].as_array().expect("errors");
            let detail = errors[0]["detail"].as_str().expect("a detail");
            assert_eq!((errors.len(), &errors[0]["field"]), (1, &json!(name)), "{path}");
            let is_told = detail.starts_with("expected ") && detail.ends_with(", not `so so`");
            assert!(is_told, "{path} {name}: {detail}");
            seen += 1;

            let twice = caller.get(&format!("{path}?{name}=&{name}=")).await.problem(422);
            assert!(twice.contains(&(name.to_owned(), "duplicate_field".to_owned())), "{twice:?}");
        }
    }
    assert!(seen > 30, "{seen} parameters");
}

#[tokio::test]
async fn a_text_that_is_longer_than_its_document_says_is_refused_on_every_path() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let document: Value = serde_json::from_str(&api::documents::openapi_json()).expect("JSON");
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let (name, schema) =
                (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
            let Some(most) = schema["maxLength"].as_u64().filter(|_| parameter["in"] == "query")
            else {
                continue;
            };
            let path = path.replace("{id}", "0198f1d2-0000-7000-8000-0000000000ff");
            let text = "x".repeat(usize::try_from(most).expect("a length") + 1);
            let errors = caller.get(&format!("{path}?{name}={text}")).await.problem(422);
            assert_eq!(errors, [(name.to_owned(), "too_long".to_owned())], "{path}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} parameters");
}
