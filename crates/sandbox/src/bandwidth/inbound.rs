//! Texts from phones to numbers of applications. Bandwidth passes opt-out words on as they are.

use std::sync::Arc;

use super::callback::{self, Inbound};
use crate::{
    app::App,
    phone_text::{PhoneText, Received},
    posting,
    segments::segments,
};

/// Takes a text from a phone; `None` when no application has the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let mut state = app.state();
    let (number, application) = state.applications.of_number(text.to)?;
    let settings = state.applications.get(&application)?;
    let (url, account) = (settings.callback_url.clone(), settings.account.clone());

    state.stats.inbound(text.counted_as());

    let id = format!("{:032x}", state.ledger.fresh_id());
    let inbound = Inbound {
        id: &id,
        application: &application,
        from: text.from,
        to: &number,
        text: text.body,
        account: &account,
        pictures: text.pictures,
        segments: segments(text.body),
    };
    let delivery = callback::inbound(&mut state, &url, &inbound);
    drop(state);

    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Some(Received { sid: id, webhook: Some(url) })
}
