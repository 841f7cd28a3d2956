//! Reading a request to send: what Bandwidth checks before it accepts.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::errors::{Refusal, coded, invalid};
use crate::{clock::machine_now, phone::Phone, segments::segments, tag::reference};

/// The longest text, in characters.
const MAX_TEXT: usize = 2_048;

/// The longest tag, in characters.
const MAX_TAG: usize = 1_024;

/// A request to send that may be accepted.
pub(super) struct Request {
    pub(super) application: Arc<str>,
    pub(super) to: Phone,
    pub(super) from: Arc<str>,
    pub(super) text: Box<str>,
    pub(super) segments: u8,
    pub(super) media: u8,
    pub(super) tag: Option<Box<str>>,
    pub(super) reference: Option<Arc<str>>,
}

/// The JSON of a request, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    application_id: String,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    media: Vec<String>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default, rename = "expiration")]
    expires_at: Option<Timestamp>,
}

/// What a request is about, as far as it can be read: its first recipient and its text.
pub(super) fn about(body: &[u8]) -> (String, String) {
    let read: Option<Body> = serde_json::from_slice(body).ok();
    read.map(|body| (body.to.concat(), body.text)).unwrap_or_default()
}

/// Reads and checks a request.
pub(super) fn read(body: &[u8]) -> Result<Request, Refusal> {
    let body: Body = serde_json::from_slice(body).map_err(|_| coded(400))?;

    // who it is for and from
    if body.application_id.is_empty() {
        return Err(invalid("applicationId", "must not be empty"));
    }
    let [to] = body.to.as_slice() else {
        return Err(invalid("to", "this simulator takes one recipient"));
    };
    let phone = Phone::parse(to).filter(|_| *to != body.from);
    let phone = phone.ok_or_else(|| invalid("to", "must be an E164 telephone number"))?;
    if !is_sender(&body.from) {
        return Err(invalid("from", "must be an E164 telephone number, a short code or a name"));
    }

    // what it says
    if body.text.is_empty() && body.media.is_empty() {
        return Err(invalid("text", "must not be empty without media"));
    }
    if body.text.chars().count() > MAX_TEXT {
        return Err(invalid("text", "must have at most 2048 characters"));
    }
    if body.tag.as_ref().is_some_and(|tag| tag.chars().count() > MAX_TAG) {
        return Err(invalid("tag", "must have at most 1024 characters"));
    }
    if body.expires_at.is_some_and(|expires_at| expires_at <= machine_now()) {
        return Err(invalid("expiration", "must be in the future"));
    }

    Ok(Request {
        application: body.application_id.into(),
        to: phone,
        from: body.from.into(),
        segments: if body.media.is_empty() { segments(&body.text).max(1) } else { 1 },
        text: body.text.into(),
        media: u8::try_from(body.media.len()).unwrap_or(u8::MAX),
        reference: body.tag.as_deref().map(reference),
        tag: body.tag.map(Into::into),
    })
}

/// A number, a short code, or a name of up to 11 characters with a letter in it.
fn is_sender(from: &str) -> bool {
    let short_code = (3..=8).contains(&from.len()) && from.bytes().all(|b| b.is_ascii_digit());
    let name = from.len() <= 11
        && from.bytes().all(|b| b.is_ascii_alphanumeric())
        && from.bytes().any(|b| b.is_ascii_alphabetic());
    Phone::parse(from).is_some() || short_code || name
}
