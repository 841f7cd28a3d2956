//! Messages from phones to numbers of accounts. WhatsApp passes opt-out words on as they are. Each
//! opens the window for free texts.

use std::sync::Arc;

use super::callback::{self, Inbound};
use crate::{
    app::App,
    clock::machine_now,
    phone_text::{PhoneText, Received},
    posting,
};

/// Takes a message from a phone; `None` when no account has the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let at = app.clock.business(machine_now());
    let mut state = app.state();
    let (number, business) = state.businesses.of_number(text.to)?;
    let url = state.businesses.get(&business)?.callback_url.clone();

    state.stats.inbound(text.counted_as());
    state.businesses.open_window(&number, text.from, at);

    let id = format!("wamid.{:032X}", state.ledger.fresh_id());
    let inbound =
        Inbound { id: &id, business: &business, from: text.from, to: &number, text: text.body };
    let delivery = callback::inbound(&mut state, &url, &inbound);
    drop(state);

    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Some(Received { sid: id, webhook: Some(url) })
}
