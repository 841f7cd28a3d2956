//! One hand-over while the stage works on it: which messages are answered, which wait, and what is
//! settled but not published yet.

use std::sync::Arc;

use stage::{Batch, outcome::Outcome};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};
use wire::frame::{Outgoing, Payload};

use super::held::{Member, Origin};

/// One hand-over while the stage works on it.
pub(super) struct Open<P> {
    /// The payloads, shared with the stage's batch.
    pub(super) items: Arc<Vec<P>>,
    /// What is known of each payload, in the same order.
    pub(super) handed: Vec<Handed>,
}

/// One message of a hand-over, without its payload.
#[derive(Clone)]
pub(super) struct Handed {
    pub(super) origin: Arc<Origin>,
    /// How often it was handed over, this time included.
    pub(super) attempts: u32,
    /// Since when it waits for a newer version of the stage.
    pub(super) newer_since: Option<Instant>,
    pub(super) state: State,
}

/// Where a message of a hand-over stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The stage has not answered it.
    Unanswered,
    /// The stage wants it again at this instant.
    Waiting(Instant),
    /// It is settled, or back in the lane's queue.
    Through,
}

/// What is settled and not published yet.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) outgoing: Vec<Outgoing>,
    /// The messages that are through once all of `outgoing` is stored, by the slot of their frame.
    pub(super) done: Vec<u32>,
    /// When the oldest of them was settled.
    pub(super) since: Option<Instant>,
}

impl Settled {
    /// One message is settled: it is through once this is published.
    pub(super) fn add(&mut self, slot: u32, outgoing: Vec<Outgoing>) {
        self.since.get_or_insert_with(Instant::now);
        self.outgoing.extend(outgoing);
        self.done.push(slot);
    }
}

/// The stage's answers: index and outcome.
type Answers = UnboundedReceiver<(usize, Outcome)>;

impl<P: Payload> Open<P> {
    /// Begins a hand-over: gives the batch for the stage, and where its answers arrive.
    pub(super) fn new(members: Vec<Member<P>>) -> (Self, Batch<P>, Answers) {
        let mut items = Vec::with_capacity(members.len());
        let mut handed = Vec::with_capacity(members.len());
        for Member { payload, origin, attempts, newer_since } in members {
            items.push(payload);
            let state = State::Unanswered;
            handed.push(Handed { origin, attempts: attempts + 1, newer_since, state });
        }

        let items = Arc::new(items);
        let (batch, answers) = Batch::shared(Arc::clone(&items));
        (Self { items, handed }, batch, answers)
    }

    /// When the first of the waits is over.
    pub(super) fn next_wait(&self) -> Option<Instant> {
        let waiting = self.handed.iter().filter_map(|one| match one.state {
            State::Waiting(due) => Some(due),
            State::Unanswered | State::Through => None,
        });
        waiting.min()
    }

    /// Takes out the messages whose wait is over, each with when it was.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(Member<P>, Instant)> {
        let mut taken = Vec::new();
        for (handed, payload) in self.handed.iter_mut().zip(self.items.iter()) {
            if let State::Waiting(due) = handed.state
                && due <= now
            {
                handed.state = State::Through;
                taken.push((handed.clone().member(payload.clone()), due));
            }
        }
        taken
    }

    /// Takes the messages back: those that wait go to `again`, those without an answer are given
    /// back. They are moved; a stage that kept its batch has them copied.
    pub(super) fn close(self, mut again: impl FnMut(Member<P>, Instant)) -> Vec<Member<P>> {
        if self.handed.iter().all(|one| one.state == State::Through) {
            return Vec::new();
        }

        let items = Arc::try_unwrap(self.items).unwrap_or_else(|shared| (*shared).clone());
        let mut unanswered = Vec::new();
        for (payload, handed) in items.into_iter().zip(self.handed) {
            let state = handed.state;
            let member = handed.member(payload);
            match state {
                State::Waiting(due) => again(member, due),
                State::Unanswered => unanswered.push(member),
                State::Through => {}
            }
        }
        unanswered
    }
}

impl Handed {
    /// Puts the message together again.
    pub(super) fn member<P>(self, payload: P) -> Member<P> {
        let Self { origin, attempts, newer_since, .. } = self;
        Member { payload, origin, attempts, newer_since }
    }
}
