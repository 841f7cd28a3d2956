//! The simulated AI.

use serde_json::{Value, json};

use crate::support::{Answer, World};

async fn ask(world: &World, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut request = world.http.post(format!("{}/v1/messages", world.base)).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

const GOOD: [(&str, &str); 2] = [("x-api-key", "k"), ("anthropic-version", "2023-06-01")];

fn question(text: &str) -> Value {
    json!({ "model": "claude-haiku-5-5", "max_tokens": 200,
        "system": "You are helpful.", "messages": [{ "role": "user", "content": text }] })
}

#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) {
    assert_eq!((answer.status, &answer.body["error"]["type"]), (status, &json!(kind)));
    assert_eq!(answer.body["type"], "error");
    assert_eq!(answer.body["request_id"], answer.headers["request-id"].to_str().unwrap());
}

#[tokio::test]
async fn a_question_is_answered_in_its_language_and_the_same_each_time() {
    let world = World::new().await;
    let english = ask(&world, &GOOD, &question("What are your opening hours?")).await;
    assert_eq!(english.status, 200);
    assert!(english.headers["request-id"].to_str().unwrap().starts_with("req_"));

    let body = &english.body;
    assert_eq!((&body["type"], &body["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(
        (&body["model"], &body["stop_reason"]),
        (&json!("claude-haiku-5-5"), &json!("end_turn"))
    );
    assert!(body["content"][0]["text"].as_str().unwrap().contains("open Monday"));
    assert!(body["usage"]["input_tokens"].as_u64().unwrap() > 5);
    assert!(body["usage"]["output_tokens"].as_u64().unwrap() > 5);

    let spanish = ask(&world, &GOOD, &question("¿Cuánto cuesta?")).await.body;
    assert!(spanish["content"][0]["text"].as_str().unwrap().contains("dólares"));

    let again = ask(&world, &GOOD, &question("What are your opening hours?")).await.body;
    assert_eq!(again, english.body);
    assert_eq!(world.stats().await["ai_calls"], 3);
}

#[tokio::test]
async fn both_ways_of_authentication_are_taken_and_none_is_refused() {
    let world = World::new().await;
    let hi = question("hi");
    let bearer = [("authorization", "Bearer k"), ("anthropic-version", "2026-10-21")];
    assert_eq!(ask(&world, &bearer, &hi).await.status, 200);
    refused(&ask(&world, &GOOD[1..], &hi).await, 401, "authentication_error");
    refused(&ask(&world, &GOOD[..1], &hi).await, 400, "invalid_request_error");
    let wrong = ask(&world, &GOOD, &json!({ "model": "m" })).await;
    refused(&wrong, 400, "invalid_request_error");
    assert_eq!(wrong.body["error"]["message"], "max_tokens: Field required");
}

#[tokio::test]
async fn a_forced_tool_gets_its_schema_filled() {
    let world = World::new().await;
    let mut request = question("How much does it cost?");
    request["tools"] = json!([{ "name": "classify", "input_schema": { "type": "object",
        "properties": { "intent": { "type": "string", "enum": ["question", "opt_out"] },
                        "reply": { "type": "string" } },
        "required": ["intent", "reply"] } }]);
    request["tool_choice"] = json!({ "type": "tool", "name": "classify" });

    let body = ask(&world, &GOOD, &request).await.body;
    assert_eq!(body["stop_reason"], "tool_use");
    let block = &body["content"][0];
    assert_eq!((&block["type"], &block["name"]), (&json!("tool_use"), &json!("classify")));
    assert_eq!(block["input"]["intent"], "question");
    assert!(block["input"]["reply"].as_str().unwrap().contains("dollars"));

    request["tool_choice"] = json!({ "type": "auto" });
    assert_eq!(ask(&world, &GOOD, &request).await.body["stop_reason"], "end_turn");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_cut_and_says_so() {
    let world = World::new().await;
    let mut request = question("What are your opening hours?");
    request["max_tokens"] = json!(2);
    let body = ask(&world, &GOOD, &request).await.body;
    assert_eq!(body["stop_reason"], "max_tokens");
    assert_eq!(body["content"][0]["text"].as_str().unwrap().chars().count(), 8);
}

#[tokio::test]
async fn faults_strike_with_their_error_types() {
    let world = World::new().await;
    let hi = question("hi");
    let throttled = json!({ "rate": 1, "retry_after": 3 });
    world.faults(json!({ "anthropic": { "http_429": throttled } })).await;

    let answer = ask(&world, &GOOD, &hi).await;
    refused(&answer, 429, "rate_limit_error");
    assert_eq!(answer.headers["retry-after"], "3");

    world.faults(json!({ "anthropic": { "http_529": 1 } })).await;
    refused(&ask(&world, &GOOD, &hi).await, 529, "overloaded_error");

    world.faults(json!({ "anthropic": { "http_5xx": 1 } })).await;
    refused(&ask(&world, &GOOD, &hi).await, 500, "api_error");

    let stats = world.stats().await;
    assert_eq!(stats["ai_errors"], json!({ "429": 1, "529": 1, "500": 1 }));

    world.faults(json!({ "anthropic": { "latency_ms": [50, 60] } })).await;
    let start = std::time::Instant::now();

    assert_eq!(ask(&world, &GOOD, &hi).await.status, 200);
    assert!(start.elapsed().as_millis() >= 50);
}
