//! What a lane has read and not handed over: messages that are ready, and messages that wait.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;
use wire::frame::{Outgoing, Payload};

use super::{batch::Load, held::Member, ready::Ready};

/// Waits that end within this long of each other end together: one batch instead of many.
const GRID: Duration = Duration::from_millis(10);

/// The messages of one lane that no batch has.
pub(super) struct Queue<P> {
    ready: Ready<P>,
    /// Since when something has been ready without being handed over.
    since: Option<Instant>,
    letters: Vec<(u32, Option<Outgoing>)>,
    /// Messages by the instant at which their wait is over.
    waiting: BTreeMap<Instant, Vec<Member<P>>>,
    /// Ids of the batch being made; kept for its memory.
    ids: HashSet<Uuid>,
    /// Where the grid of waits begins.
    begun: Instant,
}

impl<P: Payload> Queue<P> {
    /// A tenant with at least `flood` messages ready has batches of its own; the others have
    /// `turn` messages each in turn.
    pub(super) fn new(flood: usize, turn: usize) -> Self {
        Self {
            ready: Ready::new(flood, turn),
            since: None,
            letters: Vec::new(),
            waiting: BTreeMap::new(),
            ids: HashSet::new(),
            begun: Instant::now(),
        }
    }

    pub(super) fn push(&mut self, member: Member<P>) {
        self.ready.push_back(member);
        self.since.get_or_insert_with(Instant::now);
    }

    /// A letter for what did not decode, if one is written, with the slot of its frame.
    pub(super) fn push_letter(&mut self, slot: u32, letter: Option<Outgoing>) {
        self.letters.push((slot, letter));
        self.since.get_or_insert_with(Instant::now);
    }

    /// Keeps a message until `due`, rounded up to the grid.
    pub(super) fn wait(&mut self, member: Member<P>, due: Instant) {
        let ticks = due.duration_since(self.begun).as_nanos().div_ceil(GRID.as_nanos());
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        self.waiting.entry(self.begun + GRID * ticks).or_default().push(member);
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().copied()
    }

