//! What the people behind the phones remember: whom they told to stop, and how much they said.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;

use crate::phone::Phone;

/// The most automatic replies that are remembered; older ones are forgotten first.
const MAX_AUTO_REPLIES: usize = 100_000;

/// Opt-outs that the carrier enforces, automatic replies, and texts that personas sent.
#[derive(Default)]
pub(crate) struct People {
    /// Pairs of phone and sender that the carrier blocks.
    blocks: HashMap<Phone, HashSet<Arc<str>>>,
    /// How many texts the persona of a phone has sent.
    said: HashMap<Phone, u8>,
    pub(crate) auto_replies: VecDeque<AutoReply>,
}

/// What the carrier answered by itself to STOP, START or HELP. Not in the ledger: no customer
/// asked for it.
pub(crate) struct AutoReply {
    pub(crate) sid: u128,
    pub(crate) from: Arc<str>,
    pub(crate) to: Phone,
    pub(crate) body: &'static str,
    /// When, in machine time.
    pub(crate) at: Timestamp,
    /// When, in business time.
    pub(crate) business_at: Timestamp,
}

impl People {
    pub(crate) fn is_blocked(&self, phone: Phone, sender: &str) -> bool {
        self.blocks.get(&phone).is_some_and(|senders| senders.contains(sender))
    }

    /// Blocks a sender for a phone; false when it was blocked before.
    pub(crate) fn block(&mut self, phone: Phone, sender: &Arc<str>) -> bool {
        self.blocks.entry(phone).or_default().insert(sender.clone())
    }

    /// Lifts a block; false when there was none.
    pub(crate) fn unblock(&mut self, phone: Phone, sender: &str) -> bool {
        self.blocks.get_mut(&phone).is_some_and(|senders| senders.remove(sender))
    }

    /// How many texts the persona of this phone has sent.
    pub(crate) fn said(&self, phone: Phone) -> u8 {
        self.said.get(&phone).copied().unwrap_or(0)
    }

    /// Counts one more text of this phone's persona.
    pub(crate) fn says(&mut self, phone: Phone) {
        *self.said.entry(phone).or_default() += 1;
    }

    pub(crate) fn auto_reply(&mut self, reply: AutoReply) {
        if self.auto_replies.len() == MAX_AUTO_REPLIES {
            self.auto_replies.pop_front();
        }
        self.auto_replies.push_back(reply);
    }
}
