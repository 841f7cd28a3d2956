//! How many carrier calls may be under way in this process: over all, of the bulk lane (so that an
//! urgent message always finds one), and of one account (so that a slow one leaves the others
//! theirs).

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

use crate::tempo::{SLOW, Tempo};

/// The longest that a chunk of the bulk lane waits to become bigger once one call could begin; of
/// the urgent lane a quarter of it.
const LINGER: Duration = Duration::from_millis(20);

/// How long an account that found no permit counts as one that waits.
const WANTS: Duration = Duration::from_millis(500);

/// Accounts that are remembered at most; those without a call are forgotten first.
const MOST_ACCOUNTS: usize = 10_000;

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
    accounts: HashMap<String, Account>,
}

/// What is known of one account.
#[derive(Debug, Default)]
struct Account {
    /// Its permits that somebody has.
    held: usize,
    tempo: Tempo,
    /// When it last found no permit.
    wanted_at: Option<Instant>,
}

/// One call; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    lane: Lane,
    account: String,
    /// When the call began, once it has.
    called_at: Option<Instant>,
}

/// What became of messages that wait for permits.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Those that have one.
    pub(crate) with: Vec<(usize, Permit)>,
    /// Those of slow accounts that have their share already: waiting is in vain.
    pub(crate) without: Vec<usize>,
}

// === impl Permits ===

impl Permits {
    /// So many calls at once, at least 4.
    pub(crate) fn new(total: usize) -> Arc<Self> {
        let in_use = Mutex::default();
        Arc::new(Self { total: total.max(4), in_use, freed: Notify::new() })
    }

    /// Takes permits for as many of the waiting as there are free ones, in their order; waits until
    /// there is one, and a little longer where a bigger chunk may come of it, but not beyond
    /// `until`. `account_of` names the account of a waiting message.
    pub(crate) async fn take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        until: Instant,
        account_of: impl Fn(usize) -> &'a str,
    ) -> Taken {
        let enough = waiting.len().min(self.total / 2);
        let linger = if lane == Lane::Urgent { LINGER / 4 } else { LINGER };
        let deadline = Instant::now() + linger;

        loop {
            let freed = self.freed.notified();
            let now = Instant::now();
            let late = now >= deadline;
            let taken = self.try_take(lane, waiting, &account_of, if late { 1 } else { enough });
            if !taken.with.is_empty() || !taken.without.is_empty() || now >= until {
                return taken;
            }

            // Woken, or late: either way it looks again.
            let next = if late { now + linger } else { deadline };
            let _ = timeout_at(next.min(until), freed).await;
        }
    }

    /// How many calls a second an account that is slow can have of its share; none for one that is
    /// not.
    pub(crate) fn slow_rate(&self, account: &str) -> Option<f64> {
        let (in_use, now) = (self.lock(), Instant::now());
        let median = in_use.accounts.get(account)?.tempo.median(now);
        let share = self.slow_share(&in_use, account, now);
        (median > SLOW).then(|| share as f64 / median.as_secs_f64())
    }

    /// At least `enough` permits, or none.
    fn try_take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        account_of: &impl Fn(usize) -> &'a str,
        enough: usize,
    ) -> Taken {
        let (mut in_use, now) = (self.lock(), Instant::now());
        let free = self.free(&in_use, lane);
        if free < enough {
            let without = waiting.iter().filter(|_| free == 0);
            without.for_each(|index| in_use.account(account_of(*index)).wanted_at = Some(now));
            return Taken::default();
        }

        let mut taken = Taken::default();
        waiting.retain(|&index| {
            let account = account_of(index);
            match self.look(&mut in_use, lane, account, now) {
                Look::Free => {
                    in_use.hold(lane, account);
                    let (permits, account) = (Arc::clone(self), account.to_owned());
                    taken.with.push((index, Permit { permits, lane, account, called_at: None }));
                    false
                }
                Look::Wait => true,
                Look::InVain => {
                    taken.without.push(index);
                    false
                }
            }
        });
        taken
    }

    /// Whether an account finds a permit. One that does not is noted as one that waits.
    fn look(&self, in_use: &mut InUse, lane: Lane, account: &str, now: Instant) -> Look {
        let others_wait = in_use.others_wait(account, now);
        let known = in_use.account(account);
        let (held, is_slow) = (known.held, known.tempo.median(now) > SLOW);
        if is_slow && held >= self.slow_share(in_use, account, now) {
            return Look::InVain;
        }
        if held >= self.share(others_wait) || self.free(in_use, lane) == 0 {
            in_use.account(account).wanted_at = Some(now);
            return Look::Wait;
        }
        Look::Free
    }

    fn free(&self, in_use: &InUse, lane: Lane) -> usize {
        let all = self.total - in_use.all;
        match lane {
            Lane::Urgent => all,
            Lane::Bulk => all.min((self.total - self.total / 4).saturating_sub(in_use.bulk)),
        }
    }

    /// How many calls of one account may be under way.
    fn share(&self, others_wait: bool) -> usize {
        if others_wait { self.total / 4 } else { self.total - self.total / 4 }
    }

    /// The same of one that is slow: a quarter of all, and its part of the half that slow accounts
    /// have together.
    fn slow_share(&self, in_use: &InUse, account: &str, now: Instant) -> usize {
        let of_half = self.total / 2 / (in_use.slow_others(account, now) + 1);
        of_half.clamp(1, self.total / 4)
    }

    fn lock(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// A permit that is free.
    Free,
    /// None now, and one soon.
    Wait,
    /// Its account is slow and has its share.
    InVain,
}

