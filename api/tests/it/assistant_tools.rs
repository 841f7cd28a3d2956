//! Tools of the assistant: made, changed, tried, taken away; and used in a test of the assistant.

use carriers::{ToolCaller, anthropic::Client};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;

use crate::harness::World;

const TOOLS: &str = "/v1/ai/tools";

/// An ingress whose assistants may call the shop of a sandbox, which is their model too.
async fn world(carrier: &TestCarrier) -> World {
    let key = SecretString::from("sk-test");
    let ai = Client::new(carrier.http.clone(), &carrier.url(), &key).unwrap();
    let hosts = vec![carrier.address().to_string(), "orders.example.com".to_owned()];
    let public = carriers::public::client().unwrap();
    let tools = ToolCaller::new(carrier.http.clone(), public, hosts);
    World::start_with(|settings| {
        (settings.ai, settings.tools) = (Some(ai), Some(tools));
    })
    .await
}

fn order_status(carrier: &TestCarrier) -> Value {
    json!({
        "name": "order_status",
        "description": "Where an order is.",
        "input_schema": { "type": "object", "properties": { "order": { "type": "string" } },
                          "required": ["order"] },
        "url": format!("{}/tools/order_status", carrier.url()),
        "secret": "Bearer sandbox",
    })
}

#[tokio::test]
async fn a_tool_is_made_changed_and_taken_away_and_its_secret_never_comes_out() {
    let carrier = TestCarrier::start().await.unwrap();
    let world = world(&carrier).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let made = admin.post(TOOLS, &order_status(&carrier)).await.expect(201);
    assert_eq!((&made["header"], &made["timeout_seconds"]), (&json!("authorization"), &json!(3)));
    assert_eq!(made["allowed"], true);
    assert!(!made.to_string().contains("Bearer"), "{made}");
    admin.post(TOOLS, &order_status(&carrier)).await.problem(409);

    let path = format!("{TOOLS}/{}", made["id"].as_str().unwrap());
    let changed = json!({ "description": "Where it is.", "timeout_seconds": 5 });
    let changed = admin.patch(&path, &changed).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["timeout_seconds"]),
        (&json!("order_status"), &json!(5))
    );
    assert_eq!(admin.get(&path).await.expect(200), changed);
    assert_eq!(admin.get(TOOLS).await.expect(200)["data"], json!([changed]));

    let sealed = "select count(*) from millrace.assistant_tools
                  where sealed_secret is not null and sealed_secret not like '%sandbox%'";
    assert_eq!(world.number(sealed).await, 1);
    let told = "select count(*) from millrace.audit_log
                where action like 'assistant_tool.%' and detail::text like '%Bearer%'";
    assert_eq!(world.number(told).await, 0);

    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.get(&path).await.expect(200);
    viewer.patch(&path, &json!({ "timeout_seconds": 1 })).await.problem(403);
    let stranger = world.caller("globex", KeyRole::Admin).await;
    stranger.get(&path).await.problem(404);
    stranger.delete(&path).await.problem(404);

    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.problem(404);
    let trail = "select count(*) from millrace.audit_log where action like 'assistant_tool.%'";
    assert_eq!(world.number(trail).await, 3);
}

#[tokio::test]
async fn a_tool_that_makes_no_sense_or_may_not_be_called_is_refused_with_each_field() {
    let carrier = TestCarrier::start().await.unwrap();
    let world = world(&carrier).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let refused = async |change: Value| -> Vec<String> {
        let mut tool = order_status(&carrier);
        for (field, value) in change.as_object().unwrap() {
            tool[field] = value.clone();
        }
        admin.post(TOOLS, &tool).await.problem(422).into_iter().map(|error| error.0).collect()
    };
    assert_eq!(refused(json!({ "name": "answer" })).await, ["name"]);
    let schema = json!({ "type": "object", "properties": { "x": { "type": "text" } } });
    assert_eq!(
        refused(json!({ "input_schema": schema })).await,
        ["input_schema.properties.x.type"]
    );
    for url in [
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/x",
        "http://orders.example.com/x",
        "https://orders.example.com:8443/x",
        "file:///etc/passwd",
    ] {
        assert_eq!(refused(json!({ "url": url })).await, ["url"], "{url}");
    }
    assert_eq!(refused(json!({ "header": "host" })).await, ["header"]);
    assert_eq!(refused(json!({ "secret": "a\r\nb: c" })).await, ["secret"]);
    assert_eq!(refused(json!({ "secret": null, "header": "x-key" })).await, ["secret"]);
    assert_eq!(refused(json!({ "timeout_seconds": 11 })).await, ["timeout_seconds"]);

    // A secret goes to the server that it was given for, and to no other.
    let made = admin.post(TOOLS, &order_status(&carrier)).await.expect(201);
    let path = format!("{TOOLS}/{}", made["id"].as_str().unwrap());
    let moved = json!({ "url": "https://orders.example.com/x" });
    assert_eq!(admin.patch(&path, &moved).await.problem(422)[0].0, "secret");
    let moved = json!({ "url": "https://orders.example.com/x", "secret": "other" });
    admin.patch(&path, &moved).await.expect(200);

    for n in 1..10 {
        let mut tool = order_status(&carrier);
        tool["name"] = json!(format!("tool_{n}"));
        admin.post(TOOLS, &tool).await.expect(201);
    }
    let mut eleventh = order_status(&carrier);
    eleventh["name"] = json!("eleventh");
    admin.post(TOOLS, &eleventh).await.problem(409);
}

#[tokio::test]
async fn a_test_says_what_a_tool_says_and_a_test_of_the_assistant_uses_it() {
    let carrier = TestCarrier::start().await.unwrap();
    let world = world(&carrier).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let made = admin.post(TOOLS, &order_status(&carrier)).await.expect(201);
    let path = format!("{TOOLS}/{}/test", made["id"].as_str().unwrap());
    let test = async |input: Value| admin.post(&path, &json!({ "input": input })).await.expect(200);

    let found = test(json!({ "order": "1042" })).await;
    assert_eq!(found["outcome"], "found", "{found}");
    assert!(found["shown"].as_str().unwrap().contains("shipped"), "{found}");
    assert_eq!(test(json!({ "order": "9000" })).await["outcome"], "refused");
    assert_eq!(test(json!({ "order": "8000" })).await["outcome"], "too_long");
    assert_eq!(test(json!({ "order": 1 })).await["outcome"], "bad_input");
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.post(&path, &json!({ "input": {} })).await.problem(403);

    let texts = json!({ "scope": "company", "texts": ["Where is my order 1042?"] });
    let tested = admin.post("/v1/ai/test", &texts).await.expect(200);
    assert_eq!(tested["reason"], "answered", "{tested}");
    assert!(tested["reply"].as_str().unwrap().contains("$42.50"), "{tested}");
    let looked_up = json!([{ "tool": "order_status", "outcome": "found" }]);
    assert_eq!(tested["lookups"], looked_up);
    let stranger = world.caller("globex", KeyRole::Admin).await;
    let tested = stranger.post("/v1/ai/test", &texts).await.expect(200);
    assert_eq!(tested["lookups"], json!([]), "it is another company's");
}
