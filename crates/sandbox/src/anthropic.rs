//! Anthropic: the Messages API, without streaming. Answers are short, deterministic and in the
//! language of the question; a forced tool gets its schema filled in, and a tool that the question
//! names is used before.

mod looking;
mod refusal;
mod respond;
mod schema;
mod validate;

use std::{sync::Arc, time::Duration};

use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{AUTHORIZATION, HeaderName, RETRY_AFTER},
    request::Parts,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    dice::Dice,
    faults::AiFaults,
    reply::{self, Answer, Reply},
};
use refusal::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Answers a request to a path under `/v1/`.
pub(crate) async fn answer(app: &Arc<App>, head: &Parts, body: &[u8]) -> Answer {
    let id = format!("req_{:032x}", reply::request_number());
    let faults = app.faults();
    app.state().stats.ai_calls += 1;

    let text = std::str::from_utf8(body).unwrap_or("");
    let dice = app.dice(&faults, &["anthropic", text], true);
    let wait = dice.text("latency").within(faults.anthropic.latency_ms);
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    let message = match fault(&faults.anthropic, dice) {
        Some(refusal) => Err(refusal),
        None => handle(head, body),
    };
    let mut response = match message {
        Ok(message) => reply::json(StatusCode::OK, &message),
        Err(refusal) => {
            *app.state().stats.ai_errors.entry(refusal.status).or_default() += 1;
            error(&refusal, &id)
        }
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// The fault that strikes this request, if one does.
fn fault(ai: &AiFaults, dice: Dice) -> Option<Refusal> {
    if dice.text("http_429").hits(ai.http_429.rate) {
        return Some(Refusal::too_many(ai.http_429.retry_after));
    }
    if dice.text("http_529").hits(ai.http_529) {
        return Some(Refusal::new(529, "overloaded_error", "Overloaded"));
    }
    if dice.text("http_5xx").hits(ai.http_5xx) {
        return Some(Refusal::new(500, "api_error", "Internal server error"));
    }
    None
}

/// The answer that tells of a refusal.
fn error(refusal: &Refusal, id: &str) -> Response<Reply> {
    let body = json!({
        "type": "error",
        "error": { "type": refusal.kind, "message": refusal.message },
        "request_id": id,
    });
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);

    let mut response = reply::json(status, &body);
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// One call, from headers to message.
fn handle(head: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let key = header("x-api-key").or(bearer).unwrap_or("");
    if key.trim().is_empty() {
        let message = "x-api-key or Authorization: Bearer is required";
        return Err(Refusal::new(401, "authentication_error", message));
    }
    if head.uri.path() != "/v1/messages" {
        return Err(Refusal::new(404, "not_found_error", "Not found"));
    }
    if head.method != Method::POST {
        return Err(Refusal::new(405, "invalid_request_error", "Method not allowed"));
    }

    let version = header("anthropic-version")
        .ok_or_else(|| Refusal::invalid("anthropic-version: header is required"))?;
    let request: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal::invalid("The request body is not valid JSON"))?;
    let request = validate::check(version, &request)?;
    Ok(respond::message(&request))
}
