//! Messages from phones to numbers of accounts. WhatsApp passes opt-out words on as they are. Each
//! opens the window for free texts, but a reaction.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    callback::{self, Inbound},
    media,
};
use crate::{
    app::{App, State},
    clock::machine_now,
    phone_text::{Gesture, PhoneText, Received},
    picture, posting,
};

/// Takes a message from a phone; `None` when no account has the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let at = app.clock.business(machine_now());
    let mut state = app.state();
    let (number, business) = state.businesses.of_number(text.to)?;
    let url = state.businesses.get(&business)?.callback_url.clone();

    state.stats.inbound(text.counted_as());
    match text.gesture {
        Some(Gesture::Reaction(_)) => {}
        Some(Gesture::Button(_) | Gesture::Row(_) | Gesture::TemplateButton(_)) | None => {
            state.businesses.open_window(&number, text.from, at);
        }
    }

    let messages = messages(&mut state, text);
    let sid = messages[0]["id"].as_str().unwrap_or_default().to_owned();
    let inbound = Inbound { business: &business, from: text.from, to: &number, messages };
    let delivery = callback::inbound(&mut state, &url, inbound);
    drop(state);

    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Some(Received { sid, webhook: Some(url) })
}

/// What the person says, one message or more: WhatsApp has one file in each.
fn messages(state: &mut State, text: &PhoneText<'_>) -> Vec<Value> {
    let mut with_id = |mut message: Value| {
        message["id"] = format!("wamid.{:032X}", state.ledger.fresh_id()).into();
        message
    };

    if let Some(gesture) = text.gesture {
        return vec![with_id(gestured(gesture, text.body))];
    }
    if text.pictures == 0 {
        return vec![with_id(json!({ "type": "text", "text": { "body": text.body } }))];
    }
    let mut pictures = Vec::new();
    for position in 0..text.pictures {
        let mut image = json!({ "mime_type": picture::TYPE });
        // The words stand under the first.
        if position == 0 && !text.body.is_empty() {
            image["caption"] = text.body.into();
        }
        pictures.push(with_id(json!({ "type": "image", "image": image })));
    }
    for picture in &mut pictures {
        picture["image"]["id"] = media::id(state.ledger.fresh_id()).into();
    }
    pictures
}

/// What is done instead of writing.
fn gestured(gesture: Gesture<'_>, said: &str) -> Value {
    let choice = |kind: &str, id: &str| {
        json!({
            "type": "interactive",
            "interactive": { "type": kind, kind: { "id": id, "title": said } },
        })
    };
    match gesture {
        Gesture::Button(id) => choice("button_reply", id),
        Gesture::Row(id) => choice("list_reply", id),
        Gesture::TemplateButton(payload) => {
            json!({ "type": "button", "button": { "payload": payload, "text": said } })
        }
        Gesture::Reaction(message) => {
            json!({ "type": "reaction", "reaction": { "message_id": message, "emoji": said } })
        }
    }
}
