//! One hand-over while the stage works on it: who was answered, who waits, what is to be said.

use std::sync::Arc;

use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};
use wire::frame::{Outgoing, Payload};

use super::held::{Member, Origin};
use stage::{Batch, outcome::Outcome};

/// One hand-over while the stage works on it.
pub(super) struct Open<P> {
    pub(super) items: Arc<Vec<P>>,
    pub(super) origins: Vec<Handed>,
    pub(super) answered: Vec<bool>,
    pub(super) waits: Vec<(usize, Instant)>,
}

/// What the runtime knows of a message that the stage works on.
#[derive(Clone)]
pub(super) struct Handed {
    pub(super) origin: Arc<Origin>,
    /// How often it was handed over, this time included.
    pub(super) attempts: u32,
    pub(super) newer_since: Option<Instant>,
}

/// What is settled and not published yet.
#[derive(Default)]
pub(super) struct Said {
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) done: Vec<u32>,
    pub(super) since: Option<Instant>,
}

impl Said {
    pub(super) fn add(&mut self, slot: u32, say: Vec<Outgoing>) {
        self.since.get_or_insert_with(Instant::now);
        self.outgoing.extend(say);
        self.done.push(slot);
    }
}

/// The stage's answers: index and outcome.
type Answers = UnboundedReceiver<(usize, Outcome)>;

impl<P: Payload> Open<P> {
    pub(super) fn new(members: Vec<Member<P>>) -> (Self, Batch<P>, Answers) {
        let mut items = Vec::with_capacity(members.len());
        let mut origins = Vec::with_capacity(members.len());
        for member in members {
            items.push(member.payload);
            origins.push(Handed {
                origin: member.origin,
                attempts: member.attempts + 1,
                newer_since: member.newer_since,
            });
        }
        let items = Arc::new(items);
        let (batch, answers) = Batch::shared(Arc::clone(&items));
        let answered = vec![false; items.len()];
        (Self { items, origins, answered, waits: Vec::new() }, batch, answers)
    }

    pub(super) fn next_wait(&self) -> Option<Instant> {
        self.waits.iter().map(|(_, due)| *due).min()
    }

    /// Takes the messages back: those that wait go to `again`, those without an answer are given
    /// back. They are moved; a stage that kept its batch has them copied.
    pub(super) fn close(self, mut again: impl FnMut(Member<P>, Instant)) -> Vec<Member<P>> {
        let unanswered = self.answered.contains(&false);
        if self.waits.is_empty() && !unanswered {
            return Vec::new();
        }
        let mut due = vec![None; self.answered.len()];
        for (index, when) in self.waits {
            due[index] = Some(when);
        }
        let items = Arc::try_unwrap(self.items).unwrap_or_else(|shared| (*shared).clone());
        let mut rest = Vec::new();
        for (index, (payload, handed)) in items.into_iter().zip(self.origins).enumerate() {
            let member = handed.member(payload);
            match due[index] {
                Some(when) => again(member, when),
                None if !self.answered[index] => rest.push(member),
                None => {}
            }
        }
        rest
    }
}

impl Handed {
    pub(super) fn member<P>(self, payload: P) -> Member<P> {
        let Self { origin, attempts, newer_since } = self;
        Member { payload, origin, attempts, newer_since }
    }
}
