//! The model client: what it asks, what it reads, and what each failure allows.

use std::time::Duration;

use carriers::anthropic::{AiError, AiFault, AiNextStep, AssistantQuestion, Client};
use domain::assistant::{AssistantSettings, Turn, TurnSpeaker};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::play::{Break, Breaker, Played, Server, secret};

fn client(url: &str) -> Client {
    let http = carriers::http::client().expect("TLS is set up");
    Client::new(http, url, &secret("sk-ant-1")).expect("settings")
}

/// Asks what the assistant says to "¿Abren hoy?".
async fn ask(client: &Client) -> Result<Option<Value>, AiError> {
    let settings = AssistantSettings { knowledge: "Open today.".into(), ..Default::default() };
    let said = |speaker, text: &str| Turn { speaker, text: text.to_owned() };
    let turns = [
        said(TurnSpeaker::Assistant, "Hi, this is Acme."),
        said(TurnSpeaker::Person, "¿Abren hoy?"),
    ];
    let question =
        AssistantQuestion { settings: &settings, company: "Acme", turns: &turns, model: "m" };
    client.consult(question, None).await.answer
}

/// What the model says by its tool.
fn answered() -> Value {
    json!([{ "type": "tool_use", "id": "toolu_1", "name": "answer",
             "input": { "reply": "Sí", "handoff": "none", "confidence": "high" } }])
}

fn reply(content: &Value, stop_reason: &str) -> Played {
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 5,
                  "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4}
    });
    Played::new(200, &body.to_string()).header("request-id", "req_1")
}

fn error(status: u16, kind: &str) -> Played {
    let body = json!({"type": "error", "error": {"type": kind, "message": "may change"},
                      "request_id": "req_1"});
    Played::new(status, &body.to_string()).header("request-id", "req_1")
}

async fn failure(label: &str, played: Played) -> AiError {
    let server = Server::playing([played]).await;
    let error = ask(&client(&server.url)).await.expect_err(label);
    assert_eq!(server.seen().len(), 1, "{label}: one call, whatever the answer");
    error
}

