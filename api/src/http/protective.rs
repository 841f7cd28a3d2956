//! Headers that keep a browser from doing with an answer what it is not meant for.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

/// What every answer says: its type is the one that it names, it is kept nowhere, it is shown in no
/// frame, and nothing of its address goes to other hosts.
const ALWAYS: [(header::HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// What an answer says that is no page: nothing in it is to be run or loaded.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// What a page says that has no stricter rule of its own, as the one at `/docs`: what it loads and
/// asks is ours.
const PAGE: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
                    base-uri 'none'; frame-ancestors 'none'";

/// What an answer over https says: a browser comes by https alone, for a year.
const BY_HTTPS: (header::HeaderName, &str) =
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");

/// Adds the headers, where the route has not said otherwise. `https` says how browsers come.
pub(super) fn protect(response: &mut Response, https: bool) {
    let headers = response.headers_mut();
    let is_page =
        headers.get(header::CONTENT_TYPE).is_some_and(|of| of.as_bytes().starts_with(b"text/html"));
    let policy = (header::CONTENT_SECURITY_POLICY, if is_page { PAGE } else { NO_PAGE });
    for (name, value) in ALWAYS.into_iter().chain([policy]).chain(https.then_some(BY_HTTPS)) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
