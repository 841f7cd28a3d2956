//! A shop's server, as an assistant's tools call it: it knows where orders are.

use http::{HeaderMap, Method, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use serde_json::{Value, json};

use crate::reply::{self, Reply, problem};

/// Answers a request to a path under `/tools/`. `order_status` knows every order by its number:
/// those that begin with 9 it does not have, and of those that begin with 8 it says more than
/// anybody reads.
pub(crate) fn answer(head: &Parts, rest: &str, body: &[u8]) -> Response<Reply> {
    if rest != "order_status" {
        return problem(StatusCode::NOT_FOUND, "the sandbox has the tool order_status alone");
    }
    if head.method != Method::POST {
        return problem(StatusCode::METHOD_NOT_ALLOWED, "a tool is called by POST");
    }
    if is_wrong(&head.headers) {
        return problem(StatusCode::UNAUTHORIZED, "the secret of the tool is not right");
    }

    let call: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(order) = call["input"]["order"].as_str() else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "input.order must be a text");
    };
    match order.as_bytes().first() {
        None | Some(b'9') => problem(StatusCode::NOT_FOUND, "there is no such order"),
        Some(b'8') => {
            let parts: Vec<String> = (0..1_000).map(|part| format!("part {part}")).collect();
            reply::json(StatusCode::OK, &json!({ "order": order, "parts": parts }))
        }
        Some(_) => {
            let found = json!({ "order": order, "state": "shipped", "total": "$42.50" });
            reply::json(StatusCode::OK, &found)
        }
    }
}

/// Whether a secret is shown that is not the sandbox's. None needs to be shown.
fn is_wrong(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes() != b"Bearer sandbox")
}
