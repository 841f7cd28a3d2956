//! The calls that are under way in this process, by account and tenant, and who waits for one.

use std::{collections::HashMap, time::Duration};

use domain::{ids::TenantId, message::class::Lane};
use tokio::time::Instant;

use crate::tempo::Tempo;

/// How long an account that found no permit counts as one that waits.
const WANTS: Duration = Duration::from_millis(500);

/// Accounts that are remembered at most; those without a call are forgotten first.
const MOST_ACCOUNTS: usize = 10_000;

/// Whose call it is: its account at the carrier, and the tenant whose text it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payer<'a> {
    pub(crate) account: &'a str,
    pub(crate) tenant: &'a TenantId,
}

/// The calls of a process.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    all: usize,
    bulk: usize,
    accounts: HashMap<String, Account>,
}

/// What is known of one account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Its calls, by tenant; those with none are left out.
    pub(crate) held: HashMap<TenantId, usize>,
    /// How fast it answers.
    pub(crate) tempo: Tempo,
    /// When each tenant last found no permit.
    wanted: HashMap<TenantId, Instant>,
}

impl UnderWay {
    /// How many calls there are.
    pub(crate) fn all(&self) -> usize {
        self.all
    }

    /// Those of the bulk lane.
    pub(crate) fn bulk(&self) -> usize {
        self.bulk
    }

    /// What is known of an account.
    pub(crate) fn account(&self, handle: &str) -> Option<&Account> {
        self.accounts.get(handle)
    }

    /// Accounts that have calls.
    pub(crate) fn busy(&self) -> impl Iterator<Item = (&str, &Account)> {
        let busy = self.accounts.iter().filter(|(_, account)| !account.held.is_empty());
        busy.map(|(handle, account)| (handle.as_str(), account))
    }

    /// Who found no permit a moment ago.
    pub(crate) fn waiting(&self, now: Instant) -> impl Iterator<Item = Payer<'_>> {
        self.accounts.iter().flat_map(move |(account, known)| {
            let waits = known.wanted.iter().filter(move |(_, at)| now - **at < WANTS);
            waits.map(move |(tenant, _)| Payer { account, tenant })
        })
    }

    /// Notes that somebody found no permit.
    pub(crate) fn want(&mut self, payer: Payer<'_>, now: Instant) {
        let wanted = &mut self.known(payer.account).wanted;
        if !wanted.contains_key(payer.tenant) {
            wanted.retain(|_, at| now - *at < WANTS);
        }
        wanted.insert(payer.tenant.clone(), now);
    }

    /// Counts a call from now on, which is yet to begin.
    pub(crate) fn hold(&mut self, lane: Lane, payer: Payer<'_>) {
        self.all += 1;
        self.bulk += usize::from(lane == Lane::Bulk);
        *self.known(payer.account).held.entry(payer.tenant.clone()).or_default() += 1;
    }

    /// The call begins.
    pub(crate) fn begin_call(&mut self, account: &str, now: Instant) {
        self.known(account).tempo.begin(now);
    }

    /// The call is over, or never began.
    pub(crate) fn end(
        &mut self,
        lane: Lane,
        payer: Payer<'_>,
        called_at: Option<Instant>,
        now: Instant,
    ) {
        self.all -= 1;
        self.bulk -= usize::from(lane == Lane::Bulk);

        let account = self.known(payer.account);
        let left = account.held.get(payer.tenant).map_or(0, |held| held - 1);
        if left == 0 {
            account.held.remove(payer.tenant);
        } else {
            account.held.insert(payer.tenant.clone(), left);
        }
        if let Some(called_at) = called_at {
            account.tempo.end(called_at, now);
        }
    }

    /// What is known of an account, which is remembered from now on.
    fn known(&mut self, handle: &str) -> &mut Account {
        if self.accounts.len() >= MOST_ACCOUNTS && !self.accounts.contains_key(handle) {
            self.accounts.retain(|_, account| !account.held.is_empty());
        }
        // A copy of the handle is made for a new account alone.
        if !self.accounts.contains_key(handle) {
            self.accounts.insert(handle.to_owned(), Account::default());
        }
        self.accounts.get_mut(handle).expect("it was put there")
    }
}
