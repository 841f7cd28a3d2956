//! Texts from phones: the carrier's own opt-out handling, and the webhook of the number that was
//! texted.

use std::sync::Arc;

use super::{
    callback::{self, Inbound},
    keywords::{self, Keyword},
};
use crate::{
    app::{App, State},
    clock::machine_now,
    people::AutoReply,
    phone::Phone,
    phone_text::{PhoneText, Received},
    posting,
    segments::segments,
};

/// How many texts to a phone are looked at for the service that it answers.
const RECENT: usize = 100;

/// Takes a text from a phone; `None` when nobody has registered the number it goes to.
pub(crate) fn receive(app: &Arc<App>, text: &PhoneText<'_>) -> Option<Received> {
    let mut state = app.state();
    let (number, registered) = state.accounts.numbers.get_key_value(text.to)?;
    let (number, account) = (number.clone(), registered.account);
    let webhook = registered.sms_url.clone();

    let keyword = text.opt_out.or_else(|| Keyword::of(text.body));
    if let Some(keyword) = keyword {
        obey(app, &mut state, text.from, &number, keyword);
    }
    let kind = text.kind.unwrap_or_else(|| keywords::kind(text.body, keyword));
    state.stats.inbound(kind);

    let prefix = if text.pictures > 0 { "MM" } else { "SM" };
    let sid = format!("{prefix}{:032x}", state.ledger.fresh_id());
    let inbound = Inbound {
        sid: &sid,
        account,
        from: text.from,
        to: text.to,
        body: text.body,
        pictures: text.pictures,
        segments: segments(text.body),
        opt_out_type: text.opt_out.map(Keyword::name),
        service: service_of(&state, text.from, &number),
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

/// The service that last texted a phone from a number. Services have no lists of numbers here: one
/// that has picked a number is taken to have it.
fn service_of(state: &State, phone: Phone, number: &str) -> Option<Arc<str>> {
    let recent = state.ledger.newest_first(Some(phone)).take(RECENT);
    let mut from_number = recent.filter(|text| *text.from == *number);
    from_number.find_map(|text| text.service.clone())
}

/// Does what the carrier does by itself. It answers a STOP or START only when it changes
/// something, and a HELP always.
fn obey(app: &App, state: &mut State, phone: Phone, number: &Arc<str>, keyword: Keyword) {
    let answers = match keyword {
        Keyword::Stop => state.people.block(phone, number),
        Keyword::Start => state.people.unblock(phone, number),
        Keyword::Help => true,
    };
    if !answers {
        return;
    }

    state.stats.auto_replies += 1;
    let now = machine_now();
    let reply = AutoReply {
        sid: state.ledger.fresh_id(),
        from: number.clone(),
        to: phone,
        body: keyword.auto_reply(),
        at: now,
        business_at: app.clock.business(now),
    };
    state.people.auto_reply(reply);
}
