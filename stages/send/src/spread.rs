//! Who may have one more call. Each limit keeps what one waits for from being what others need:
//!
//! | of | at most | so that |
//! |---|---|---|
//! | bulk | 3/4 | an urgent text finds a call |
//! | an account, a tenant | 3/4; 1/4 and 1/2 while another waits | a busy one leaves the others theirs |
//! | a tenant's accounts that are slow or not known yet | 1/4 | accounts are no way to more |
//! | of these, those that are slow | 7/8 | accounts that are not known yet are tried |
//! | all slow accounts, by equal parts of their tenants | 1/2, and one call each | others keep half |
//! | all accounts that are not known yet | 1/4, and 1/32 each | all are known before they hold much |

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use domain::{ids::TenantId, message::class::Lane};
use store::capacity::pace::SeenRate;
use tokio::time::Instant;

use crate::{
    tempo::{SLOW, Speed},
    under_way::{Account, Payer, UnderWay},
};

/// What a message finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A permit that is free, in an account of this speed.
    Free(Speed),
    /// None now: its account, its tenant or all have what they may.
    Wait,
    /// None until the calls are over by which its account is tried.
    WaitKnown,
    /// Its account is slow and has its share, or is not known while slow ones have its tenant's.
    InVain,
}

/// How the calls of a process are spread at one moment.
#[derive(Debug)]
pub(crate) struct Spread {
    now: Instant,
    total: usize,
    all: usize,
    bulk: usize,
    slow: usize,
    unknown: usize,
    accounts: HashMap<String, usize>,
    tenants: HashMap<TenantId, Calls>,
    waiting_accounts: HashSet<String>,
    waiting_tenants: HashSet<TenantId>,
    /// How fast accounts are that were looked at: of hundreds that wait, most share an account.
    speeds: HashMap<String, Speed>,
}

/// The calls of one tenant.
#[derive(Debug, Default)]
struct Calls {
    held: usize,
    /// Those in accounts that are slow, or of which nothing is known.
    not_quick: usize,
    /// Its accounts that are slow and have a call of its.
    slow_accounts: HashSet<String>,
    /// The median call of the slowest of these.
    slowest: Duration,
}

impl Spread {
    /// The calls that are under way now, of so many that may be.
    pub(crate) fn at(under_way: &UnderWay, total: usize, now: Instant) -> Self {
        let waiting = || under_way.waiting(now);
        let mut spread = Self {
            now,
            total,
            all: 0,
            bulk: 0,
            slow: 0,
            unknown: 0,
            accounts: HashMap::new(),
            tenants: HashMap::new(),
            waiting_accounts: waiting().map(|payer| payer.account.to_owned()).collect(),
            waiting_tenants: waiting().map(|payer| payer.tenant.clone()).collect(),
            speeds: HashMap::new(),
        };

        for (handle, account) in under_way.busy() {
            let speed = spread.speed(handle, Some(account));
            for (tenant, held) in &account.held {
                spread.count(Payer { account: handle, tenant }, speed, *held);
                if let Some(calls) = spread.tenants.get_mut(tenant)
                    && speed == Speed::Slow
                {
                    calls.slowest = calls.slowest.max(account.tempo.median(now));
                }
            }
        }
        (spread.all, spread.bulk) = (under_way.all(), under_way.bulk());
        spread
    }

    /// Whether somebody may have one more call in an account, of which this is known.
    pub(crate) fn look(&mut self, lane: Lane, payer: Payer<'_>, known: Option<&Account>) -> Look {
        let speed = self.speed(payer.account, known);
        let held = self.accounts.get(payer.account).copied().unwrap_or_default();
        let (of_tenant, not_quick) = self.of_tenant(payer.tenant);

        match speed {
            Speed::Quick => {}
            Speed::Slow if self.slow_is_used_up(payer, held, not_quick) => return Look::InVain,
            Speed::Slow => {}
            Speed::Unknown if not_quick >= self.total / 4 && self.is_slow(payer.tenant) => {
                return Look::InVain;
            }
            Speed::Unknown if not_quick.max(self.unknown) >= self.total / 4 => {
                return Look::WaitKnown;
            }
            Speed::Unknown if held >= (self.total / 32).max(1) => return Look::WaitKnown,
            Speed::Unknown => {}
        }

        let fits = held < self.share_of_account(payer.account)
            && of_tenant < self.share_of_tenant(payer.tenant)
            && self.free(lane) > 0;
        if fits { Look::Free(speed) } else { Look::Wait }
    }

    /// How fast an account is at this moment, of which this is known; found once.
    fn speed(&mut self, account: &str, known: Option<&Account>) -> Speed {
        if let Some(speed) = self.speeds.get(account) {
            return *speed;
        }
        let speed = known.map_or(Speed::Unknown, |known| known.tempo.speed(self.now));
        self.speeds.insert(account.to_owned(), speed);
        speed
    }

