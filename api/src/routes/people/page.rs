//! The page that a link leads to. Its button signs in, so that a program that looks at mail uses
//! nothing up. The token is behind `#`: browsers send that to nobody, so it is in no log.

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::{Html, IntoResponse},
    routing::get,
};

use crate::app::App;

const PAGE: &str = include_str!("page/sign_in.html");
const SCRIPT: &str = include_str!("page/sign_in.js");

/// What the page may load and call: this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
                      frame-ancestors 'none'; form-action 'none'; base-uri 'none'";

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/sign-in", get(async || ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))))
        .route("/sign-in.js", get(async || script()))
}

fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}
