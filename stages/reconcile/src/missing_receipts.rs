//! The watch over receipts (docs/adr/0010): a text whose receipt does not come is fetched from the
//! carrier, later each time, until the receipt horizon ends it. What the carrier says of a text is
//! merged as a receipt is. A fetch that gives no answer changes nothing.
//!
//! A watch is put off or deleted only after what its look made has been said, and everything that a
//! look makes bears the time of the look: after a crash the look is made again with the same time,
//! and makes the same events. A tick waits a moment for the accounts that it asks: what takes
//! longer is settled by a later one (`under_way.rs`). The poller also applies receipts that came
//! before their message.

mod ask;
mod decide;
mod early;
mod load;
mod plan;
mod record;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use carriers::{Clients, http::REQUEST_TIMEOUT};
use domain::ids::TenantId;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    core::seal::Sealer,
    messages::receipt::{
        poll::{self, LeasedWatches, Limits, ReceiptWatch},
        unmatched,
    },
    settings::accounts::Access,
};
use tokio::sync::Mutex;
use wire::Stream;

use self::{
    ask::{Asked, ask},
    early::apply_early,
    plan::Times,
    settle::settle,
};
use crate::under_way::{Account, UnderWay};

/// How long a text is without a receipt before it is fetched; business time.
pub const RECEIPT_FETCH: Duration = Duration::from_secs(10 * 60);

/// How long a text may be without a receipt before nothing is expected any more; business time.
pub const RECEIPT_HORIZON: Duration = Duration::from_secs(72 * 60 * 60);

/// What one tick begins to look at.
const LIMITS: Limits =
    Limits { lease: Duration::from_secs(60), per_tenant: 16, rows: 64, messages: 1_024 };

/// How the watch behaves.
#[derive(Debug, Clone)]
pub struct ReceiptPollerConfig {
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a carrier call may take.
    pub request_timeout: Duration,
    /// `MILLRACE_RECEIPT_FETCH`: the wait for the first fetch; each later wait is twice as long.
    pub fetch: Duration,
    /// `MILLRACE_RECEIPT_HORIZON`: how long a receipt is waited for.
    pub horizon: Duration,
}

impl Default for ReceiptPollerConfig {
    /// The times of the carrier, and its own hosts alone.
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            request_timeout: REQUEST_TIMEOUT,
            fetch: RECEIPT_FETCH,
            horizon: RECEIPT_HORIZON,
        }
    }
}

/// How soon watches are due again whose account could not be asked now.
const TURNED_AWAY: Duration = Duration::from_secs(2);

/// The source that looks after receipts which do not come.
pub struct ReceiptPoller {
    store: Store,
    clients: Arc<Clients>,
    /// Accounts that are asked about the texts of their watches.
    looks: Mutex<UnderWay<(Vec<ReceiptWatch>, Asked)>>,
    times: Times,
}

impl ReceiptPoller {
    /// A watch over this store. `http` is `carriers::http::client()`, `sealer` opens the accounts'
    /// tokens.
    pub fn new(
        store: Store,
        sealer: Sealer,
        http: reqwest::Client,
        config: ReceiptPollerConfig,
    ) -> Self {
        let ReceiptPollerConfig { allow_hosts, request_timeout: timeout, fetch, horizon } = config;
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let clients = Arc::new(Clients::new(http, allow_hosts, timeout, open));
        Self { store, clients, looks: Mutex::default(), times: Times { fetch, horizon } }
    }

    /// Begins to ask accounts about the texts of leased watches, each account once at a time.
    /// Watches of one that cannot be asked now are given back; answers whose they are.
    async fn begin(
        &self,
        looks: &mut UnderWay<(Vec<ReceiptWatch>, Asked)>,
        watches: Vec<ReceiptWatch>,
        accounts: &Arc<HashMap<Account, Access>>,
    ) -> Result<BTreeSet<TenantId>, Fault> {
        let mut turned_away = Vec::new();
        for (account, watches) in by_account(watches) {
            if !looks.has_room(&account) {
                turned_away.extend(watches);
                continue;
            }

            let (clients, times) = (Arc::clone(&self.clients), self.times);
            let accounts = Arc::clone(accounts);
            looks.begin(account, async move {
                let asked = ask(&clients, &times, &watches, &accounts).await;
                (watches, asked)
            });
        }

        let watches: Vec<&ReceiptWatch> = turned_away.iter().collect();
        poll::give_back(&self.store, &watches, TURNED_AWAY).await?;
        Ok(turned_away.into_iter().map(|watch| watch.tenant).collect())
    }
}

/// Watches by the account of their first text: most are over texts of one.
fn by_account(watches: Vec<ReceiptWatch>) -> BTreeMap<Account, Vec<ReceiptWatch>> {
    let mut accounts: BTreeMap<Account, Vec<ReceiptWatch>> = BTreeMap::new();
    for watch in watches {
        let account = watch.messages.iter().find_map(|one| one.account.clone());
        let account = (watch.tenant.clone(), account.unwrap_or_default());
        accounts.entry(account).or_default().push(watch);
    }
    accounts
}

impl Source for ReceiptPoller {
    const NAME: StageName = StageName::Reconcile;
    const FILLS: &'static [Stream] = &[Stream::Events];

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let LeasedWatches { watches, accounts, more } =
            poll::lease(&self.store, cx.now, LIMITS).await?;

        let early = apply_early(&self.store).await?;

        // ask
        let mut looks = self.looks.lock().await;
        let turned_away = self.begin(&mut looks, watches, &Arc::new(accounts)).await?;
        let more = more.iter().any(|tenant| !turned_away.contains(tenant));

        // decide and record, account by account
        let (mut say, mut next) = (early.say, Vec::new());
        while let Some((watches, asked)) = looks.next().await {
            let (of_account, looked) = settle(&self.store, &self.times, &watches, &asked).await?;
            say.extend(of_account);
            next.extend(looked);
        }

        // say
        if next.is_empty() && early.matched.is_empty() {
            return Ok(Tick { say, published: None, more });
        }
        let store = self.store.clone();
        let published = async move {
            poll::looked(&store, &next).await?;
            unmatched::matched(&store, &early.matched).await
        };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}