// === impl InUse ===

impl InUse {
    fn account(&mut self, handle: &str) -> &mut Account {
        if self.accounts.len() >= MOST_ACCOUNTS && !self.accounts.contains_key(handle) {
            self.accounts.retain(|_, account| account.held > 0);
        }
        // A copy of the handle is made for a new account alone.
        if !self.accounts.contains_key(handle) {
            self.accounts.insert(handle.to_owned(), Account::default());
        }
        self.accounts.get_mut(handle).expect("it was put there")
    }

    /// Whether another account found no permit a moment ago.
    fn others_wait(&self, handle: &str, now: Instant) -> bool {
        let waits = |account: &Account| account.wanted_at.is_some_and(|at| now - at < WANTS);
        self.accounts.iter().any(|(other, account)| other != handle && waits(account))
    }

    /// How many other accounts with calls are slow.
    fn slow_others(&self, handle: &str, now: Instant) -> usize {
        let is_slow = |account: &Account| account.held > 0 && account.tempo.median(now) > SLOW;
        self.accounts.iter().filter(|(other, account)| *other != handle && is_slow(account)).count()
    }

    fn hold(&mut self, lane: Lane, handle: &str) {
        self.all += 1;
        self.bulk += usize::from(lane == Lane::Bulk);
        self.account(handle).held += 1;
    }

    fn end(&mut self, permit: &Permit) {
        self.all -= 1;
        self.bulk -= usize::from(permit.lane == Lane::Bulk);
        let account = self.account(&permit.account);
        account.held -= 1;
        if let Some(called_at) = permit.called_at {
            account.tempo.end(called_at, Instant::now());
        }
    }
}

// === impl Permit ===