#[tokio::test]
async fn a_question_is_one_post_in_the_current_version() {
    let server = Server::playing([reply(&answered(), "tool_use")]).await;
    let answer = ask(&client(&server.url)).await;
    assert_eq!(answer, Ok(Some(answered()[0]["input"].clone())));

    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", "/v1/messages"));
    assert_eq!(seen.header("x-api-key"), Some("sk-ant-1"));
    assert_eq!(seen.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
    let said = json!([{"role": "assistant", "content": "Hi, this is Acme."},
                      {"role": "user", "content": "¿Abren hoy?"}]);
    assert_eq!(body["messages"], said);
    let fields = body.as_object().expect("an object").keys().map(String::as_str);
    let all = ["max_tokens", "messages", "model", "system", "tool_choice", "tools"];
    assert_eq!(
        fields.collect::<std::collections::BTreeSet<_>>(),
        all.into(),
        "nothing more: sampling parameters are refused by this version"
    );
}

#[tokio::test]
async fn the_assistant_must_answer_by_its_tool_and_what_is_always_the_same_is_marked_for_the_cache()
{
    let used = json!([{ "type": "tool_use", "id": "toolu_1", "name": "answer",
                        "input": { "reply": "Yes.", "handoff": "none", "confidence": "high" } }]);
    let server = Server::playing([reply(&used, "tool_use")]).await;
    let settings = AssistantSettings { knowledge: "Open today.".into(), ..Default::default() };
    let turns = [Turn { speaker: TurnSpeaker::Person, text: "<text>Open?</text>".into() }];
    let question =
        AssistantQuestion { settings: &settings, company: "Acme", turns: &turns, model: "m" };

    let answer = client(&server.url).consult(question, None).await;
    assert_eq!(answer.answer, Ok(Some(used[0]["input"].clone())));
    assert_eq!((answer.input_tokens, answer.cached_tokens, answer.output_tokens), (17, 4, 5));

    let body: Value = serde_json::from_slice(&server.seen()[0].body).expect("JSON");
    assert_eq!(body["system"][0]["cache_control"], json!({ "type": "ephemeral" }));
    assert!(body["system"][0]["text"].as_str().expect("a text").contains("Open today."));
    let forced = json!({ "type": "tool", "name": "answer", "disable_parallel_tool_use": true });
    assert_eq!((&body["tool_choice"], &body["tools"][0]["name"]), (&forced, &json!("answer")));
    let said = json!([{ "role": "user", "content": "<text>Open?</text>" }]);
    assert_eq!((&body["messages"], &body["model"]), (&said, &json!("m")));
}

#[tokio::test]
async fn other_blocks_are_passed_over_and_what_broke_off_is_no_answer() {
    let blocks = json!([
        {"type": "thinking", "thinking": "...", "signature": "x"},
        {"type": "text", "text": "a", "citations": null},
        answered()[0],
        {"type": "text", "text": "b"}
    ]);
    let input = answered()[0]["input"].clone();
    for (word, is_whole) in [
        ("tool_use", true),
        ("end_turn", false),
        ("stop_sequence", false),
        ("max_tokens", false),
        ("pause_turn", false),
        ("refusal", false),
        ("model_context_window_exceeded", false),
        ("something_new", false),
    ] {
        let server = Server::playing([reply(&blocks, word)]).await;
        let answer = ask(&client(&server.url)).await.expect("a message");
        assert_eq!(answer, is_whole.then(|| input.clone()), "{word}");
    }
}

#[tokio::test]
async fn every_error_of_the_api_has_its_fate() {
    let retry = AiNextStep::Retry { after: None };

    let cases = [
        (400, "invalid_request_error", AiFault::InvalidRequest, AiNextStep::GiveUp),
        (401, "authentication_error", AiFault::Authentication, AiNextStep::StopAccount),
        (402, "billing_error", AiFault::Billing, AiNextStep::StopAccount),
        (403, "permission_error", AiFault::Permission, AiNextStep::StopAccount),
        (404, "not_found_error", AiFault::NotFound, AiNextStep::GiveUp),
        (408, "timeout_error", AiFault::TimedOut, retry),
        (409, "conflict_error", AiFault::Conflict, retry),
        (413, "request_too_large", AiFault::TooLarge, AiNextStep::GiveUp),
        (422, "invalid_request_error", AiFault::InvalidRequest, AiNextStep::GiveUp),
        (429, "rate_limit_error", AiFault::RateLimited, retry),
        (500, "api_error", AiFault::Server, retry),
        (503, "api_error", AiFault::Server, retry),
        (504, "timeout_error", AiFault::TimedOut, retry),
        (
            529,
            "overloaded_error",
            AiFault::Overloaded,
            AiNextStep::Retry { after: Some(Duration::from_secs(10)) },
        ),
    ];

    for (status, kind, fault, next_step) in cases {
        let error = failure(kind, error(status, kind)).await;
        assert_eq!((error.fault, error.next_step()), (fault, next_step), "{status}");
        assert_eq!(error.status, Some(status));
        assert_eq!(error.error_type.as_deref(), Some(kind));
        assert_eq!(error.request_id.as_deref(), Some("req_1"));
    }
}

#[tokio::test]
async fn the_apis_own_word_on_repeating_wins() {
    let after = |seconds: f64| AiNextStep::Retry { after: Some(Duration::from_secs_f64(seconds)) };
    let limit = || error(429, "rate_limit_error");

    let cases = [
        ("seconds", limit().header("retry-after", "12"), after(12.0)),
        ("a fraction", limit().header("retry-after", "0.5"), after(0.5)),
        (
            "milliseconds first",
            limit().header("retry-after", "12").header("retry-after-ms", "250"),
            after(0.25),
        ),
        (
            "unreadable milliseconds",
            limit().header("retry-after", "12").header("retry-after-ms", "-1"),
            after(12.0),
        ),
        (
            "overloaded with a wait",
            error(529, "overloaded_error").header("retry-after", "3"),
            after(3.0),
        ),
        ("no", limit().header("x-should-retry", "false"), AiNextStep::GiveUp),
        (
            "yes",
            error(400, "invalid_request_error").header("x-should-retry", "true"),
            AiNextStep::Retry { after: None },
        ),
        (
            "no, and the account is stopped",
            error(401, "authentication_error").header("x-should-retry", "false"),
            AiNextStep::StopAccount,
        ),
    ];

    for (label, played, next_step) in cases {
        assert_eq!(failure(label, played).await.next_step(), next_step, "{label}");
    }
}

#[tokio::test]
async fn a_2xx_that_is_no_message_is_unreadable() {
    let message = |usage: &str| format!(r#"{{"content":[],"stop_reason":"end_turn"{usage}}}"#);
    for (label, body) in [
        ("empty", String::new()),
        ("html", "<html>".to_owned()),
        ("no usage", message("")),
        ("no stop", r#"{"content":[],"usage":{"input_tokens":1,"output_tokens":1}}"#.to_owned()),
        ("too long", "x".repeat(2 * 1024 * 1024)),
    ] {
        let error = failure(label, Played::new(200, &body)).await;
        assert_eq!(error.fault, AiFault::Unreadable, "{label}");
        assert_eq!(error.next_step(), AiNextStep::Retry { after: None }, "{label}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_not_repeated() {
    let target = Server::playing([reply(&json!([]), "end_turn")]).await;
    let location: &'static str = Box::leak(target.url.clone().into_boxed_str());
    let error = failure("redirect", Played::new(307, "").header("location", location)).await;
    assert_eq!((error.fault, error.next_step()), (AiFault::Unexpected, AiNextStep::GiveUp));
    assert_eq!(target.seen().len(), 0, "the key goes nowhere else");
}

#[tokio::test]
async fn calls_without_a_reply_may_be_repeated_by_the_caller_only() {
    let retry = AiNextStep::Retry { after: None };
    let breaker = Breaker::that(Break::Reset).await;
    let asked = ask(&client(&format!("http://{}", breaker.address))).await;
    let error = asked.expect_err("broken");
    assert_eq!((error.fault, error.next_step(), breaker.requests()), (AiFault::Broken, retry, 1));

    let server = Server::playing([Played { hang: true, ..Played::default() }]).await;
    let slow = client(&server.url).with_timeout(Duration::from_millis(300));
    let error = ask(&slow).await.expect_err("too late");
    assert_eq!((error.fault, error.next_step()), (AiFault::TimedOut, retry));

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = ask(&client(&format!("http://{address}"))).await;
    let error = error.expect_err("refused");
    assert_eq!((error.fault, error.next_step()), (AiFault::NoConnection, retry));
}
