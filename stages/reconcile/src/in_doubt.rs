//! The sweep: what nobody said the end of is looked up at the carrier (docs/adr/0008).
//!
//! 1. **Raise** (`raise.rs`): a claim whose call must be over, and whose owner never said how it
//!    ended, is in doubt. `open_claims` tells where to look, the message's row whether it is so.
//! 2. **Look** (`look.rs`, `settle.rs`): a doubt that no callback has ended within the grace period
//!    is looked up in the carrier's list. A text there that belongs to no other message is this
//!    one's: it was sent. A text that is not there was not taken: it goes back to the gates or ends
//!    as `unknown`, as the tenant's policy says. A list that cannot be read says nothing, and is
//!    asked again later. A tick waits a moment for the lists that it asks for: what takes longer
//!    is recorded by a later one (`under_way.rs`), and keeps neither raises nor other accounts
//!    waiting.
//! 3. **End** (`settle.rs`): a doubt of which nothing was learnt until its last date ends as
//!    `unknown`, whatever has become of its sender, its account and its carrier.
//!
//! The store inserts the event of a raise into the outbox with it. The sweep deletes a doubt's row
//! only after it has said the doubt's end, so that a crash repeats the same event. Where the
//! carrier has the text, a watch over its receipt takes the row's place ([`crate::ReceiptPoller`]).
//! Two sweeps at once get in each other's way, and change nothing twice.

mod config;
mod decide;
mod lists;
mod load;
mod look;
mod match_up;
mod pairs;
mod raise;
mod record;
mod resend;
mod say;
mod settle;

use std::{sync::Arc, time::Duration};

use carriers::Clients;
use domain::message::state::MessageState;
use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick, machine::NowAndThen};
use store::{
    Store,
    core::seal::Sealer,
    messages::in_doubt::{self, DueDoubt, Lease, LeasedDoubts},
};
use wire::Stream;

pub use self::config::InDoubtSweepConfig;
use self::{
    look::{Lists, begin, clear_up},
    raise::raise,
    say::Cleared,
};

/// The most doubts that one tick begins to look at, and how many of them of one tenant.
const DOUBTS: i64 = 96;
const PER_TENANT: i64 = 24;

/// How long a sweep has a doubt to itself: longer than a look may take.
const LEASE: Duration = Duration::from_secs(60);

/// How often doubts are counted for the gauge.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// The source that clears doubts up.
pub struct InDoubtSweep {
    store: Store,
    clients: Arc<Clients>,
    lists: tokio::sync::Mutex<Lists>,
    config: InDoubtSweepConfig,
    counting: NowAndThen,
}

impl InDoubtSweep {
    /// A sweep over this store. `http` is `carriers::http::client()`, `sealer` opens the accounts'
    /// tokens.
    pub fn new(
        store: Store,
        sealer: Sealer,
        http: reqwest::Client,
        config: InDoubtSweepConfig,
    ) -> Self {
        let (allow_hosts, timeout) = (config.allow_hosts.clone(), config.request_timeout);
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let clients = Arc::new(Clients::new(http, allow_hosts, timeout, open));
        let (lists, counting) = (tokio::sync::Mutex::default(), NowAndThen::new(COUNT_EVERY));
        Self { store, clients, lists, config, counting }
    }

    /// Sets the gauge of messages in doubt, unless it was set a moment ago.
    async fn count(&self, machine: Timestamp) -> Result<(), Fault> {
        if !self.counting.is_due(machine) {
            return Ok(());
        }

        let count = in_doubt::count(&self.store).await?;
        metrics::gauge!("millrace_in_doubt_messages").set(count as f64);
        Ok(())
    }
}

impl Source for InDoubtSweep {
    const NAME: StageName = StageName::Reconcile;
    const FILLS: &'static [Stream] = &[Stream::Events];

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.count(cx.machine).await?;
        let more_expired = raise(&self.store, &self.config, cx.now).await?;

        // load
        let over_before = self.config.over_before(cx.now);
        let (per_tenant, at_most) = (PER_TENANT, DOUBTS);
        let due = Lease { length: LEASE, over_before, per_tenant, at_most };
        let LeasedDoubts { due, at, more } = in_doubt::lease(&self.store, due).await?;
        let (open, ended): (Vec<DueDoubt>, Vec<DueDoubt>) =
            due.into_iter().partition(|due| due.message.state == MessageState::InDoubt);

        // ask
        let mut lists = self.lists.lock().await;
        let turned_away = begin(&self.store, &self.clients, &mut lists, open, at).await?;
        let more = more_expired || more.iter().any(|tenant| !turned_away.contains(tenant));

        // decide and record, account by account
        let times = (cx.now, over_before);
        let mut cleared = clear_up(&self.store, &self.config, times, &mut lists).await;
        for due in ended {
            cleared.end_elsewhere(due);
        }

        // say
        let Cleared { say, ended } = cleared;
        if ended.is_empty() {
            return Ok(Tick { say, published: None, more });
        }
        let (store, watch_after) = (self.store.clone(), self.config.receipt_fetch);
        let published = async move { in_doubt::said(&store, &ended, watch_after).await };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}
