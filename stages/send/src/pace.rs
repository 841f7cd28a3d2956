//! When the next text of a sender may go: pure arithmetic on locked pace rows, in database time.
//!
//! A row's `next_free` is where the sender's texts so far end on the time line. A text may go while
//! that is at most [`BURST`] ahead of the clock, and moves it by its segments over the pace: so
//! texts that come together go together, and no span holds more than its share and one burst.

use std::{collections::HashMap, time::Duration};

use domain::ids::{SenderId, TenantId};
use jiff::{SignedDuration, Timestamp};
use store::capacity::pace::PaceLock;

/// How far a sender may run ahead of its pace, so that a chunk goes out in one claim.
pub(crate) const BURST: SignedDuration = SignedDuration::from_millis(250);

/// When a text may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Now; the line has been moved.
    Now,
    /// After this long, behind the others of this chunk.
    After(Duration),
}

/// The lines of one chunk.
#[derive(Debug)]
pub(crate) struct Pace {
    now: Timestamp,
    senders: HashMap<(TenantId, SenderId), Line>,
    accounts: HashMap<(TenantId, String), Timestamp>,
}

#[derive(Debug)]
struct Line {
    /// Where the texts claimed so far end.
    next_free: Timestamp,
    /// Where the next one that has to wait would begin.
    queue: Timestamp,
    moved: bool,
}

// === impl Pace ===

impl Pace {
    /// The lines as locked. `now` is the database's clock once all locks were held.
    pub(crate) fn new(now: Timestamp, locks: Vec<PaceLock>) -> Self {
        let mut pace = Self { now, senders: HashMap::new(), accounts: HashMap::new() };
        for lock in locks {
            let next_free = lock.next_free;
            if let Some(id) = lock.key.strip_prefix("sender:").and_then(|id| id.parse().ok()) {
                let line = Line { next_free, queue: next_free.max(now), moved: false };
                pace.senders.insert((lock.tenant, id), line);
            } else if let Some(account) = lock.key.strip_prefix("account:") {
                pace.accounts.insert((lock.tenant, account.into()), next_free);
            }
        }
        pace
    }

    /// The key of a sender's row.
    pub(crate) fn sender_key(sender: SenderId) -> String {
        format!("sender:{sender}")
    }

    /// The key of an account's row.
    pub(crate) fn account_key(account: &str) -> String {
        format!("account:{account}")
    }

    /// The database's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks for a text's place. `pace` is in segments per second.
    pub(crate) fn ask(
        &mut self,
        tenant: &TenantId,
        (sender, account): (SenderId, &str),
        segments: u16,
        pace: u32,
    ) -> Slot {
        let slowed = self.accounts.get(&(tenant.clone(), account.to_owned()));
        if let Some(pause) = slowed.and_then(|free| ahead(*free, self.now)) {
            return Slot::After(pause);
        }
        let Some(line) = self.senders.get_mut(&(tenant.clone(), sender)) else {
            // The row was made before it was locked. Without it nothing goes.
            return Slot::After(Duration::from_secs(1));
        };
        let cost = cost(segments, pace);
        if let Some(wait) = ahead(line.queue, later(self.now, BURST)) {
            line.queue = later(line.queue, cost);
            return Slot::After(wait);
        }
        line.next_free = later(line.next_free.max(self.now), cost);
        line.queue = line.next_free;
        line.moved = true;
        Slot::Now
    }

    /// The rows that have moved, in key order.
    pub(crate) fn moved(self) -> Vec<PaceLock> {
        let moved = self.senders.into_iter().filter(|(_, line)| line.moved);
        let mut rows: Vec<PaceLock> = moved
            .map(|((tenant, sender), line)| PaceLock {
                tenant,
                key: Self::sender_key(sender),
                next_free: line.next_free,
            })
            .collect();
        rows.sort_unstable_by(|a, b| (&a.tenant, &a.key).cmp(&(&b.tenant, &b.key)));
        rows
    }
}

fn cost(segments: u16, pace: u32) -> SignedDuration {
    let micros = i64::from(segments.max(1)) * 1_000_000;
    SignedDuration::from_micros(micros.div_euclid(i64::from(pace.max(1))).max(1))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How far `at` lies after `now`; none if it does not.
fn ahead(at: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(now)).ok().filter(|ahead| !ahead.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: SenderId = SenderId(uuid::Uuid::nil());

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).expect("in range")
    }

    fn tenant() -> TenantId {
        "acme".parse().expect("valid")
    }

    fn lock(key: String, next_free: i64) -> PaceLock {
        PaceLock { tenant: tenant(), key, next_free: at(next_free) }
    }

    fn sender_line(now: i64, next_free: i64) -> Pace {
        Pace::new(at(now), vec![lock(Pace::sender_key(SENDER), next_free)])
    }

    fn ask(pace: &mut Pace, segments: u16, per_second: u32) -> Slot {
        pace.ask(&tenant(), (SENDER, "main"), segments, per_second)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_waits_its_turn() {
        let mut pace = sender_line(0, -60_000);
        let slots: Vec<Slot> = (0..6).map(|_| ask(&mut pace, 1, 10)).collect();
        let wait = |millis| Slot::After(Duration::from_millis(millis));
        assert_eq!(slots, [Slot::Now, Slot::Now, Slot::Now, wait(50), wait(150), wait(250)]);
        let moved = pace.moved();
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0].next_free, at(300), "an idle minute is not saved up");
    }

    #[test]
    fn over_a_long_time_no_more_goes_than_the_pace_and_one_burst() {
        let (mut rows, mut sent) = (vec![lock(Pace::sender_key(SENDER), 0)], 0);
        for now in (0..20_000).step_by(37) {
            let mut pace = Pace::new(at(now), rows.clone());
            while ask(&mut pace, 2, 30) == Slot::Now {
                sent += 2;
            }
            let moved = pace.moved();
            rows = if moved.is_empty() { rows } else { moved };
        }
        assert!((600..=610).contains(&sent), "20 s at 30 a second, and {sent} went");
    }

    #[test]
    fn a_long_text_goes_when_its_turn_comes_and_holds_the_next_back_for_all_of_it() {
        let mut pace = sender_line(0, 0);
        assert_eq!(ask(&mut pace, 10, 1), Slot::Now);
        assert_eq!(ask(&mut pace, 1, 1), Slot::After(Duration::from_millis(9_750)));
    }

    #[test]
    fn an_account_that_asked_to_be_called_less_holds_all_of_its_senders() {
        let locks = vec![lock(Pace::sender_key(SENDER), 0), lock(Pace::account_key("main"), 700)];
        let mut pace = Pace::new(at(0), locks);
        assert_eq!(ask(&mut pace, 1, 100), Slot::After(Duration::from_millis(700)));
        assert_eq!(pace.ask(&tenant(), (SENDER, "other"), 1, 100), Slot::Now);
    }

    #[test]
    fn without_a_row_nothing_goes() {
        let mut pace = Pace::new(at(0), Vec::new());
        assert_eq!(ask(&mut pace, 1, 100), Slot::After(Duration::from_secs(1)));
    }
}
