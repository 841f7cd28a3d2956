//! What a phone shows: the newest texts to and from it, and whom it may text.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    app::{App, State},
    ledger::Text,
    people::AutoReply,
    phone::Phone,
    spoken::SpokenText,
};

/// The longest text that is typed on a phone, in characters: what ten segments hold.
pub(super) const MAX_ANSWER: usize = 1_600;

/// The most texts that are shown; older ones are left out.
const MAX_SHOWN: usize = 200;

/// The most numbers that are offered to text.
const MAX_NUMBERS: usize = 50;

/// The texts of a phone.
pub(super) struct Conversation {
    pub(super) phone: Phone,
    /// The oldest first.
    pub(super) texts: Vec<Shown>,
    /// Numbers that it may text; who texted it last comes first.
    pub(super) numbers: Vec<Arc<str>>,
}

/// A text on the screen of a phone.
pub(super) struct Shown {
    pub(super) direction: Direction,
    /// The number at the other end.
    pub(super) other: Arc<str>,
    pub(super) body: Box<str>,
    /// What has become of it, in a word or two.
    pub(super) state: String,
    /// When, in business time.
    pub(super) at: Timestamp,
    /// Machine time, which orders them.
    received_at: Timestamp,
}

/// Which way a text goes, as the phone's owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToPhone,
    FromPhone,
}

impl Conversation {
    pub(super) fn of(app: &App, phone: Phone) -> Self {
        let state = app.state();
        let sent = state.ledger.newest_first(Some(phone)).take(MAX_SHOWN).map(Shown::sent);
        let replies = state.people.auto_replies.iter().rev();
        let replies = replies.filter(|reply| reply.to == phone).take(MAX_SHOWN);
        let spoken = state.spoken.newest_of(phone).take(MAX_SHOWN).map(Shown::spoken);

        let mut texts: Vec<Shown> =
            sent.chain(spoken).chain(replies.map(Shown::auto_reply)).collect();
        texts.sort_by_key(|text| text.received_at);
        let hidden = texts.len().saturating_sub(MAX_SHOWN);
        texts.drain(..hidden);

        let numbers = numbers(&state, &texts);
        Self { phone, texts, numbers }
    }
}

/// Who texted the phone, the last one first, then other numbers that anybody has.
fn numbers(state: &State, texts: &[Shown]) -> Vec<Arc<str>> {
    let senders = texts.iter().rev().filter(|text| text.direction == Direction::ToPhone);
    let senders = senders.map(|text| &text.other);
    let of_applications = state.applications.numbers();
    let registered = state.accounts.numbers.keys().chain(of_applications);
    let registered = registered.chain(state.businesses.numbers());

    let mut numbers: Vec<Arc<str>> = Vec::new();
    for number in senders.chain(registered) {
        if numbers.len() == MAX_NUMBERS {
            break;
        }
        if !number.is_empty() && !numbers.contains(number) {
            numbers.push(number.clone());
        }
    }
    numbers
}

impl Shown {
    /// A text to the phone, in whatever state its carrier has it.
    fn sent(text: &Text) -> Self {
        let state = match text.error {
            0 => text.status.name().to_owned(),
            error => format!("{}, {error}", text.status.name()),
        };
        Self {
            direction: Direction::ToPhone,
            other: text.from.clone(),
            body: text.body.clone(),
            state,
            at: text.at,
            received_at: text.received_at,
        }
    }

    /// What the carrier answered by itself.
    fn auto_reply(reply: &AutoReply) -> Self {
        Self {
            direction: Direction::ToPhone,
            other: reply.from.clone(),
            body: reply.body.into(),
            state: "carrier's own reply".to_owned(),
            at: reply.business_at,
            received_at: reply.at,
        }
    }

    /// A text from the phone.
    fn spoken(text: &SpokenText) -> Self {
        let state = if text.called { "received" } else { "received, no webhook" };
        Self {
            direction: Direction::FromPhone,
            other: text.to.clone(),
            body: text.body.clone(),
            state: state.to_owned(),
            at: text.at,
            received_at: text.received_at,
        }
    }
}
