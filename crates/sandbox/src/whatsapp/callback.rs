//! What Meta sends to its customers: an envelope of one change, in the escaped form, with the
//! signature of the app secret.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_TYPE, USER_AGENT},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::signature::{escaped, sign};
use crate::{
    app::{State, Template},
    clock::machine_now,
    delivery::Delivery,
    ledger::{Index, Status},
    phone::Phone,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue = HeaderValue::from_static("facebookexternalua");
const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// The receipt of a message that has come to a status; `None` where Meta says nothing about it.
pub(crate) fn status(
    state: &mut State,
    index: Index,
    status: Status,
    error: u32,
) -> Option<Box<Delivery>> {
    let word = match status {
        Status::Sent => "sent",
        Status::Delivered => "delivered",
        Status::Undelivered | Status::Failed => "failed",
        Status::Accepted | Status::Scheduled | Status::Queued | Status::Canceled => return None,
    };
    said(state, index, word, error)
}

/// The receipt of a message that its person has opened.
pub(crate) fn read(state: &mut State, index: Index) -> Option<Box<Delivery>> {
    said(state, index, "read", 0)
}

fn said(state: &mut State, index: Index, word: &str, error: u32) -> Option<Box<Delivery>> {
    let text = state.ledger.get(index)?;
    let service = text.service.clone()?;
    let (business, category) = service.split_once('/')?;
    let (url, from) = (text.callback.clone()?, text.from.clone());

    let mut status = json!({
        "id": text.sid_text(),
        "status": word,
        "timestamp": seconds(text.updated_at),
        "recipient_id": text.to.number().to_string(),
        "biz_opaque_callback_data": text.tag,
    });
    if word == "failed" {
        let title = "Message undeliverable";
        status["errors"] = json!([{ "code": error, "title": title, "message": title }]);
    } else {
        // A free text is no longer free of charge; what a sandbox charges is nothing.
        status["pricing"] = json!({
            "billable": true, "pricing_model": "PMP", "category": category, "type": "regular",
        });
    }
    let value = json!({ "metadata": metadata(&from), "statuses": [status] });
    delivery(state, &url, business, value)
}

/// Messages of a person, as the account gets them.
pub(super) struct Inbound<'a> {
    pub(super) business: &'a str,
    pub(super) from: Phone,
    pub(super) to: &'a str,
    /// Each with its id and what it holds.
    pub(super) messages: Vec<Value>,
}

/// The call of an account's webhook.
pub(super) fn inbound(
    state: &mut State,
    url: &Arc<str>,
    inbound: Inbound<'_>,
) -> Option<Box<Delivery>> {
    let wa_id = inbound.from.number().to_string();
    let mut messages = inbound.messages;
    for message in &mut messages {
        message["from"] = wa_id.as_str().into();
        message["timestamp"] = seconds(machine_now()).into();
    }
    let value = json!({
        "metadata": metadata(inbound.to),
        "contacts": [{ "profile": { "name": "Somebody" }, "wa_id": wa_id }],
        "messages": messages,
    });
    delivery(state, url, inbound.business, value)
}

/// What the account is told where a person stops its marketing or takes it up again.
pub(crate) fn preference(
    state: &mut State,
    business: &str,
    number: &str,
    (person, stops): (Phone, bool),
) -> Option<Box<Delivery>> {
    let url = state.businesses.get(business)?.callback_url.clone();
    let word = if stops { "stop" } else { "resume" };
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "user_preferences": [{
            "wa_id": person.number().to_string(),
            "detail": "User requested a change of marketing messages",
            "category": "marketing_messages",
            "value": word,
            "timestamp": machine_now().as_second(),
        }],
    });
    of_field(state, &url, business, "user_preferences", value)
}

/// What the account is told of a template that has changed, a call for each thing.
pub(crate) fn template(
    state: &mut State,
    business: &str,
    (name, language): (&str, &str),
    (before, after): (&Template, &Template),
) -> Vec<Delivery> {
    let mut changes = Vec::new();
    if (&before.status, &before.reason) != (&after.status, &after.reason) {
        let told = json!({ "event": after.status, "reason": after.reason });
        changes.push(("message_template_status_update", told));
    }
    if before.quality != after.quality {
        let told = json!({
            "previous_quality_score": before.quality, "new_quality_score": after.quality,
        });
        changes.push(("message_template_quality_update", told));
    }
    if before.category != after.category {
        let told = json!({ "previous_category": before.category, "new_category": after.category });
        changes.push(("template_category_update", told));
    }

    let Some(url) = state.businesses.get(business).map(|of| of.callback_url.clone()) else {
        return Vec::new();
    };
    let deliveries = changes.into_iter().filter_map(|(field, mut value)| {
        value["message_template_id"] = after.id.into();
        value["message_template_name"] = name.into();
        value["message_template_language"] = language.into();
        of_field(state, &url, business, field, value).map(|delivery| *delivery)
    });
    deliveries.collect()
}

fn metadata(number: &str) -> Value {
    json!({ "display_phone_number": number, "phone_number_id": number })
}

fn seconds(at: Timestamp) -> String {
    at.as_second().to_string()
}

/// A change of messages on its way to an account; `None` when its URL is none.
fn delivery(
    state: &mut State,
    url: &str,
    business: &str,
    mut value: Value,
) -> Option<Box<Delivery>> {
    value["messaging_product"] = "whatsapp".into();
    of_field(state, url, business, "messages", value)
}

/// One change on its way to an account; `None` when its URL is none.
fn of_field(
    state: &mut State,
    url: &str,
    business: &str,
    field: &str,
    value: Value,
) -> Option<Box<Delivery>> {
    let change = json!({ "field": field, "value": value });
    let mut entry = json!({ "id": business, "changes": [change] });
    if field != "messages" {
        entry["time"] = machine_now().as_second().into();
    }
    let envelope = json!({ "object": "whatsapp_business_account", "entry": [entry] });
    let body = escaped(&envelope.to_string());

    let signature = sign(&state.businesses.get(business)?.app_secret, body.as_bytes());
    let signature = HeaderValue::from_str(&signature).ok()?;
    Some(Box::new(Delivery {
        uri: url.parse().ok()?,
        headers: vec![(CONTENT_TYPE, JSON), (USER_AGENT, AGENT), (SIGNATURE, signature)],
        body: Bytes::from(body),
        generation: state.ledger.generation(),
        retries: 0,
        overrides: None,
        ended: None,
    }))
}
