//! How many carrier calls may be under way in this process: over all, of the bulk lane (so that an
//! urgent message always finds one), and of one account (so that a slow one leaves some).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::message::class::Lane;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// The longest that a chunk of the bulk lane waits to become bigger once one call could begin; of
/// the urgent lane a quarter of it.
const LINGER: Duration = Duration::from_millis(20);

/// The permits of a process.
#[derive(Debug)]
pub(crate) struct Permits {
    total: usize,
    in_use: Mutex<InUse>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct InUse {
    all: usize,
    bulk: usize,
    accounts: HashMap<String, usize>,
}

/// One call; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    lane: Lane,
    account: String,
}

// === impl Permits ===

impl Permits {
    /// So many calls at once, at least 4.
    pub(crate) fn new(total: usize) -> Arc<Self> {
        let in_use = Mutex::default();
        Arc::new(Self { total: total.max(4), in_use, freed: Notify::new() })
    }

    /// Takes permits for as many of the waiting as there are free ones, in their order; waits until
    /// there is one, and a little longer where a bigger chunk may come of it. `account_of` names
    /// the account of a waiting message.
    pub(crate) async fn take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        account_of: impl Fn(usize) -> &'a str,
    ) -> Vec<(usize, Permit)> {
        let enough = waiting.len().min(self.total / 2);
        let linger = if lane == Lane::Urgent { LINGER / 4 } else { LINGER };
        let deadline = Instant::now() + linger;

        loop {
            let freed = self.freed.notified();
            let late = Instant::now() >= deadline;
            let taken = self.try_take(lane, waiting, &account_of, if late { 1 } else { enough });
            if !taken.is_empty() {
                return taken;
            }

            // Woken, or late: either way it looks again.
            let until = if late { Instant::now() + linger } else { deadline };
            let _ = timeout_at(until, freed).await;
        }
    }

    /// At least `enough` permits, or none.
    fn try_take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        account_of: &impl Fn(usize) -> &'a str,
        enough: usize,
    ) -> Vec<(usize, Permit)> {
        let mut in_use = self.lock();
        if self.free(&in_use, lane) < enough {
            return Vec::new();
        }

        let mut taken = Vec::new();
        waiting.retain(|&index| {
            let account = account_of(index);
            let used = in_use.accounts.get(account).copied().unwrap_or(0);
            if self.free(&in_use, lane) == 0 || used >= self.per_account() {
                return true;
            }

            in_use.count(lane, account);
            let permits = Arc::clone(self);
            taken.push((index, Permit { permits, lane, account: account.to_owned() }));
            false
        });

        taken
    }

    fn free(&self, in_use: &InUse, lane: Lane) -> usize {
        let all = self.total - in_use.all;
        match lane {
            Lane::Urgent => all,
            Lane::Bulk => all.min((self.total - self.total / 4).saturating_sub(in_use.bulk)),
        }
    }

    fn per_account(&self) -> usize {
        self.total - self.total / 4
    }

    fn lock(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl InUse ===

impl InUse {
    fn count(&mut self, lane: Lane, account: &str) {
        self.all += 1;
        self.bulk += usize::from(lane == Lane::Bulk);
        match self.accounts.get_mut(account) {
            Some(used) => *used += 1,
            None => drop(self.accounts.insert(account.to_owned(), 1)),
        }
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        let mut in_use = self.permits.lock();
        in_use.all -= 1;
        in_use.bulk -= usize::from(self.lane == Lane::Bulk);
        if let Some(used) = in_use.accounts.get_mut(&self.account) {
            *used -= 1;
            if *used == 0 {
                in_use.accounts.remove(&self.account);
            }
        }

        // Whoever waits looks again after a linger anyway; waking it for each permit would cost
        // more than it gives.
        let worth_a_look = in_use.all == 0 || in_use.all.is_multiple_of(self.permits.total / 4);
        drop(in_use);
        if worth_a_look {
            self.permits.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexes(taken: &[(usize, Permit)]) -> Vec<usize> {
        taken.iter().map(|(index, _)| *index).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_chunk_is_as_big_as_there_are_free_permits() {
        let permits = Permits::new(16);
        let mut waiting: VecDeque<usize> = (0..40).collect();
        let account = |index: usize| if index.is_multiple_of(2) { "even" } else { "odd" };

        let first = permits.take(Lane::Urgent, &mut waiting, account).await;
        assert_eq!(indexes(&first), (0..16).collect::<Vec<_>>());

        let mut rest = first;
        rest.truncate(10);
        let second = permits.take(Lane::Urgent, &mut waiting, account).await;
        assert_eq!(indexes(&second), (16..22).collect::<Vec<_>>());
        assert_eq!(waiting.len(), 18);
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_never_takes_all_permits_and_bulk_leaves_some_to_urgent() {
        let permits = Permits::new(16);
        let mut slow: VecDeque<usize> = (0..40).collect();
        let held = permits.take(Lane::Urgent, &mut slow, |_| "slow").await;
        assert_eq!(held.len(), 12);

        let other = permits.take(Lane::Urgent, &mut VecDeque::from([1]), |_| "other").await;
        assert_eq!(other.len(), 1);
        drop((held, other));

        let mut bulk: VecDeque<usize> = (0..40).collect();
        let held = permits.take(Lane::Bulk, &mut bulk, |i| if i < 20 { "a" } else { "b" }).await;
        assert_eq!(held.len(), 12);

        let urgent = permits.take(Lane::Urgent, &mut VecDeque::from([1]), |_| "c").await;
        assert_eq!(urgent.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_comes_back_is_taken_by_whoever_waits() {
        let permits = Permits::new(4);
        let mut waiting: VecDeque<usize> = (0..4).collect();
        let mut held =
            permits.take(Lane::Urgent, &mut waiting, |i| if i < 2 { "a" } else { "b" }).await;
        assert_eq!(held.len(), 4);

        let mut late = VecDeque::from([9]);
        let waits = permits.take(Lane::Urgent, &mut late, |_| "a");
        let frees = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            held.pop();
        };

        let (taken, ()) = tokio::join!(waits, frees);
        assert_eq!(indexes(&taken), [9]);
    }
}
