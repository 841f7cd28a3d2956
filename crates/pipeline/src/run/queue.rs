//! What a lane has read and not handed over yet: ready now, or waiting for its instant.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;
use wire::frame::{Outgoing, Payload};

use super::{batch::Load, held::Member};

/// Waits that end within this long of each other end together: one batch instead of many.
const GRID: Duration = Duration::from_millis(10);

/// The messages of one lane that no batch has.
pub(super) struct Queue<P> {
    ready: VecDeque<Member<P>>,
    letters: Vec<(u32, Outgoing)>,
    waiting: BTreeMap<Instant, Vec<Member<P>>>,
    waits: usize,
    /// Ids of the batch being made; kept for its memory.
    ids: HashSet<Uuid>,
    begun: Instant,
}

impl<P: Payload> Queue<P> {
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            letters: Vec::new(),
            waiting: BTreeMap::new(),
            waits: 0,
            ids: HashSet::new(),
            begun: Instant::now(),
        }
    }

    pub(super) fn push(&mut self, member: Member<P>) {
        self.ready.push_back(member);
    }

    /// A letter for what did not decode, with the slot of its frame.
    pub(super) fn push_letter(&mut self, slot: u32, letter: Outgoing) {
        self.letters.push((slot, letter));
    }

    /// Keeps a message until `due`, rounded up to the grid.
    pub(super) fn wait(&mut self, member: Member<P>, due: Instant) {
        let ticks = due.duration_since(self.begun).as_nanos().div_ceil(GRID.as_nanos());
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        self.waiting.entry(self.begun + GRID * ticks).or_default().push(member);
        self.waits += 1;
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().copied()
    }

    /// Makes those ready whose wait is over, before what came later.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > now {
                break;
            }
            let due = entry.remove();
            self.waits -= due.len();
            due.into_iter().rev().for_each(|member| self.ready.push_front(member));
        }
    }

    /// How many could be handed over now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len() + self.letters.len()
    }

    /// The next batch: the oldest messages, at most `max`, none with the id of another one of the
    /// batch. What has the same id stays first in line for the next batch.
    pub(super) fn batch(&mut self, max: usize) -> Option<Load<P>> {
        if self.ready() == 0 {
            return None;
        }
        self.ids.clear();
        let mut members = Vec::with_capacity(max.min(self.ready.len()));
        let mut twins = Vec::new();
        while members.len() < max {
            let Some(member) = self.ready.pop_front() else { break };
            if self.ids.insert(member.payload.key().id) {
                members.push(member);
            } else {
                twins.push(member);
            }
        }
        twins.into_iter().rev().for_each(|twin| self.ready.push_front(twin));
        Some(Load { members, letters: std::mem::take(&mut self.letters) })
    }

    /// Gives everything up, by the slot of its frame.
    pub(super) fn clear(&mut self) -> Vec<u32> {
        self.waits = 0;
        let waiting = std::mem::take(&mut self.waiting).into_values().flatten();
        let members = self.ready.drain(..).chain(waiting).map(|member| member.origin.slot);
        members.chain(self.letters.drain(..).map(|(slot, _)| slot)).collect()
    }
}
