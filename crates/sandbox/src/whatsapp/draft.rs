//! Reading a request to send: what the Cloud API checks before it accepts.

use std::sync::Arc;

use serde_json::Value;

use super::errors::{Refusal, coded, invalid};
use crate::{
    app::{Business, Template},
    phone::Phone,
    tag::reference,
};

/// The longest text, in characters.
const MAX_TEXT: usize = 4_096;

/// The longest callback data, in characters.
const MAX_TAG: usize = 512;

/// A request to send that may be accepted.
pub(super) struct Request {
    pub(super) to: Phone,
    pub(super) text: Box<str>,
    /// What it is charged as: a template's category, or `service`.
    pub(super) category: Box<str>,
    pub(super) media: u8,
    pub(super) tag: Option<Box<str>>,
    pub(super) reference: Option<Arc<str>>,
}

/// What a request is about, as far as it can be read: its recipient and what it holds.
pub(super) fn about(body: &[u8]) -> (String, String) {
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let Some(body) = read else { return Default::default() };
    let kind = body["type"].as_str().unwrap_or("text");
    (body["to"].as_str().unwrap_or_default().to_owned(), body[kind].to_string())
}

/// Reads and checks a request of an account.
pub(super) fn read(body: &[u8], business: &Business) -> Result<Request, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| invalid("the body is no JSON"))?;
    if body["messaging_product"] != "whatsapp" {
        return Err(invalid("messaging_product must be whatsapp"));
    }
    let to = recipient(&body)?;
    let tag = body["biz_opaque_callback_data"].as_str();
    if tag.is_some_and(|tag| tag.chars().count() > MAX_TAG) {
        return Err(invalid("biz_opaque_callback_data has at most 512 characters"));
    }

    let kind = body["type"].as_str().unwrap_or("text");
    let object = &body[kind];
    let (text, category) = match kind {
        "text" => (words(object)?, "service".into()),
        "template" => template(object, business)?,
        "image" | "video" | "audio" | "document" | "sticker" => (file(object)?, "service".into()),
        "interactive" => (object["body"]["text"].as_str().unwrap_or("").into(), "service".into()),
        "reaction" => (object["emoji"].as_str().unwrap_or("").into(), "service".into()),
        _ => return Err(coded(131_051)),
    };

    Ok(Request {
        to,
        text,
        category,
        media: u8::from(object["link"].is_string() || object["id"].is_string()),
        reference: tag.map(reference),
        tag: tag.map(Into::into),
    })
}

/// The person's number. This simulator's people have one each.
fn recipient(body: &Value) -> Result<Phone, Refusal> {
    if body["recipient"].is_string() {
        return Err(coded(131_062));
    }
    let written = body["to"].as_str().ok_or_else(|| invalid("to is missing"))?;
    let digits = written.trim_start_matches('+');
    Phone::parse(&format!("+{digits}")).ok_or_else(|| invalid("to must be a phone number"))
}

fn words(text: &Value) -> Result<Box<str>, Refusal> {
    let text = text["body"].as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| invalid("text.body must not be empty"))?;
    if text.chars().count() > MAX_TEXT {
        return Err(invalid("text.body has at most 4096 characters"));
    }
    Ok(text.into())
}

fn file(object: &Value) -> Result<Box<str>, Refusal> {
    let link = object["link"].as_str().or(object["id"].as_str());
    link.ok_or_else(|| invalid("a file needs id or link"))?;
    Ok(object["caption"].as_str().unwrap_or_default().into())
}

/// The text that the template makes, and its category.
fn template(object: &Value, business: &Business) -> Result<(Box<str>, Box<str>), Refusal> {
    let name = object["name"].as_str().ok_or_else(|| invalid("template.name is missing"))?;
    let language = object["language"]["code"].as_str();
    let language = language.ok_or_else(|| invalid("template.language.code is missing"))?;
    let template = business.templates.get(&(name.into(), language.into()));
    let template = template.ok_or_else(|| coded(132_001))?;
    match &*template.status {
        "APPROVED" | "REINSTATED" => {}
        "PAUSED" => return Err(coded(132_015)),
        "DISABLED" => return Err(coded(132_016)),
        _ => return Err(coded(132_001)),
    }

    let components = object["components"].as_array().map_or(&[][..], Vec::as_slice);
    let body = components.iter().find(|part| part["type"] == "body");
    let given = body.and_then(|part| part["parameters"].as_array());
    let values: Vec<&str> =
        given.into_iter().flatten().map(|one| one["text"].as_str().unwrap_or_default()).collect();
    if values.len() != template.variables() {
        return Err(coded(132_000));
    }
    if values.iter().any(|value| value.trim().is_empty()) {
        return Err(coded(131_008));
    }
    if values.iter().any(|value| value.contains(['\n', '\t']) || value.contains("    ")) {
        return Err(coded(132_018));
    }

    check_parts(template, components)?;

    let mut text = template.body().to_owned();
    for (index, value) in values.iter().enumerate() {
        text = text.replace(&format!("{{{{{}}}}}", index + 1), value);
    }
    Ok((text.into(), template.category.to_ascii_lowercase().into()))
}

/// Whether header and buttons have the values that the template needs.
fn check_parts(template: &Template, components: &[Value]) -> Result<(), Refusal> {
    let header = components.iter().find(|part| part["type"] == "header");
    let given = header.and_then(|header| header["parameters"][0]["type"].as_str());
    if given != template.header_needs().as_deref() {
        return Err(coded(132_012));
    }

    let has_value = |index: &usize| {
        let index = index.to_string();
        components.iter().any(|part| part["type"] == "button" && part["index"] == index.as_str())
    };
    if template.buttons_that_need().iter().all(has_value) { Ok(()) } else { Err(coded(132_000)) }
}