    /// Makes those ready whose wait is over. They go before what is ready already of their tenant:
    /// they came earlier.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > now {
                break;
            }
            let due = entry.remove();
            self.since.get_or_insert(now);
            due.into_iter().rev().for_each(|member| self.ready.push_front(member));
        }
    }

    /// How many messages and letters could be handed over now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len() + self.letters.len()
    }

    /// When a batch may begin: at once when it is full, else after `linger`, so that it may become
    /// fuller. None when nothing is ready, or only floods, which may not begin `alone`.
    pub(super) fn begins(&self, max: usize, alone: bool, linger: Duration) -> Option<Instant> {
        let since = self.since?;
        if !alone && self.letters.is_empty() && self.ready.first_small().is_none() {
            return None;
        }
        Some(if self.ready() >= max { since } else { since + linger })
    }

    /// The next batch: at most `max` messages, of each tenant in turn, its oldest first, no two of
    /// one id; the second of an id stays first in line for the batch after it. A tenant with a
    /// flood has batches of its own, so that the others are in none with it, and has to wait unless
    /// `may_alone`. A message that waits for a newer version is a batch of its own too: it is
    /// likely to fail again, and others with it.
    pub(super) fn batch(&mut self, max: usize, may_alone: bool) -> Option<Load<P>> {
        if self.ready() == 0 {
            return None;
        }

        self.ids.clear();
        let mut members = Vec::with_capacity(max.min(self.ready.len()));
        let mut left = Vec::new();
        let alone = may_alone && self.ready.is_flood();
        while members.len() < max {
            let next = if alone { self.ready.pop_of_first() } else { self.ready.pop() };
            let Some(member) = next else { break };
            let waits = member.newer_since.is_some();
            if waits && members.is_empty() {
                members.push(member);
                break;
            }
            if !waits && self.ids.insert(member.payload.key().id) {
                members.push(member);
            } else {
                left.push(member);
            }
        }

        left.into_iter().rev().for_each(|member| self.ready.push_front(member));
        if alone {
            self.ready.pass_turn();
        }
        if members.is_empty() && self.letters.is_empty() {
            return None;
        }
        self.since = self.since.filter(|_| self.ready.len() > 0);
        Some(Load { members, letters: std::mem::take(&mut self.letters), alone })
    }

    /// Gives everything up and tells the slot of each message's and letter's frame.
    pub(super) fn clear(&mut self) -> Vec<u32> {
        self.since = None;
        let waiting = std::mem::take(&mut self.waiting).into_values().flatten();
        let ready = std::iter::from_fn(|| self.ready.pop_of_first());
        let members = ready.chain(waiting).map(|member| member.origin.slot);
        members.chain(self.letters.drain(..).map(|(slot, _)| slot)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::ids::TenantId;
    use serde::{Deserialize, Serialize};
    use tokio::time::advance;
    use wire::frame::MemberKey;

    use super::{super::held::Origin, *};

    const LINGER: Duration = Duration::from_millis(20);

    #[derive(Clone, Serialize, Deserialize)]
    struct Item(TenantId, u128);

    impl Payload for Item {
        fn key(&self) -> MemberKey {
            MemberKey { id: Uuid::from_u128(self.1), turn: 1, body: 0 }
        }

        fn tenant(&self) -> Option<&TenantId> {
            Some(&self.0)
        }
    }

    fn member(id: u128) -> Member<Item> {
        let tenant = "acme".parse().expect("a tenant");
        let origin = Arc::new(Origin { slot: 0, subject: "msg".into() });
        Member { payload: Item(tenant, id), origin, attempts: 0, newer_since: None }
    }

    fn ids(load: Option<Load<Item>>) -> Vec<u128> {
        load.map_or(Vec::new(), |load| load.members.iter().map(|one| one.payload.1).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_begins_when_it_is_full_or_its_oldest_message_has_lingered() {
        let mut queue = Queue::new(100, 1);
        assert_eq!(queue.begins(3, true, LINGER), None);

        let start = Instant::now();
        queue.push(member(1));
        advance(LINGER / 2).await;
        queue.push(member(2));
        assert_eq!(queue.begins(3, true, LINGER), Some(start + LINGER));

        queue.push(member(3));
        assert_eq!(queue.begins(3, true, LINGER), Some(start));
        assert_eq!(ids(queue.batch(3, true)), [1, 2, 3]);
        assert_eq!(queue.begins(3, true, LINGER), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_full_batch_leaves_behind_has_lingered_already() {
        let mut queue = Queue::new(100, 1);
        let start = Instant::now();
        (1..=4).for_each(|id| queue.push(member(id)));
        advance(LINGER).await;

        assert_eq!(ids(queue.batch(3, true)), [1, 2, 3]);
        assert_eq!(queue.begins(3, true, LINGER), Some(start + LINGER));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_whose_wait_is_over_lingers_like_a_new_one() {
        let mut queue = Queue::new(100, 1);
        queue.wait(member(1), Instant::now() + LINGER);
        assert_eq!(queue.begins(3, true, LINGER), None);

        advance(2 * LINGER).await;
        queue.wake(Instant::now());
        assert_eq!(queue.begins(3, true, LINGER), Some(Instant::now() + LINGER));
    }

    #[test]
    fn tenants_take_turns_and_each_keeps_its_order() {
        let mut queue = Queue::new(100, 1);
        let of = |tenant: &str, id| {
            let payload = Item(tenant.parse().expect("a tenant"), id);
            Member { payload, ..member(id) }
        };
        (1..=500).for_each(|id| queue.push(of("flood", id)));
        (501..=502).for_each(|id| queue.push(of("other", id)));

        assert_eq!(ids(queue.batch(3, true)), [1, 2, 3], "a batch of its own");
        assert_eq!(ids(queue.batch(3, true)), [501, 502]);
        assert_eq!(ids(queue.batch(3, true)), [4, 5, 6]);

        assert!(queue.begins(3, true, LINGER).is_some());
        assert_eq!(queue.begins(3, false, LINGER), None, "the flood has its places already");
        assert_eq!(ids(queue.batch(3, false)), []);

        (503..=505).for_each(|id| queue.push(of("third", id)));
        (506..=507).for_each(|id| queue.push(of("other", id)));
        assert_eq!(ids(queue.batch(400, true)), (7..=406).collect::<Vec<_>>());
        assert_eq!(ids(queue.batch(400, true))[..6], [503, 506, 407, 504, 507, 408]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_waits_for_a_newer_version_is_handed_over_alone() {
        let mut queue = Queue::new(100, 1);
        let waits = |id| Member { newer_since: Some(Instant::now()), ..member(id) };
        [member(1), waits(2), member(3), waits(4)].into_iter().for_each(|one| queue.push(one));

        assert_eq!(ids(queue.batch(9, true)), [1, 3]);
        assert_eq!(ids(queue.batch(9, true)), [2]);
        assert_eq!(ids(queue.batch(9, true)), [4]);
        assert_eq!(ids(queue.batch(9, true)), []);
    }

    #[test]
    fn two_messages_of_one_id_are_never_in_one_batch() {
        let mut queue = Queue::new(100, 1);
        [1, 2, 1].into_iter().for_each(|id| queue.push(member(id)));

        assert_eq!(ids(queue.batch(9, true)), [1, 2]);
        assert_eq!(ids(queue.batch(9, true)), [1]);
    }
}
