//! The console: a page that is built of `console/` by Node and held by the binary. Without such a
//! build there is a page that says how to make one.

use std::borrow::Cow;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::{
    app::App,
    http::{Kind, Problem, accept::accepted},
};

/// What the build made: each file, and beside it the same compressed, with `.br` at the end.
#[derive(RustEmbed)]
#[folder = "console/embedded"]
struct Built;

/// The page that every address of the console begins with.
const PAGE: &str = "index.html";

/// Files of this folder are named after what they hold, so that none ever changes.
const NEVER_CHANGES: &str = "assets/";

/// A page runs, loads and asks nothing but what is here, and is shown in no other.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      manifest-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// What is shown where no console was built.
const NOT_BUILT: &str = include_str!("console/not_built.html");

/// The console, and the way to it from `/` for browsers.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(root))
        .route("/console", get(async || Redirect::permanent("/console/")))
        .route("/console/", get(async |headers: HeaderMap| page(&headers)))
        .route("/console/{*file}", get(file))
}

/// Browsers are led to the console; programs are told that nothing is here.
async fn root(headers: HeaderMap) -> Response {
    if accepted(&headers).any(|kind| kind == "text/html") {
        return Redirect::temporary("/console/").into_response();
    }
    Problem::new(Kind::NotFound, "there is no such path").into_response()
}

/// A file of the build. Every other address is one of the console's own, and gets its page.
async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Some(found) = built(&name, &headers) {
        return found;
    }
    if name.starts_with(NEVER_CHANGES) {
        return Problem::new(Kind::NotFound, "this build has no such file").into_response();
    }
    page(&headers)
}

fn page(headers: &HeaderMap) -> Response {
    let not_built = || {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        (StatusCode::OK, headers, NOT_BUILT).into_response()
    };
    built(PAGE, headers).unwrap_or_else(not_built)
}

/// A file as the build made it, compressed where the caller takes that.
fn built(name: &str, headers: &HeaderMap) -> Option<Response> {
    let kind = kind_of(name)?;
    let compressed = takes_brotli(headers).then(|| Built::get(&format!("{name}.br"))).flatten();
    let (data, encoding) = match compressed {
        Some(file) => (file.data, Some("br")),
        None => (Built::get(name)?.data, None),
    };

    let body = match data {
        Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let keeps = match name.starts_with(NEVER_CHANGES) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, keeps),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    let encoding = encoding.map(|name| [(header::CONTENT_ENCODING, name)]);
    Some((headers, encoding, body).into_response())
}

/// The content type of the files that a build makes.
fn kind_of(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let taken = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let mut names = taken.unwrap_or_default().split(',').filter_map(|one| one.split(';').next());
    names.any(|name| name.trim() == "br")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_files_go_only_to_who_takes_them() {
        let takes = |value: &'static str| {
            takes_brotli(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                header::HeaderValue::from_static(value),
            )]))
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=0.5"));
        assert!(!takes("gzip") && !takes("brotli") && !takes_brotli(&HeaderMap::new()));
    }

    #[test]
    fn files_that_are_none_of_a_build_have_no_kind() {
        assert!(kind_of("assets/index-1a2b.js").is_some());
        assert!(kind_of(".gitignore").is_none() && kind_of("index.html.br").is_none());
    }
}
