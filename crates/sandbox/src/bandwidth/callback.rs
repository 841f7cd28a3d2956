//! What Bandwidth sends to its customers: arrays of one event, with the credentials that the
//! application was given for them.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    app::State,
    clock::machine_now,
    delivery::Delivery,
    encode,
    ledger::{Index, Status},
    phone::Phone,
};

/// Where media are, at Bandwidth's own host, whatever host plays it.
const MEDIA: &str = "https://messaging.bandwidth.com/api/v2/users";

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const AGENT: HeaderValue = HeaderValue::from_static("BandwidthAPI/v2");

/// The receipt of a text that has come to a status; `None` where Bandwidth says nothing about it.
pub(crate) fn status(
    state: &mut State,
    index: Index,
    status: Status,
    error: u32,
) -> Option<Box<Delivery>> {
    let (kind, description) = match status {
        Status::Sent => ("message-sent", "ok"),
        Status::Delivered => ("message-delivered", "Message delivered to carrier."),
        Status::Undelivered | Status::Failed => ("message-failed", "not-delivered"),
        Status::Accepted | Status::Scheduled | Status::Queued | Status::Canceled => return None,
    };

    let text = state.ledger.get(index)?;
    let (to, url, application) = (text.to.to_string(), text.callback.clone()?, &text.service);
    let application = application.clone()?;
    // Bandwidth does not say the text again.
    let mut event = json!({
        "type": kind,
        "time": text.updated_at,
        "description": description,
        "to": to,
        "message": {
            "id": text.sid_text(),
            "time": text.received_at,
            "to": [to],
            "from": &*text.from,
            "text": "",
            "applicationId": &*application,
            "owner": &*text.from,
            "direction": "out",
            "segmentCount": text.segments,
            "tag": text.tag,
            "priority": "default",
        },
    });
    if kind == "message-failed" {
        event["errorCode"] = error.into();
    }
    delivery(state, &url, &application, event)
}

/// A text of a person, as its application gets it.
pub(super) struct Inbound<'a> {
    pub(super) id: &'a str,
    pub(super) application: &'a str,
    pub(super) from: Phone,
    pub(super) to: &'a str,
    pub(super) text: &'a str,
    pub(super) account: &'a str,
    pub(super) pictures: u8,
    pub(super) segments: u8,
}

/// The call of an application's webhook.
pub(super) fn inbound(
    state: &mut State,
    url: &Arc<str>,
    text: &Inbound<'_>,
) -> Option<Box<Delivery>> {
    let now: Timestamp = machine_now();
    let mut event = json!({
        "type": "message-received",
        "time": now,
        "description": "Incoming message received",
        "to": text.to,
        "message": {
            "id": text.id,
            "time": now,
            "to": [text.to],
            "from": text.from.to_string(),
            "text": text.text,
            "applicationId": text.application,
            "owner": text.to,
            "direction": "in",
            "segmentCount": text.segments.max(1),
        },
    });
    if text.pictures > 0 {
        let of = |i| format!("{MEDIA}/{}/media/{}/{i}/picture.png", text.account, text.id);
        event["message"]["media"] = (0..text.pictures).map(of).collect();
    }

    delivery(state, url, text.application, event)
}

/// One event on its way to an application; `None` when its URL is none.
fn delivery(
    state: &mut State,
    url: &str,
    application: &str,
    event: Value,
) -> Option<Box<Delivery>> {
    let mut headers = vec![(CONTENT_TYPE, JSON), (USER_AGENT, AGENT)];
    let credentials = state.applications.get(application)?.authorization.as_deref();
    if let Some(credentials) = credentials {
        headers.push((AUTHORIZATION, HeaderValue::from_str(credentials).ok()?));
    }

    Some(Box::new(Delivery {
        uri: url.parse().ok()?,
        headers,
        body: Bytes::from(encode::to_vec(&[event])),
        generation: state.ledger.generation(),
        retries: 0,
        overrides: None,
        ended: None,
    }))
}
