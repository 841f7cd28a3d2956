//! Which of two bodies under one key comes first, where this process has both in hand: the one that
//! was accepted first. The keys in Postgres let whoever comes first stand; while the database is
//! away, batches try it again in any order, and the later of two could find it back first. So a
//! later body waits here until the earlier one is stored.
//!
//! It holds for one process. Of two that have a body each, the first to store it is the first. The
//! keys stay what "once" rests on: what is here may be lost at any time.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use wire::Submitted;

/// How long a key is kept for a body that nobody has handed over again: longer than the longest
/// back-off after an outage. What was given up, or became a dead letter, holds nobody up for more.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// From so many keys on, those that were kept for too long are looked for: twice what both lanes of
/// a process hold.
const MANY: usize = 8_192;

/// The keys whose first bodies this process has in hand.
#[derive(Default)]
pub(crate) struct Firsts {
    held: Mutex<HashMap<Uuid, Holder>>,
    claims: AtomicU64,
}

/// The body that a key is held for.
struct Holder {
    body: Box<str>,
    accepted_at: Timestamp,
    /// The claim that took it last.
    claim: u64,
    /// Machine time of that.
    taken_at: Timestamp,
}

/// What one hand-over may store.
pub(crate) struct Claim {
    number: u64,
    /// Of each message, whether an earlier body of its key is to be stored before.
    waits: Vec<bool>,
}

impl Claim {
    /// Whether a message waits, by its index.
    pub(crate) fn waits(&self, index: usize) -> bool {
        self.waits[index]
    }
}

impl Firsts {
    /// Takes the keys of messages that are handed over, where no earlier body has them. Bodies of
    /// one hand-over do not wait for each other: they are stored in its order.
    pub(crate) fn claim(&self, machine: Timestamp, messages: &[Submitted]) -> Claim {
        let number = self.claims.fetch_add(1, Ordering::Relaxed);
        let mut held = self.held();
        if held.len() >= MANY {
            held.retain(|_, holder| !holder.is_stale(machine));
        }

        let mut waits = Vec::with_capacity(messages.len());
        for message in messages {
            let accepted_at = message.head.submitted_at;
            let comes_before = |holder: &Holder, body: &str| {
                holder.claim != number
                    && *holder.body != *body
                    && holder.accepted_at <= accepted_at
                    && !holder.is_stale(machine)
            };
            let is_behind = keys(message)
                .any(|(key, body)| held.get(&key).is_some_and(|one| comes_before(one, body)));
            waits.push(is_behind);
            if is_behind {
                continue;
            }

            for (key, body) in keys(message) {
                let known = held.get(&key);
                // The first of one hand-over keeps it.
                if known.is_some_and(|holder| holder.claim == number) {
                    continue;
                }
                // A copy is as old as what it repeats.
                let same = known.filter(|holder| *holder.body == *body);
                let accepted_at = same.map_or(accepted_at, |one| one.accepted_at.min(accepted_at));
                let (body, taken_at) = (body.into(), machine);
                held.insert(key, Holder { body, accepted_at, claim: number, taken_at });
            }
        }
        Claim { number, waits }
    }

    /// Whether no earlier body has taken a key of a claim meanwhile.
    pub(crate) fn stands(&self, claim: &Claim, messages: &[Submitted]) -> bool {
        let held = self.held();
        let earlier = |message: &Submitted| {
            let accepted_at = message.head.submitted_at;
            keys(message).any(|(key, body)| {
                held.get(&key).is_some_and(|holder| {
                    holder.claim != claim.number
                        && *holder.body != *body
                        && holder.accepted_at < accepted_at
                })
            })
        };
        !claim.of(messages).any(earlier)
    }

