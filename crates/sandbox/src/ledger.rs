//! What the carriers remember: every accepted text, compactly, with the indexes that fetch, list
//! and the duplicate count need. In memory, bounded, only appended to until a reset.

mod texts;

use std::{
    collections::hash_map::{Entry, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{dice::Dice, phone::Phone};
pub(crate) use texts::{Carrier, Draft, Index, Status, Text};

/// The most texts that are remembered; beyond it nothing is accepted until a reset.
pub(crate) const MAX_TEXTS: usize = 10_000_000;

/// No text: the end of a chain.
const NONE: u32 = u32::MAX;

/// All accepted texts.
pub(crate) struct Ledger {
    texts: Vec<Text>,
    by_sid: HashMap<u128, Index>,
    /// The newest text to each phone; the older ones hang on [`Text::previous`].
    newest_to: HashMap<Phone, Index>,
    /// How often each reference was accepted.
    references: HashMap<Arc<str>, u32>,
    by_status: [u64; Status::ALL.len()],
    duplicate_references: u64,
    duplicate_acceptances: u64,
    without_reference: u64,
    /// Counts resets, so that work planned before one can see that it is stale.
    generation: u32,
    /// Makes sids. A reset keeps it, so that no sid comes twice.
    next_sid: u64,
    /// Tells this run's sids from those of runs before.
    nonce: u64,
}

/// Counts for `GET /sandbox/stats`.
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) by_status: Vec<(&'static str, u64)>,
    pub(crate) duplicate_references: u64,
    pub(crate) duplicate_acceptances: u64,
    pub(crate) without_reference: u64,
}

impl Ledger {
    pub(crate) fn new(nonce: u64) -> Self {
        Self {
            texts: Vec::new(),
            by_sid: HashMap::new(),
            newest_to: HashMap::new(),
            references: HashMap::new(),
            by_status: [0; Status::ALL.len()],
            duplicate_references: 0,
            duplicate_acceptances: 0,
            without_reference: 0,
            generation: 0,
            next_sid: 0,
            nonce,
        }
    }

    /// Forgets all texts. Sids go on, so that none comes twice.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            generation: self.generation + 1,
            next_sid: self.next_sid,
            ..Self::new(self.nonce)
        };
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn is_full(&self) -> bool {
        self.texts.len() >= MAX_TEXTS
    }

    /// A number that no other text, inbound text or callback of any run has.
    pub(crate) fn fresh_id(&mut self) -> u128 {
        self.next_sid += 1;
        let low = Dice::new(self.nonce).number(self.next_sid).value();
        (u128::from(self.nonce ^ self.next_sid) << 64) | u128::from(low)
    }

    /// Records an accepted text.
    pub(crate) fn accept(&mut self, draft: Draft) -> Index {
        let sid = self.fresh_id();
        let index = self.texts.len() as Index;
        let previous = self.newest_to.insert(draft.to, index).unwrap_or(NONE);
        self.by_sid.insert(sid, index);
        self.by_status[draft.status as usize] += 1;

        let reference = self.count_reference(draft.reference.clone());
        self.texts.push(Text::new(sid, previous, Draft { reference, ..draft }));
        index
    }

    /// Counts a reference and returns the one copy of its text that is kept.
    fn count_reference(&mut self, reference: Option<Arc<str>>) -> Option<Arc<str>> {
        let Some(reference) = reference else {
            self.without_reference += 1;
            return None;
        };

        match self.references.entry(reference) {
            Entry::Vacant(slot) => {
                let kept = slot.key().clone();
                slot.insert(1);
                Some(kept)
            }
            Entry::Occupied(mut slot) => {
                *slot.get_mut() += 1;
                self.duplicate_acceptances += 1;
                if *slot.get() == 2 {
                    self.duplicate_references += 1;
                }
                Some(slot.key().clone())
            }
        }
    }

    pub(crate) fn get(&self, index: Index) -> Option<&Text> {
        self.texts.get(index as usize)
    }

    pub(crate) fn get_mut(&mut self, index: Index) -> Option<&mut Text> {
        self.texts.get_mut(index as usize)
    }

    pub(crate) fn find(&self, sid: u128) -> Option<Index> {
        self.by_sid.get(&sid).copied()
    }

    /// Moves a text to a status at a machine instant.
    pub(crate) fn set_status(&mut self, index: Index, status: Status, error: u32, now: Timestamp) {
        let Some(text) = self.texts.get_mut(index as usize) else { return };

        self.by_status[text.status as usize] -= 1;
        self.by_status[status as usize] += 1;
        text.status = status;
        text.error = error;
        text.updated_at = now;
        if matches!(status, Status::Sent) {
            text.sent_at = Some(now);
        }
    }

    /// Texts from the newest to the oldest: those to one phone, or all.
    pub(crate) fn newest_first(&self, to: Option<Phone>) -> NewestFirst<'_> {
        let start = match to {
            Some(phone) => self.newest_to.get(&phone).copied().unwrap_or(NONE),
            None => (self.texts.len() as Index).wrapping_sub(1),
        };
        NewestFirst { ledger: self, next: start, chained: to.is_some() }
    }

    /// References that were accepted more than once, at most `limit` of them.
    pub(crate) fn duplicates(&self, limit: usize) -> Vec<Arc<str>> {
        if self.duplicate_references == 0 {
            return Vec::new();
        }

        let mut found: Vec<_> = self
            .references
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(reference, _)| reference.clone())
            .collect();

        found.sort_unstable();
        found.truncate(limit);
        found
    }

    pub(crate) fn counts(&self) -> Counts {
        let by_status = Status::ALL.iter().map(|s| (s.name(), self.by_status[*s as usize]));
        Counts {
            accepted: self.texts.len() as u64,
            by_status: by_status.collect(),
            duplicate_references: self.duplicate_references,
            duplicate_acceptances: self.duplicate_acceptances,
            without_reference: self.without_reference,
        }
    }

    /// How many texts there are: the index of the next one.
    pub(crate) fn len(&self) -> Index {
        self.texts.len() as Index
    }
}

