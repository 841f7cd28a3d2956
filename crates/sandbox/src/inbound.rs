//! Texts from phones, to whichever carrier has the number that is texted.

use std::sync::Arc;

use crate::{
    app::App,
    bandwidth,
    clock::machine_now,
    job::Reaction,
    phone_text::{PhoneText, Received},
    spoken::SpokenText,
    twilio, whatsapp,
};

/// Takes a text from a phone; `None` when nobody has registered the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let now = machine_now();
    let received = bandwidth::inbound::receive(app, text)
        .or_else(|| whatsapp::inbound::receive(app, text))
        .or_else(|| twilio::inbound::receive(app, text))?;

    app.state().spoken.add(SpokenText {
        from: text.from,
        to: text.to.into(),
        body: text.body.into(),
        called: received.webhook.is_some(),
        at: app.clock.business(now),
        received_at: now,
    });
    Some(received)
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
        gesture: None,
        opt_out: None,
        kind: Some(reaction.utterance.kind),
    };
    if receive(app, &text).is_none() {
        app.state().stats.inbound_without_webhook += 1;
    }
}
