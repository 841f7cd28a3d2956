//! Texts that somebody of a business writes in the WhatsApp Business app, on the phone that has the
//! number itself: its account is told of each. They open no window.

use std::sync::Arc;

use serde_json::json;

use super::callback;
use crate::{app::App, phone::Phone, phone_text::Received, posting};

/// Takes a text that was written on a number's phone; `None` where no business has the number.
pub(crate) fn write(app: &Arc<App>, from: &str, to: Phone, body: &str) -> Option<Received> {
    let mut state = app.state();
    let (number, business) = state.businesses.of_number(from)?;
    let url = state.businesses.get(&business)?.callback_url.clone();

    let sid = format!("wamid.{:032X}", state.ledger.fresh_id());
    let message = json!({ "id": sid, "type": "text", "text": { "body": body } });
    let delivery = callback::echo(&mut state, &url, (&*business, &*number), (to, message));
    drop(state);

    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Some(Received { sid, webhook: Some(url) })
}