impl Permit {
    /// The call begins now: what the claim before it took is not the account's fault.
    pub(crate) fn begin_call(&mut self) {
        let now = Instant::now();
        self.called_at = Some(now);
        self.permits.lock().account(&self.account).tempo.begin(now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut in_use = self.permits.lock();
        in_use.end(self);

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

    const LONG: Duration = Duration::from_secs(3_600);

    async fn take(
        permits: &Arc<Permits>,
        lane: Lane,
        indexes: std::ops::Range<usize>,
        account: &'static str,
    ) -> Taken {
        let until = Instant::now() + LONG;
        permits.take(lane, &mut indexes.collect(), until, |_| account).await
    }

    fn indexes(taken: &Taken) -> Vec<usize> {
        taken.with.iter().map(|(index, _)| *index).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_chunk_is_as_big_as_there_are_free_permits() {
        let permits = Permits::new(16);
        let mut waiting: VecDeque<usize> = (0..40).collect();
        let account = |index: usize| if index.is_multiple_of(2) { "even" } else { "odd" };
        let until = Instant::now() + LONG;

        let first = permits.take(Lane::Urgent, &mut waiting, until, account).await;
        assert_eq!(indexes(&first), (0..16).collect::<Vec<_>>());

        let mut rest = first;
        rest.with.truncate(4);
        let second = permits.take(Lane::Urgent, &mut waiting, until, account).await;
        assert_eq!(second.with.len(), 4, "each has a quarter while the other waits");
        assert_eq!(waiting.len(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_never_takes_all_permits_and_bulk_leaves_some_to_urgent() {
        let permits = Permits::new(16);
        let held = take(&permits, Lane::Urgent, 0..40, "much").await;
        assert_eq!(held.with.len(), 12);

        let other = take(&permits, Lane::Urgent, 0..1, "other").await;
        assert_eq!(other.with.len(), 1);
        drop((held, other));
        tokio::time::advance(WANTS).await;

        let mut bulk: VecDeque<usize> = (0..40).collect();
        let until = Instant::now() + LONG;
        let account = |index: usize| if index < 20 { "a" } else { "b" };
        let held = permits.take(Lane::Bulk, &mut bulk, until, account).await;
        assert_eq!(held.with.len(), 12);
        assert_eq!(take(&permits, Lane::Urgent, 0..1, "c").await.with.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_account_has_a_quarter_and_what_is_beyond_does_not_wait() {
        let permits = Permits::new(16);
        let mut held = take(&permits, Lane::Urgent, 0..40, "slow").await;
        held.with.iter_mut().for_each(|(_, permit)| permit.begin_call());
        tokio::time::advance(Duration::from_secs(2)).await;
        held.with.truncate(3);
        assert_eq!(permits.slow_rate("slow"), Some(2.0), "four calls of two seconds");

        let more = take(&permits, Lane::Urgent, 50..60, "slow").await;
        assert_eq!((more.with.len(), more.without.len()), (1, 9));
        let other = take(&permits, Lane::Urgent, 0..12, "fast").await;
        assert_eq!(other.with.len(), 12, "the others have the rest");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_accounts_together_leave_half_of_all_calls() {
        let permits = Permits::new(16);
        let mut held = Vec::new();
        for slow in ["a", "b", "c", "d"] {
            let mut taken = take(&permits, Lane::Urgent, 0..3, slow).await;
            taken.with.iter_mut().for_each(|(_, permit)| permit.begin_call());
            held.push(taken);
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        let more = take(&permits, Lane::Urgent, 5..6, "a").await;
        assert_eq!((more.with.len(), more.without.len()), (0, 1), "each has two of eight");
        held.pop();
        assert_eq!(take(&permits, Lane::Urgent, 5..6, "fast").await.with.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_was_slow_once_has_a_call_beside_others_that_have_their_half() {
        let permits = Permits::new(16);
        let mut once = take(&permits, Lane::Urgent, 0..1, "once").await;
        once.with[0].1.begin_call();
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(once);

        let mut held = Vec::new();
        for slow in ["a", "b"] {
            let mut taken = take(&permits, Lane::Urgent, 0..4, slow).await;
            taken.with.iter_mut().for_each(|(_, permit)| permit.begin_call());
            held.push(taken);
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(take(&permits, Lane::Urgent, 5..6, "once").await.with.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_claim_takes_does_not_make_an_account_slow() {
        let permits = Permits::new(16);
        let held = take(&permits, Lane::Urgent, 0..4, "a").await;
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(permits.slow_rate("a"), None);
        drop(held);
        assert_eq!(permits.slow_rate("a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn while_others_wait_an_account_has_a_quarter() {
        let permits = Permits::new(16);
        let held = take(&permits, Lane::Urgent, 0..12, "a").await;
        let rest = take(&permits, Lane::Urgent, 0..4, "b").await;
        let until = Instant::now() + Duration::from_millis(50);
        let none = permits.take(Lane::Urgent, &mut VecDeque::from([9]), until, |_| "c").await;
        assert!(none.with.is_empty() && none.without.is_empty(), "in vain until then");

        drop((held, rest));
        assert_eq!(take(&permits, Lane::Urgent, 0..12, "a").await.with.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_comes_back_is_taken_by_whoever_waits() {
        let permits = Permits::new(4);
        let until = Instant::now() + LONG;
        let mut waiting: VecDeque<usize> = (0..4).collect();
        let account = |index: usize| if index < 2 { "a" } else { "b" };
        let mut held = permits.take(Lane::Urgent, &mut waiting, until, account).await;
        assert_eq!(held.with.len(), 4);

        let waits = take(&permits, Lane::Urgent, 9..10, "c");
        let frees = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            held.with.pop();
        };

        let (taken, ()) = tokio::join!(waits, frees);
        assert_eq!(indexes(&taken), [9]);
    }
}