    /// Lets the keys of a claim go, once its bodies are stored: from now on the rows tell.
    pub(crate) fn release(&self, claim: &Claim, messages: &[Submitted]) {
        let mut held = self.held();
        for (key, body) in claim.of(messages).flat_map(keys) {
            if held.get(&key).is_some_and(|holder| *holder.body == *body) {
                held.remove(&key);
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, Holder>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Those of the messages that do not wait.
    fn of<'m>(&self, messages: &'m [Submitted]) -> impl Iterator<Item = &'m Submitted> {
        messages.iter().zip(&self.waits).filter(|(_, waits)| !**waits).map(|(message, _)| message)
    }
}

impl Holder {
    fn is_stale(&self, machine: Timestamp) -> bool {
        machine.duration_since(self.taken_at) > KEPT
    }
}

/// The keys that name a message, each with the body that it names: its own id, and its batch. Ids
/// of no key, which are of version 7, and those of campaigns never have a second body.
fn keys(message: &Submitted) -> impl Iterator<Item = (Uuid, &str)> {
    let id = message.head.id.0;
    let is_named = id.get_version_num() == 5 && message.head.campaign.is_none();
    let own = is_named.then_some((id, message.body_hash.as_str()));
    let batch = message.batch.as_ref().map(|batch| (batch.id, batch.body_hash.as_str()));
    own.into_iter().chain(batch)
}

#[cfg(test)]
mod tests {
    use domain::ids::MessageId;
    use testkit::world::submitted;
    use wire::message::BatchKey;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    /// A message under this key, accepted at this second.
    fn message(key: &str, text: &str, second: i64) -> Submitted {
        let tenant = "acme".parse().expect("a tenant");
        let mut message = submitted(&tenant, 1, text).with_body_hash();
        message.head.id = MessageId::from_key(&tenant, key);
        message.head.submitted_at = at(second);
        message
    }

    #[test]
    fn a_later_body_waits_until_the_first_is_stored_however_often_that_is_tried() {
        let firsts = Firsts::default();
        let (first, second) = ([message("k", "first", 1)], [message("k", "second", 2)]);

        assert!(!firsts.claim(at(1), &first).waits(0));
        assert!(firsts.claim(at(2), &second).waits(0));
        // The database is away: the first is tried again, and so is the second.
        let again = firsts.claim(at(40), &first);
        assert!(!again.waits(0));
        assert!(firsts.claim(at(80), &second).waits(0));

        assert!(firsts.stands(&again, &first));
        firsts.release(&again, &first);
        assert!(!firsts.claim(at(81), &second).waits(0), "the row tells now");
    }

    #[test]
    fn a_later_body_that_was_handed_over_first_gives_way() {
        let firsts = Firsts::default();
        let (first, second) = ([message("k", "first", 1)], [message("k", "second", 2)]);

        let later = firsts.claim(at(3), &second);
        assert!(firsts.stands(&later, &second));
        assert!(!firsts.claim(at(3), &first).waits(0));

        assert!(!firsts.stands(&later, &second));
        assert!(firsts.claim(at(3), &second).waits(0));
    }

    #[test]
    fn copies_and_other_keys_never_wait_and_what_was_given_up_holds_nobody_for_long() {
        let firsts = Firsts::default();
        let first = message("k", "first", 1);
        let own = [first.clone(), message("k", "second", 2)];
        let claim = firsts.claim(at(1), &own);
        assert!(!claim.waits(0) && !claim.waits(1), "one hand-over has its own order");

        assert!(!firsts.claim(at(2), &[first]).waits(0));
        assert!(!firsts.claim(at(2), &[message("other", "second", 2)]).waits(0));
        let second = [message("k", "third", 3)];
        assert!(firsts.claim(at(3), &second).waits(0));
        assert!(!firsts.claim(at(3) + KEPT, &second).waits(0));
    }

    #[test]
    fn every_item_of_a_later_batch_waits_for_the_first_batch_of_its_key() {
        let firsts = Firsts::default();
        let of = |batch: &str, key: &str, second| {
            let id = Uuid::from_u128(7);
            let batch = BatchKey { id, body_hash: batch.into() };
            Submitted { batch: Some(batch), ..message(key, "same", second) }
        };

        let claim = firsts.claim(at(1), &[of("one", "0", 1), of("one", "1", 1)]);
        assert!(!claim.waits(0) && !claim.waits(1));
        let later = firsts.claim(at(2), &[of("two", "0", 2), of("two", "2", 2)]);
        assert!(later.waits(0) && later.waits(1), "also an item that the first does not have");
    }
}
