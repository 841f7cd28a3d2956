//! The outermost layer: a request id, a limit on time, problems written out, headers for browsers,
//! panics caught, metrics. One place, so that no route can forget any of it.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header::CONTENT_LENGTH},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tokio::time::Instant;

use super::{problem::Problem, protective::protect};
use crate::{app::App, ids};

/// The header that names a request, in logs and in answers.
const REQUEST_ID: &str = "x-request-id";

/// How long any request may take, but uploads of imports.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the upload of an import may take.
const UPLOAD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Wraps every request.
pub(crate) async fn outer(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(&request);
    let method = named(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();

    let limit = if route.starts_with("/v1/contacts/import") { UPLOAD_LIMIT } else { LIMIT };
    let running = AssertUnwindSafe(tokio::time::timeout(limit, next.run(request))).catch_unwind();
    let response = match running.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::unavailable("the request took too long", 5).into_response(),
        Err(_) => Problem::panicked().into_response(),
    };

    let mut response = written_out(&app, response, (&id, method, &route));
    protect(&mut response, app.settings.public_url.starts_with("https://"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    count(method, &route, &response, begun);
    response
}

/// The response with its body, where a route has answered with a problem. What the route says
/// beside it (`Allow`, `RateLimit-*`) stays. The log has it too: by the request's id, whoever looks
/// for one finds the other, but in a flood.
fn written_out(
    app: &App,
    mut response: Response,
    (request_id, method, route): (&str, &str, &str),
) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if let Some(left_out) = app.refusals.line(problem.kind(), Instant::now()) {
        problem.log(request_id, method, route, left_out);
    }

    let headers = std::mem::take(response.headers_mut());
    let mut response = problem.render(request_id);
    for (name, value) in headers {
        if let Some(name) = name
            && !response.headers().contains_key(&name)
            && name != CONTENT_LENGTH
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The caller's own id if it is short and harmless, else a new one.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |text: &&str| {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        (1..=64).contains(&text.len()) && text.bytes().all(fine)
    };
    given.filter(harmless).map_or_else(|| ids::fresh().to_string(), str::to_owned)
}

/// Counts a request by what it was answered, and by its route alone how long it took: a histogram
/// has a line for each bound, and would have as many for every status. What is timed by its
/// resource alone ([`timed`]) is so for the same reason.
fn count(method: &'static str, route: &str, response: &Response, begun: Instant) {
    let status = response.status();
    metrics::counter!(
        "millrace_http_requests_total",
        "method" => method,
        "route" => route.to_owned(),
        "status" => status.as_str().to_owned()
    )
    .increment(1);
    metrics::histogram!("millrace_http_request_seconds", "route" => timed(route).to_owned())
        .record(begun.elapsed());
}

/// What a request is timed as: what is under `/v1/messages`, and webhooks, by their own route;
/// others by what their path begins with, as `/v1/contacts`.
fn timed(route: &str) -> &str {
    if route.starts_with("/v1/messages") || route.starts_with("/webhooks/") {
        return route;
    }
    route.match_indices('/').nth(2).map_or(route, |(end, _)| &route[..end])
}

/// The method, of those that routes have.
fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_webhooks_are_timed_by_route_and_others_by_resource() {
        for (route, label) in [
            ("/v1/messages/batch", "/v1/messages/batch"),
            ("/webhooks/{carrier}/{account}/{part}", "/webhooks/{carrier}/{account}/{part}"),
            ("/v1/contacts/{id}/timeline", "/v1/contacts"),
            ("/v1/contacts", "/v1/contacts"),
            ("/openapi.json", "/openapi.json"),
        ] {
            assert_eq!(timed(route), label);
        }
    }
}