    /// Counts one more call.
    pub(crate) fn hold(&mut self, lane: Lane, payer: Payer<'_>, speed: Speed) {
        self.all += 1;
        self.bulk += usize::from(lane == Lane::Bulk);
        self.count(payer, speed, 1);
    }

    /// Notes that somebody waits.
    pub(crate) fn want(&mut self, payer: Payer<'_>) {
        if !self.waiting_accounts.contains(payer.account) {
            self.waiting_accounts.insert(payer.account.to_owned());
        }
        self.waiting_tenants.insert(payer.tenant.clone());
    }

    /// How many calls of a lane can begin.
    pub(crate) fn free(&self, lane: Lane) -> usize {
        let all = self.total.saturating_sub(self.all);
        match lane {
            Lane::Urgent => all,
            Lane::Bulk => all.min((self.total - self.total / 4).saturating_sub(self.bulk)),
        }
    }

    /// How many calls a second a tenant can have in an account that is slow, or of which nothing is
    /// known while the tenant's others are slow; none in any other.
    pub(crate) fn slow_rate(&self, payer: Payer<'_>, known: Option<&Account>) -> Option<SeenRate> {
        let of_account = known.map(|account| account.tempo.median(self.now));
        let of_account = of_account.filter(|median| !median.is_zero());
        let of_tenant = self.tenants.get(payer.tenant).map(|calls| calls.slowest);

        let takes = of_account.or(of_tenant).filter(|takes| *takes > SLOW)?;
        let per_second = self.slow_share(payer) / takes.as_secs_f64();
        Some(SeenRate { per_second, is_its_own: of_account.is_some() })
    }

    /// How many calls a tenant may have in one of its accounts while that is slow: less than one
    /// where it has more of them than calls.
    fn slow_share(&self, payer: Payer<'_>) -> f64 {
        let others = self.tenants.get(payer.tenant).map_or(0, |calls| {
            calls.slow_accounts.iter().filter(|account| *account != payer.account).count()
        });
        self.slow_share_of_tenant(payer.tenant) as f64 / (others + 1) as f64
    }

    /// Whether an account that is slow has its share, or its tenant, or all slow ones together: of
    /// these two each tenant has one call all the same.
    fn slow_is_used_up(&self, payer: Payer<'_>, held: usize, not_quick: usize) -> bool {
        let of_tenant = self.slow_share_of_tenant(payer.tenant);
        let is_first = not_quick == 0 && self.slow + self.unknown < self.total - self.total / 4;
        held as f64 >= self.slow_share(payer).max(1.0)
            || not_quick >= of_tenant - of_tenant / 8
            || self.slow >= self.total / 2 && !is_first
    }

    /// The part that a tenant has of the half which all slow accounts have: a quarter of all calls
    /// at most, and one at least.
    fn slow_share_of_tenant(&self, tenant: &TenantId) -> usize {
        let is_other = |other: &&TenantId| *other != tenant;
        let slow = self.tenants.iter().filter(|(_, calls)| !calls.slow_accounts.is_empty());
        let others = slow.map(|(other, _)| other).filter(is_other).count();
        (self.total / 2 / (others + 1)).clamp(1, self.total / 4)
    }

    fn is_slow(&self, tenant: &TenantId) -> bool {
        self.tenants.get(tenant).is_some_and(|calls| !calls.slow_accounts.is_empty())
    }

    fn share_of_account(&self, account: &str) -> usize {
        let others = self.waiting_accounts.iter().any(|other| other != account);
        if others { self.total / 4 } else { self.total - self.total / 4 }
    }

    fn share_of_tenant(&self, tenant: &TenantId) -> usize {
        let others = self.waiting_tenants.iter().any(|other| other != tenant);
        if others { self.total / 2 } else { self.total - self.total / 4 }
    }

    /// The calls of a tenant, and those of them that are not known to be quick.
    fn of_tenant(&self, tenant: &TenantId) -> (usize, usize) {
        self.tenants.get(tenant).map_or((0, 0), |calls| (calls.held, calls.not_quick))
    }

    fn count(&mut self, payer: Payer<'_>, speed: Speed, calls: usize) {
        *self.accounts.entry(payer.account.to_owned()).or_default() += calls;

        let of_tenant = self.tenants.entry(payer.tenant.clone()).or_default();
        of_tenant.held += calls;
        match speed {
            Speed::Quick => return,
            Speed::Slow => {
                self.slow += calls;
                of_tenant.slow_accounts.insert(payer.account.to_owned());
            }
            Speed::Unknown => self.unknown += calls,
        }
        of_tenant.not_quick += calls;
    }
}