/// The texts that [`Ledger::newest_first`] gives.
pub(crate) struct NewestFirst<'a> {
    ledger: &'a Ledger,
    next: Index,
    chained: bool,
}

impl<'a> Iterator for NewestFirst<'a> {
    type Item = &'a Text;

    fn next(&mut self) -> Option<&'a Text> {
        let text = self.ledger.get(self.next)?;
        self.next = if self.chained { text.previous } else { self.next.wrapping_sub(1) };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(to: &str, reference: Option<&str>) -> Draft {
        let now = Timestamp::UNIX_EPOCH;
        Draft {
            carrier: Carrier::Twilio,
            account: 0,
            to: Phone::parse(to).expect("a phone number"),
            from: "+15005550006".into(),
            body: "hi".into(),
            segments: 1,
            media: 0,
            service: None,
            callback: None,
            reference: reference.map(Arc::from),
            tag: None,
            trace: None,
            status: Status::Queued,
            at: now,
            received_at: now,
        }
    }

    #[test]
    fn each_reference_accepted_more_than_once_is_one_duplicate_however_often() {
        let mut ledger = Ledger::new(1);
        for reference in
            [Some("a"), Some("b"), Some("a"), None, Some("a"), Some("c"), None, Some("c")]
        {
            ledger.accept(draft("+14155550100", reference));
        }

        let counts = ledger.counts();
        assert_eq!((counts.duplicate_references, counts.duplicate_acceptances), (2, 3));
        assert_eq!(counts.without_reference, 2);
        assert_eq!(ledger.duplicates(10), [Arc::from("a"), Arc::from("c")]);
        assert_eq!(ledger.duplicates(1), [Arc::from("a")]);
    }

    #[test]
    fn texts_to_one_phone_are_found_newest_first() {
        let mut ledger = Ledger::new(1);
        for (to, reference) in [("+14155550100", "1"), ("+14155550101", "2"), ("+14155550100", "3")]
        {
            ledger.accept(draft(to, Some(reference)));
        }

        let names = |to| {
            let texts = ledger.newest_first(to);
            texts.map(|t| t.reference.as_deref().unwrap_or("").to_owned()).collect::<Vec<_>>()
        };

        assert_eq!(names(Phone::parse("+14155550100")), ["3", "1"]);
        assert_eq!(names(None), ["3", "2", "1"]);
        assert!(names(Phone::parse("+14155550109")).is_empty());
        assert!(Ledger::new(1).newest_first(None).next().is_none());
    }

    #[test]
    fn a_reset_forgets_texts_but_never_repeats_a_sid() {
        let mut ledger = Ledger::new(1);
        let index = ledger.accept(draft("+14155550100", None));
        let before = ledger.get(index).expect("the text").sid;

        ledger.reset();
        assert_eq!(ledger.counts().accepted, 0);

        let index = ledger.accept(draft("+14155550100", None));
        assert_ne!(ledger.get(index).expect("the text").sid, before);
        assert_eq!(ledger.generation(), 1);
    }
}
