//! Which pages of other origins may call the api from a browser: those that the platform names.

use std::time::Duration;

use axum::http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use tower_http::cors::CorsLayer;

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// What a page may send beside what browsers send anyway.
const REQUEST_HEADERS: [&str; 3] = ["idempotency-key", "x-csrf-token", "x-request-id"];

/// What a page may read of an answer beside what browsers show anyway.
const ANSWER_HEADERS: [&str; 4] =
    ["x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// Answers the browsers of these origins; none where no origin is named. Cookies come along where
/// the page is of the same site: what they sign says `X-CSRF-Token` too.
pub(crate) fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    if origins.is_empty() {
        return None;
    }

    let request: Vec<HeaderName> =
        named(&REQUEST_HEADERS).chain([AUTHORIZATION, CONTENT_TYPE]).collect();
    let answer: Vec<HeaderName> = named(&ANSWER_HEADERS).chain([LOCATION, RETRY_AFTER]).collect();
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(methods)
            .allow_headers(request)
            .expose_headers(answer)
            .allow_credentials(true)
            .max_age(REMEMBERED),
    )
}

fn named(names: &[&'static str]) -> impl Iterator<Item = HeaderName> {
    names.iter().map(|name| HeaderName::from_static(name))
}
