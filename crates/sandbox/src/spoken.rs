//! What people have texted: the newest texts of all phones, and no more than fits.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use crate::phone::Phone;

/// The most texts that are remembered; older ones are forgotten first.
const MAX_TEXTS: usize = 20_000;

/// The most bytes of texts that are remembered.
const MAX_BYTES: usize = 16 << 20;

/// A text from a phone to a number of a carrier's customer.
pub(crate) struct SpokenText {
    pub(crate) from: Phone,
    pub(crate) to: Arc<str>,
    pub(crate) body: Box<str>,
    /// Whether its carrier had a webhook to call.
    pub(crate) called: bool,
    /// When, in business time.
    pub(crate) at: Timestamp,
    /// When, in machine time.
    pub(crate) received_at: Timestamp,
}

/// The texts that people have sent, the oldest first.
#[derive(Default)]
pub(crate) struct Spoken {
    texts: VecDeque<SpokenText>,
    bytes: usize,
}

impl Spoken {
    /// Adds a text; the oldest make room.
    pub(crate) fn add(&mut self, text: SpokenText) {
        self.bytes += text.body.len();
        self.texts.push_back(text);
        while self.texts.len() > MAX_TEXTS || self.bytes > MAX_BYTES {
            let Some(gone) = self.texts.pop_front() else { return };
            self.bytes -= gone.body.len();
        }
    }

    /// What a phone has sent, the newest first.
    pub(crate) fn newest_of(&self, phone: Phone) -> impl Iterator<Item = &SpokenText> {
        self.texts.iter().rev().filter(move |text| text.from == phone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: &str, body: &str) -> SpokenText {
        let now = Timestamp::UNIX_EPOCH;
        SpokenText {
            from: Phone::parse(from).expect("a phone number"),
            to: "+15005550006".into(),
            body: body.into(),
            called: true,
            at: now,
            received_at: now,
        }
    }

    #[test]
    fn the_oldest_texts_make_room_by_number_and_by_size() {
        let phone = Phone::parse("+14155550100").expect("a phone number");
        let mut spoken = Spoken::default();
        for n in 0..=MAX_TEXTS {
            spoken.add(text("+14155550100", &n.to_string()));
        }
        assert_eq!(spoken.newest_of(phone).count(), MAX_TEXTS);
        assert_eq!(spoken.newest_of(phone).last().map(|text| &*text.body), Some("1"));

        let large = "x".repeat(MAX_BYTES / 4);
        (0..5).for_each(|_| spoken.add(text("+14155550101", &large)));
        assert!(spoken.bytes <= MAX_BYTES && spoken.texts.len() < 6);
        assert_eq!(spoken.newest_of(phone).count(), 0);
    }
}
