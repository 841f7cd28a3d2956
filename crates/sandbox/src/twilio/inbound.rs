//! Texts from phones: personas that react to a delivery, the carrier's own opt-out handling, and
//! the webhook of the number that was texted.

use std::{sync::Arc, time::Duration};

use super::{
    callback::{self, Inbound},
    keywords::{self, Keyword},
};
use crate::{
    app::{App, State},
    clock::machine_now,
    job::{Job, Reaction},
    kind::Kind,
    ledger::Index,
    people::AutoReply,
    phone::Phone,
    posting,
    segments::segments,
};

/// A text from a phone to a registered number.
pub(crate) struct PhoneText<'a> {
    pub(crate) from: Phone,
    pub(crate) to: &'a str,
    pub(crate) body: &'a str,
    /// What Advanced Opt-Out says about it, when it is on.
    pub(crate) opt_out: Option<Keyword>,
    /// What a persona meant; without it the text itself is judged.
    pub(crate) kind: Option<Kind>,
}

/// What became of an inbound text.
pub(crate) struct Received {
    pub(crate) sid: String,
    /// Where it is delivered to; `None` when the number has no webhook.
    pub(crate) webhook: Option<Arc<str>>,
}

/// Lets the person behind a phone react to a text that was just delivered.
pub(super) fn react(app: &App, index: Index) {
    let mut state = app.state();
    let generation = state.ledger.generation();
    let Some(text) = state.ledger.get(index) else { return };
    let (person, sender) = (text.to, text.from.clone());

    let said = state.people.said(person);
    let Some(utterance) = app.personas().answer(app.seed, person, said) else { return };
    state.people.says(person);
    drop(state);

    let reaction = Reaction { from: person, to: sender, utterance, generation };
    app.later(Duration::from_millis(utterance.delay_ms), Job::Say(reaction));
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
        opt_out: None,
        kind: Some(reaction.utterance.kind),
    };
    if receive(app, &text).is_none() {
        app.state().stats.inbound_without_webhook += 1;
    }
}

/// Takes a text from a phone; `None` when nobody has registered the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let mut state = app.state();
    let (number, registered) = state.accounts.numbers.get_key_value(text.to)?;
    let (number, account) = (number.clone(), registered.account);
    let webhook = registered.sms_url.clone();

    let keyword = text.opt_out.or_else(|| Keyword::of(text.body));
    if let Some(keyword) = keyword {
        obey(&mut state, text.from, &number, keyword);
    }
    let kind = text.kind.unwrap_or_else(|| keywords::kind(text.body, keyword));
    state.stats.inbound(kind);

    let sid = format!("SM{:032x}", state.ledger.fresh_id());
    let inbound = Inbound {
        sid: &sid,
        account,
        from: text.from,
        to: text.to,
        body: text.body,
        segments: segments(text.body),
        opt_out_type: text.opt_out.map(Keyword::name),
    };
    let delivery = webhook.as_ref().and_then(|url| callback::inbound(&mut state, url, &inbound));
    if delivery.is_none() {
        state.stats.inbound_without_webhook += 1;
    }
    drop(state);

    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Some(Received { sid, webhook })
}

/// Does what the carrier does by itself. It answers a STOP or START only when it changes
/// something, and a HELP always.
fn obey(state: &mut State, phone: Phone, number: &Arc<str>, keyword: Keyword) {
    let answers = match keyword {
        Keyword::Stop => state.people.block(phone, number),
        Keyword::Start => state.people.unblock(phone, number),
        Keyword::Help => true,
    };
    if !answers {
        return;
    }

    state.stats.auto_replies += 1;
    let reply = AutoReply {
        sid: state.ledger.fresh_id(),
        from: number.clone(),
        to: phone,
        body: keyword.auto_reply(),
        at: machine_now(),
    };
    state.people.auto_reply(reply);
}
