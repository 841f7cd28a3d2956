//! Texts from phones, to whichever carrier has the number that is texted.

use std::sync::Arc;

use crate::{
    app::App,
    bandwidth,
    job::Reaction,
    phone_text::{PhoneText, Received},
    twilio, whatsapp,
};

/// Takes a text from a phone; `None` when nobody has registered the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    bandwidth::inbound::receive(app, text)
        .or_else(|| whatsapp::inbound::receive(app, text))
        .or_else(|| twilio::inbound::receive(app, text))
}

/// Sends what a person decided to send.
pub(crate) fn say(app: &Arc<App>, reaction: Reaction) {
    if app.state().ledger.generation() != reaction.generation {
        return;
    }

    let text = PhoneText {
        from: reaction.from,
        to: &reaction.to,
        body: reaction.utterance.body,
        pictures: reaction.utterance.pictures,
        opt_out: None,
        kind: Some(reaction.utterance.kind),
    };
    if receive(app, &text).is_none() {
        app.state().stats.inbound_without_webhook += 1;
    }
}
