//! The frames that this process holds un-acked, and how many of their members are still open.

use std::{collections::HashMap, sync::Arc};

use async_nats::{Subject, jetstream::Message};
use tokio::time::Instant;

/// Where a member came from: the same for all members of a frame.
#[derive(Debug)]
pub(super) struct Origin {
    /// The index of the frame among those that the lane holds.
    pub(super) slot: u32,
    pub(super) subject: Subject,
}

/// What names a frame for good: its sequence, and when it was stored, in nanoseconds. The sequence
/// alone does not: a stream that was made anew counts from 1 again.
type Identity = (u64, i64);

/// One frame that is delivered and not acked.
struct Held {
    identity: Identity,
    /// Where the broker waits for the ack of the latest delivery.
    reply: Subject,
    /// How many members it has.
    size: u32,
    /// How many of its members are not through.
    open: u32,
    /// Whether a member was given up: the frame must come again.
    abandoned: bool,
}

/// All frames held by one lane.
#[derive(Default)]
pub(super) struct Frames {
    /// The frames by slot; none where a slot is free.
    slots: Vec<Option<Held>>,
    free: Vec<u32>,
    /// The slots of the frames held.
    known: HashMap<Identity, u32>,
    /// How many members these frames have, whether through or not.
    members: usize,
}

/// A frame whose members are all through.
pub(super) struct Through {
    pub(super) slot: u32,
    pub(super) reply: Subject,
    /// How many members were not through when the frame was given up as a whole.
    pub(super) open: u32,
    /// Whether a member was given up: the frame must come again.
    pub(super) abandoned: bool,
}

/// What became of a delivery.
pub(super) enum Arrival {
    /// A frame to read: its slot, and whether it was delivered before.
    New { slot: u32, again: bool },
    /// A frame held already: only its reply subject is new.
    Known,
    /// Not a delivery of JetStream.
    Foreign,
}

impl Frames {
    /// Takes a delivery in. A frame that comes again while it is held is not worked on twice.
    pub(super) fn arrive(&mut self, message: &Message) -> Arrival {
        let (Some(reply), Ok(info)) = (message.reply.clone(), message.info()) else {
            return Arrival::Foreign;
        };
        let stored = i64::try_from(info.published.unix_timestamp_nanos()).unwrap_or_default();
        let identity = (info.stream_sequence, stored);

        if let Some(&slot) = self.known.get(&identity) {
            if let Some(held) = self.get(slot) {
                held.reply = reply;
            }
            return Arrival::Known;
        }

        let held = Held { identity, reply, size: 0, open: 0, abandoned: false };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("frames held are bounded")
        });
        self.slots[slot as usize] = Some(held);
        self.known.insert(identity, slot);
        Arrival::New { slot, again: info.delivered > 1 }
    }

    /// Says how many members the frame has.
    pub(super) fn fill(&mut self, slot: u32, members: usize) {
        if let Some(held) = self.get(slot) {
            held.size = u32::try_from(members).expect("a frame has at most 256 members");
            held.open = held.size;
            self.members += members;
        }
    }

    /// One member is through: what it says is stored, or it says nothing. Gives the frame once all
    /// its members are; the frame stays known until [`Self::leave`].
    pub(super) fn done(&mut self, slot: u32) -> Option<Through> {
        let held = self.get(slot)?;
        held.open = held.open.saturating_sub(1);
        (held.open == 0).then(|| held.through(slot, 0))
    }

    /// One member is given up: its frame comes again.
    pub(super) fn abandon(&mut self, slot: u32) -> Option<Through> {
        self.get(slot)?.abandoned = true;
        self.done(slot)
    }

    /// Gives up every frame that is not through.
    pub(super) fn abandon_all(&mut self) -> Vec<Through> {
        let slots = (0_u32..).zip(&mut self.slots);
        let held = slots.filter_map(|(slot, held)| Some((slot, held.as_mut()?)));
        let open = held.filter(|(_, held)| held.open > 0);

        open.map(|(slot, held)| {
            held.abandoned = true;
            let left = std::mem::take(&mut held.open);
            held.through(slot, left)
        })
        .collect()
    }

    /// The ack of a frame was confirmed, or will never be. Only now is it forgotten: a copy that
    /// the broker sent before it saw the ack has come by then.
    pub(super) fn leave(&mut self, slot: u32) {
        if let Some(held) = self.slots.get_mut(slot as usize).and_then(Option::take) {
            self.known.remove(&held.identity);
            self.members -= held.size as usize;
            self.free.push(slot);
        }
    }

    /// How many members would come again if this process died now.
    pub(super) fn members(&self) -> usize {
        self.members
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Where progress beats go to, for every frame that is not through.
    pub(super) fn replies(&self) -> impl Iterator<Item = Subject> {
        let held = self.slots.iter().flatten().filter(|held| held.open > 0);
        held.map(|held| held.reply.clone())
    }

    /// When the oldest frame held was stored, in nanoseconds of machine time.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.known.keys().map(|&(_, stored)| stored).min()
    }

    fn get(&mut self, slot: u32) -> Option<&mut Held> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }
}

impl Held {
    fn through(&self, slot: u32, open: u32) -> Through {
        let reply = self.reply.clone();
        Through { slot, reply, open, abandoned: self.abandoned }
    }
}

/// One message of a stage, with the frame that it keeps un-acked.
#[derive(Debug)]
pub(super) struct Member<P> {
    pub(super) payload: P,
    pub(super) origin: Arc<Origin>,
    /// How often it was handed over.
    pub(super) attempts: u32,
    /// Since when it waits for a version that can read what is stored about it; none: it does not.
    pub(super) newer_since: Option<Instant>,
}
