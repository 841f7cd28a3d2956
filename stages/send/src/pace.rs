//! The pace rows of one chunk: who may be called now, by the one pace arithmetic of `domain::gcra`,
//! in database time, under the rows' locks.

use std::collections::HashMap;

use domain::{
    gcra::{Gcra, Slot, time_of},
    ids::{SenderId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use store::capacity::pace::PaceLock;

/// How far a sender may run ahead of its pace, so that a chunk goes out in one claim.
pub(crate) const BURST: SignedDuration = SignedDuration::from_millis(250);

/// How long a sender rests whose row could not be locked.
const WITHOUT_A_ROW: SignedDuration = SignedDuration::from_secs(1);

/// The paces of one chunk.
#[derive(Debug)]
pub(crate) struct Paces {
    now: Timestamp,
    senders: HashMap<(TenantId, SenderId), SenderPace>,
    /// Until when accounts rest whose carrier asked to be called less.
    accounts: HashMap<(TenantId, String), Timestamp>,
}

#[derive(Debug)]
struct SenderPace {
    gcra: Gcra,
    moved: bool,
}

// === impl Paces ===

impl Paces {
    /// The rows as locked. `now` is the database's clock once all locks were held.
    pub(crate) fn new(now: Timestamp, locks: Vec<PaceLock>) -> Self {
        let mut paces = Self { now, senders: HashMap::new(), accounts: HashMap::new() };
        for lock in locks {
            if let Some(id) = lock.key.strip_prefix("sender:").and_then(|id| id.parse().ok()) {
                let pace = SenderPace { gcra: Gcra::resume(lock.next_free, now), moved: false };
                paces.senders.insert((lock.tenant, id), pace);
            } else if let Some(account) = lock.key.strip_prefix("account:") {
                paces.accounts.insert((lock.tenant, account.into()), lock.next_free);
            }
        }
        paces
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

    /// Asks for a text's turn. `pace` is in segments per second.
    pub(crate) fn ask(
        &mut self,
        tenant: &TenantId,
        (sender, account): (SenderId, &str),
        segments: u16,
        pace: u32,
    ) -> Slot {
        let rests_until = self.accounts.get(&(tenant.clone(), account.to_owned()));
        let rest = rests_until.map(|until| until.duration_since(self.now));
        if let Some(rest) = rest.filter(|rest| rest.is_positive()) {
            return Slot::After(rest);
        }

        // The row was made before it was locked. Without it nothing goes.
        let Some(known) = self.senders.get_mut(&(tenant.clone(), sender)) else {
            return Slot::After(WITHOUT_A_ROW);
        };
        let slot = known.gcra.ask(self.now, time_of(segments, pace), BURST);
        known.moved |= slot == Slot::Now;
        slot
    }

    /// The rows that have moved, in key order.
    pub(crate) fn moved(self) -> Vec<PaceLock> {
        let moved = self.senders.into_iter().filter(|(_, pace)| pace.moved);
        let mut rows: Vec<PaceLock> = moved
            .map(|((tenant, sender), pace)| PaceLock {
                tenant,
                key: Self::sender_key(sender),
                next_free: pace.gcra.next_free(),
            })
            .collect();
        rows.sort_unstable_by(|a, b| (&a.tenant, &a.key).cmp(&(&b.tenant, &b.key)));
        rows
    }
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

    fn sender_line(now: i64, next_free: i64) -> Paces {
        Paces::new(at(now), vec![lock(Paces::sender_key(SENDER), next_free)])
    }

    fn ask(pace: &mut Paces, segments: u16, per_second: u32) -> Slot {
        pace.ask(&tenant(), (SENDER, "main"), segments, per_second)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_waits_its_turn() {
        let mut pace = sender_line(0, -60_000);
        let slots: Vec<Slot> = (0..6).map(|_| ask(&mut pace, 1, 10)).collect();
        let wait = |millis| Slot::After(SignedDuration::from_millis(millis));
        assert_eq!(slots, [Slot::Now, Slot::Now, Slot::Now, wait(50), wait(150), wait(250)]);
        let moved = pace.moved();
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0].next_free, at(300), "an idle minute is not saved up");
    }

    #[test]
    fn over_a_long_time_no_more_goes_than_the_pace_and_one_burst() {
        let (mut rows, mut sent) = (vec![lock(Paces::sender_key(SENDER), 0)], 0);
        for now in (0..20_000).step_by(37) {
            let mut pace = Paces::new(at(now), rows.clone());
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
        assert_eq!(ask(&mut pace, 1, 1), Slot::After(SignedDuration::from_millis(9_750)));
    }

    #[test]
    fn an_account_that_asked_to_be_called_less_holds_all_of_its_senders() {
        let locks = vec![lock(Paces::sender_key(SENDER), 0), lock(Paces::account_key("main"), 700)];
        let mut pace = Paces::new(at(0), locks);
        assert_eq!(ask(&mut pace, 1, 100), Slot::After(SignedDuration::from_millis(700)));
        assert_eq!(pace.ask(&tenant(), (SENDER, "other"), 1, 100), Slot::Now);
    }

    #[test]
    fn without_a_row_nothing_goes() {
        let mut pace = Paces::new(at(0), Vec::new());
        assert_eq!(ask(&mut pace, 1, 100), Slot::After(SignedDuration::from_secs(1)));
    }
}
