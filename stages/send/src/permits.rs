//! The calls that this process may have under way at once. Who may have one more, `spread` says;
//! here messages wait for it, and give it back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{ids::TenantId, message::class::Lane};
use store::capacity::pace::SeenRate;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    spread::{Look, Spread},
    under_way::{Payer, UnderWay},
};

/// The longest that a chunk of the bulk lane waits to become bigger once one call could begin; of
/// the urgent lane a quarter of it.
const LINGER: Duration = Duration::from_millis(20);

/// The permits of a process.
#[derive(Debug)]
pub(crate) struct Permits {
    total: usize,
    under_way: Mutex<UnderWay>,
    freed: Notify,
}

/// One call; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    lane: Lane,
    account: String,
    tenant: TenantId,
    /// When the call began, once it has.
    called_at: Option<Instant>,
}

/// What became of messages that wait for permits.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Those that have one.
    pub(crate) with: Vec<(usize, Permit)>,
    /// Those for which waiting is in vain: slow accounts have their share already.
    pub(crate) without: Vec<usize>,
}

// === impl Permits ===

impl Permits {
    /// So many calls at once, at least 4.
    pub(crate) fn new(total: usize) -> Arc<Self> {
        let under_way = Mutex::default();
        Arc::new(Self { total: total.max(4), under_way, freed: Notify::new() })
    }

    /// Takes permits for as many of the waiting as there are free ones, in their order; waits until
    /// there is one, and a little longer where a bigger chunk may come of it, but not beyond
    /// `until`. `payer_of` names the account and the tenant of a waiting message.
    pub(crate) async fn take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        until: Instant,
        payer_of: impl Fn(usize) -> Payer<'a>,
    ) -> Taken {
        let enough = waiting.len().min(self.total / 2);
        let linger = if lane == Lane::Urgent { LINGER / 4 } else { LINGER };
        let deadline = Instant::now() + linger;

        loop {
            let freed = self.freed.notified();
            let now = Instant::now();
            let late = now >= deadline;
            let taken = self.try_take(lane, waiting, &payer_of, if late { 1 } else { enough });
            if !taken.with.is_empty() || !taken.without.is_empty() || now >= until {
                return taken;
            }

            // Woken, or late: either way it looks again.
            let next = if late { now + linger } else { deadline };
            let _ = timeout_at(next.min(until), freed).await;
        }
    }

    /// How many calls a second tenants can have in accounts in which they waited in vain, by the
    /// account.
    pub(crate) fn slow_rates(&self, payers: &[Payer<'_>]) -> BTreeMap<String, SeenRate> {
        let mut rates = BTreeMap::new();
        if payers.is_empty() {
            return rates;
        }

        let under_way = self.lock();
        let spread = Spread::at(&under_way, self.total, Instant::now());
        for payer in payers {
            let known = under_way.account(payer.account);
            if !rates.contains_key(payer.account)
                && let Some(rate) = spread.slow_rate(*payer, known)
            {
                rates.insert(payer.account.to_owned(), rate);
            }
        }
        rates
    }

    /// At least `enough` permits, or none.
    fn try_take<'a>(
        self: &Arc<Self>,
        lane: Lane,
        waiting: &mut VecDeque<usize>,
        payer_of: &impl Fn(usize) -> Payer<'a>,
        enough: usize,
    ) -> Taken {
        let (mut under_way, now) = (self.lock(), Instant::now());
        let mut spread = Spread::at(&under_way, self.total, now);
        let free = spread.free(lane);
        if free < enough {
            if free == 0 {
                waiting.iter().for_each(|index| under_way.want(payer_of(*index), now));
            }
            return Taken::default();
        }

        let mut taken = Taken::default();
        waiting.retain(|&index| {
            let payer = payer_of(index);
            match spread.look(lane, payer, under_way.account(payer.account)) {
                Look::Free(speed) => {
                    spread.hold(lane, payer, speed);
                    under_way.hold(lane, payer);
                    taken.with.push((index, Permit::new(self, lane, payer)));
                    false
                }
                Look::Wait => {
                    spread.want(payer);
                    under_way.want(payer, now);
                    true
                }
                Look::WaitKnown => true,
                Look::InVain => {
                    taken.without.push(index);
                    false
                }
            }
        });
        taken
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Permit {
    fn new(permits: &Arc<Permits>, lane: Lane, payer: Payer<'_>) -> Self {
        let (account, tenant) = (payer.account.to_owned(), payer.tenant.clone());
        Self { permits: Arc::clone(permits), lane, account, tenant, called_at: None }
    }

    /// The call begins now: what the claim before it took is not the account's fault.
    pub(crate) fn begin_call(&mut self) {
        let now = Instant::now();
        self.called_at = Some(now);
        self.permits.lock().begin_call(&self.account, now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut under_way = self.permits.lock();
        let payer = Payer { account: &self.account, tenant: &self.tenant };
        under_way.end(self.lane, payer, self.called_at, Instant::now());

        // Whoever waits looks again after a linger anyway; waking it for each permit would cost
        // more than it gives.
        let all = under_way.all();
        drop(under_way);
        if all == 0 || all.is_multiple_of(self.permits.total / 4) {
            self.permits.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
#[path = "permits_tests.rs"]
mod tests;
