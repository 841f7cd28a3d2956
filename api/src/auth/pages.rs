//! Requests that a browser signs with cookies: they come from pages, and a page of somebody else
//! may have sent them. One that changes something says the token of its session in a header, and
//! comes from a page of ours.

use axum::http::{HeaderMap, Method, header};
use uuid::Uuid;

use crate::{
    app::App,
    http::{
        cookies::CSRF_HEADER,
        problem::{Kind, Problem},
    },
};

/// Refuses what a page of somebody else may have sent. What only reads passes: no other page
/// sees what is answered.
///
/// # Errors
/// The page is none of ours, or does not say the token of the session.
pub(crate) fn check_page(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    session: Uuid,
) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if !is_of_ours(app, headers) {
        let detail = "a page of another origin has sent this: name it in MILLRACE_CORS_ORIGINS";
        return Err(Problem::new(Kind::Forbidden, detail));
    }

    let said = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if app.auth.keyed.is_session(session, said) {
        return Ok(());
    }
    let detail =
        "signed in by cookie, a request says X-CSRF-Token: the value of the cookie mr_csrf";
    Err(Problem::new(Kind::Forbidden, detail))
}

/// Whether a page of ours has sent it, as far as the browser says.
fn is_of_ours(app: &App, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let named = said("origin").map(|origin| {
        let (_, host) = origin.split_once("://").unwrap_or(("", origin));
        let is_public = origin_of(&app.settings.public_url).eq_ignore_ascii_case(origin);
        let is_here = said(header::HOST.as_str()).is_some_and(|here| here == host);
        is_public || is_here || app.settings.cors_origins.iter().any(|one| one == origin)
    });
    let site = said("sec-fetch-site");
    match (named, site) {
        (Some(named), _) => named,
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
    }
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> &str {
    let begins = url.find("://").map_or(0, |at| at + 3);
    url[begins..].find('/').map_or(url, |at| &url[..begins + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_url_has_no_path() {
        for (url, origin) in [
            ("https://sms.example.com/in", "https://sms.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }
}
