//! What carriers are asked, account by account, across ticks. A tick waits a moment for the
//! accounts that it has begun to ask, and for none that was slow before; what takes longer is
//! picked up by a later tick, so that nobody waits for another one's carrier.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use domain::ids::TenantId;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, timeout_at},
};

/// How long a tick waits for what it has begun.
const PATIENCE: Duration = Duration::from_secs(1);

/// Accounts of one tenant that are asked at once, and slow ones of all tenants together.
const OF_TENANT: usize = 4;
const SLOW: usize = 32;

/// An account of a tenant.
pub(crate) type Account = (TenantId, String);

/// Accounts that are being asked, each once at a time.
pub(crate) struct UnderWay<T> {
    tasks: JoinSet<(Duration, T)>,
    asked: HashMap<Id, Asked>,
    /// Accounts that took longer than a tick waits, the last time.
    slow: HashSet<Account>,
}

struct Asked {
    account: Account,
    /// Until when a tick waits for it; none where it does not.
    awaited_until: Option<Instant>,
}

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self { tasks: JoinSet::new(), asked: HashMap::new(), slow: HashSet::new() }
    }
}

impl<T: Send + 'static> UnderWay<T> {
    /// Whether an account may be asked now: nobody is asking it, and neither its tenant nor slow
    /// accounts have all that they may have.
    pub(crate) fn has_room(&self, account: &Account) -> bool {
        let of = |is: &dyn Fn(&Asked) -> bool| self.asked.values().filter(|one| is(one)).count();
        of(&|one| one.account == *account) == 0
            && of(&|one| one.account.0 == account.0) < OF_TENANT
            && (!self.slow.contains(account) || of(&|one| one.awaited_until.is_none()) < SLOW)
    }

    /// Begins to ask an account.
    pub(crate) fn begin(
        &mut self,
        account: Account,
        work: impl Future<Output = T> + Send + 'static,
    ) {
        let begun = Instant::now();
        let awaited_until = (!self.slow.contains(&account)).then(|| begun + PATIENCE);
        let task = self.tasks.spawn(async move {
            let done = work.await;
            (begun.elapsed(), done)
        });
        self.asked.insert(task.id(), Asked { account, awaited_until });
    }

    /// The next answers of an account; none once nothing is there that a tick waits for.
    pub(crate) async fn next(&mut self) -> Option<T> {
        loop {
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                if let Some(done) = self.end(ended) {
                    return Some(done);
                }
            }

            let until = self.asked.values().filter_map(|one| one.awaited_until).max()?;
            match timeout_at(until, self.tasks.join_next_with_id()).await {
                Ok(Some(ended)) => {
                    if let Some(done) = self.end(ended) {
                        return Some(done);
                    }
                }
                Ok(None) => return None,
                Err(_) => self.wait_for_nobody(),
            }
        }
    }

    /// Everything that a tick has waited for until now is slow.
    fn wait_for_nobody(&mut self) {
        for one in self.asked.values_mut() {
            if one.awaited_until.take().is_some() {
                self.slow.insert(one.account.clone());
            }
        }
    }

    fn end(&mut self, ended: Result<(Id, (Duration, T)), JoinError>) -> Option<T> {
        match ended {
            Ok((id, (took, done))) => {
                let Asked { account, .. } = self.asked.remove(&id)?;
                if took < PATIENCE {
                    self.slow.remove(&account);
                } else {
                    self.slow.insert(account);
                }
                Some(done)
            }
            // What it had is leased, and comes again.
            Err(why) => {
                tracing::error!(%why, "what an account was asked came to no end");
                self.asked.remove(&why.id());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn account(tenant: &str, n: usize) -> Account {
        (tenant.parse().expect("a tenant"), format!("account-{n}"))
    }

    #[tokio::test]
    async fn who_was_slow_is_waited_for_no_more_and_leaves_room_to_others() {
        let mut under_way = UnderWay::default();
        under_way.begin(account("acme", 0), pending::<u8>());
        assert_eq!(under_way.next().await, None, "its time is up");

        under_way.begin(account("other", 0), async { 7 });
        assert_eq!(under_way.next().await, Some(7));
        assert_eq!(under_way.next().await, None, "at once");
        assert!(!under_way.has_room(&account("acme", 0)), "it is asked still");
        assert!(
            under_way.has_room(&account("acme", 1)) && under_way.has_room(&account("other", 0))
        );
    }

    #[tokio::test]
    async fn a_tenant_has_four_accounts_asked_at_once() {
        let mut under_way = UnderWay::default();
        for n in 0..OF_TENANT {
            assert!(under_way.has_room(&account("acme", n)));
            under_way.begin(account("acme", n), pending::<()>());
        }
        assert!(!under_way.has_room(&account("acme", OF_TENANT)));
        assert!(under_way.has_room(&account("other", 0)));
    }

    #[tokio::test]
    async fn what_panics_is_no_longer_under_way() {
        let mut under_way = UnderWay::default();
        under_way.begin(account("acme", 0), async { panic!("as a test wants it") });
        assert_eq!(under_way.next().await, None::<()>);
        assert!(under_way.has_room(&account("acme", 0)));
    }
}
