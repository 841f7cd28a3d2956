//! The watch over receipts (docs/adr/0010): a text whose receipt does not come is fetched from the
//! carrier, later each time, until the receipt horizon ends it. What the carrier says of a text is
//! merged as a receipt is. A fetch that gives no answer changes nothing.
//!
//! A watch is put off or deleted only after what its look made has been said, and everything that a
//! look makes bears the time of the look: after a crash the look is made again with the same time,
//! and makes the same events. The poller also applies receipts that came before their message.

mod ask;
mod decide;
mod early;
mod load;
mod plan;
mod record;
mod settle;

use std::{sync::Arc, time::Duration};

use carriers::{Clients, http::REQUEST_TIMEOUT};
use futures::future::try_join;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    core::seal::Sealer,
    messages::receipt::{
        poll::{self, LeasedWatches, Limits},
        unmatched,
    },
};

use self::{ask::ask, early::apply_early, plan::Times, settle::settle};
use wire::Stream;

/// How long a text is without a receipt before it is fetched; business time.
pub const RECEIPT_FETCH: Duration = Duration::from_secs(10 * 60);

/// How long a text may be without a receipt before nothing is expected any more; business time.
pub const RECEIPT_HORIZON: Duration = Duration::from_secs(72 * 60 * 60);

/// What one tick takes: some ten seconds of fetching, and half of it for one tenant.
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

/// The source that looks after receipts which do not come.
pub struct ReceiptPoller {
    store: Store,
    clients: Clients,
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
        let clients = Clients::new(http, allow_hosts, timeout, open);
        Self { store, clients, times: Times { fetch, horizon } }
    }
}

impl Source for ReceiptPoller {
    const NAME: StageName = StageName::Reconcile;
    const FILLS: &'static [Stream] = &[Stream::Events];

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let LeasedWatches { watches, accounts, more } =
            poll::lease(&self.store, cx.now, LIMITS).await?;

        // decide and record
        let looks = async {
            let asked = ask(&self.clients, &self.times, &watches, &accounts).await;
            settle(&self.store, &self.times, &watches, &asked).await
        };
        let ((say, next), early) = try_join(looks, apply_early(&self.store)).await?;

        // say
        let say = say.into_iter().chain(early.say).collect();
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
