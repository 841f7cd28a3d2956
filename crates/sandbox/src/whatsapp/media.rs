//! Media that people send: Meta tells by their id where they are, and gives them there. Both calls
//! want an account's token. Every file is the sandbox's picture.

use std::fmt::Write;

use http::{Method, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::errors;
use crate::{
    app::App,
    picture,
    reply::{self, Form, Reply},
};

/// Where media are, at a host of Meta's own.
pub(crate) const PATH: &str = "/whatsapp_business/attachments/";

/// The host that addresses of media name, whatever host plays it.
const HOST: &str = "https://lookaside.fbsbx.com";

/// What ids of media begin with: no account and no number of the sandbox's does.
const PREFIX: &str = "9900";

/// An id of media.
pub(super) fn id(fresh: u128) -> String {
    format!("{PREFIX}{:012}", fresh % 1_000_000_000_000)
}

/// Whether a node is one of media.
pub(super) fn is_media(node: &str) -> bool {
    node.len() == PREFIX.len() + 12
        && node.starts_with(PREFIX)
        && node.bytes().all(|byte| byte.is_ascii_digit())
}

/// `GET /{media_id}`: where they are, and what they are.
pub(super) fn tell(app: &App, head: &Parts, id: &str) -> Response<Reply> {
    if head.method != Method::GET {
        return errors::unknown_node(id).response();
    }
    if !has_token(app, head) {
        return errors::unauthorized().response();
    }
    let mut sha256 = String::new();
    for byte in Sha256::digest(picture::BYTES) {
        let _ = write!(sha256, "{byte:02x}");
    }
    reply::json(
        StatusCode::OK,
        &json!({
            "messaging_product": "whatsapp",
            "url": format!("{HOST}{PATH}?mid={id}"),
            "mime_type": picture::TYPE,
            "sha256": sha256,
            "file_size": picture::BYTES.len(),
            "id": id,
        }),
    )
}

/// The bytes, at the address that was told.
pub(crate) fn give(app: &App, head: &Parts) -> Response<Reply> {
    let query = Form::parse(head.uri.query().unwrap_or("").as_bytes());
    let is_known = query.is_some_and(|query| query.get("mid").is_some_and(is_media));
    if head.method != Method::GET || !is_known {
        return errors::unknown_node("media").response();
    }
    if !has_token(app, head) {
        return errors::unauthorized().response();
    }
    picture::answer()
}

/// Whether a call names the token of some account.
fn has_token(app: &App, head: &Parts) -> bool {
    let given = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|given| given.strip_prefix("Bearer "));
    token.is_some_and(|token| app.state().businesses.has_token(token))
}
