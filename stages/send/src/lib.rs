//! Send: claims a message, calls its carrier, records the answer. Once in effect.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.released.<lane>.<shard>` |
//! | Emits | `events.<tenant>.message.sent`, `.failed`, `.deferred`, `.held`, `.blocked`, |
//! | | `.expired`, `events.<tenant>.in_doubt.raised`, `events.<tenant>.contact.opted_out` |
//! | Reads | `standings`, `senders`, `carrier_accounts`, `policies`, `switches`, `campaigns`, |
//! | | `pace`, `messages` |
//! | Writes | `messages`, `open_claims`, `pace`, `parked`, `doubts`, `counters`, `standings`, |
//! | | `consents` |
//! | Calls | the carrier of the sender's account |
//! | Never | calls twice for one claim, calls after the claim's time to begin, or sends |
//! | | where a call may have been made before |
//!
//! No carrier offers an idempotency key, so "once" is a claim before and evidence after:
//!
//! 1. **Claim** (`claim.rs`): one transaction per chunk takes the last look at opt-outs, switches,
//!    window, policy and pace, and marks what may go as ours until `call_by` and the request
//!    timeout have passed.
//! 2. **Call** (`call.rs`): not begun when our own clock says that `call_by` is over.
//! 3. **Record** (`recording.rs`), a few milliseconds of answers at a time. An answer that cannot
//!    be recorded now is kept until the message is handed over again; if this process dies first,
//!    the claim runs out and the message is in doubt. Then evidence decides, in `reconcile`, and
//!    never a second call from here.

mod answer;
mod call;
mod claim;
mod decide;
mod load;
mod pace;
mod permits;
mod record;
mod recording;
mod unrecorded;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use carriers::{Clients, http::REQUEST_TIMEOUT, longest_list_lag};
use domain::message::class::Lane;
use futures::{StreamExt, stream::FuturesUnordered};
use stage::{Batch, Cx, Fault, Stage, StageName};
use store::{Store, core::seal::Sealer, messages::claim::Claimant};
use tokio::sync::{
    Mutex,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use uuid::Uuid;
use wire::{Admitted, Stream};

use crate::{
    call::{CallResult, Claimed},
    permits::Permits,
    unrecorded::Unrecorded,
};

/// How `send` behaves.
#[derive(Debug, Clone)]
pub struct SendConfig {
    /// `MILLRACE_PUBLIC_URL`: where carriers call back.
    pub public_url: String,
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// Carrier calls under way at once in this process, at least 4.
    pub permits: usize,
    /// `MILLRACE_CALL_BY`: how long after its claim a call may begin.
    pub call_by: Duration,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a call may take.
    pub request_timeout: Duration,
    /// `MILLRACE_LIST_LAG`: how long a carrier's list may miss a text that it took; none is each
    /// carrier's own number.
    pub list_lag: Option<Duration>,
}

impl SendConfig {
    /// 256 calls at once, each begun within 300 ms of its claim, to carriers' own hosts alone.
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            allow_hosts: Vec::new(),
            permits: 256,
            call_by: Duration::from_millis(300),
            request_timeout: REQUEST_TIMEOUT,
            list_lag: None,
        }
    }

    /// From a claim's `call_by` to the first look at the carrier's list.
    pub(crate) fn first_look(&self) -> Duration {
        self.request_timeout + self.list_lag.unwrap_or_else(longest_list_lag)
    }
}

/// The stage that calls carriers.
pub struct SendStage {
    store: Store,
    config: SendConfig,
    clients: Clients,
    permits: Arc<Permits>,
    /// One claim at a time in each lane: a claim that waits for the pace holds the standings of its
    /// people locked, and an opt-out would wait with it.
    claiming: [Mutex<()>; 2],
    /// Names the claims of this process.
    owner: Uuid,
    /// Numbers them.
    chunks: AtomicI64,
    unrecorded: Unrecorded,
}

impl SendStage {
    /// A sender over this store. `http` is `carriers::http::client()`: it follows no redirect and
    /// retries nothing. `sealer` opens the accounts' tokens.
    pub fn new(store: Store, sealer: Sealer, http: reqwest::Client, config: SendConfig) -> Self {
        Self {
            store,
            clients: Clients::new(
                http,
                config.allow_hosts.clone(),
                config.request_timeout,
                Arc::new(move |sealed: &str| sealer.open_secret(sealed)),
            ),
            permits: Permits::new(config.permits),
            claiming: Default::default(),
            owner: owner(),
            chunks: AtomicI64::new(0),
            unrecorded: Unrecorded::default(),
            config,
        }
    }

    /// Who claims the next chunk.
    pub(crate) fn claimant(&self) -> Claimant {
        let chunk = self.chunks.fetch_add(1, Ordering::Relaxed);
        Claimant { owner: self.owner, chunk, call_by: self.config.call_by }
    }

    /// Claims chunk by chunk, each as big as there are free permits.
    async fn claims(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        calls: UnboundedSender<Claimed>,
        heard: UnboundedSender<CallResult>,
    ) -> Result<(), Fault> {
        let items = batch.items();
        let (known, mut waiting): (Vec<CallResult>, VecDeque<usize>) = self.unrecorded.split(items);
        for answer in known {
            send(&heard, answer);
        }
        let lane = items.first().map_or(Lane::Bulk, |item| item.message.head.class.lane());
        while !waiting.is_empty() {
            let account_of = |index: usize| items[index].route.account.as_str();
            let chunk = self.permits.take(lane, &mut waiting, account_of).await;
            let turn = self.claiming[lane as usize].lock().await;
            let claimed = self.claim(cx, batch, chunk).await?;
            drop(turn);
            for claimed in claimed {
                send(&calls, claimed);
            }
        }
        Ok(())
    }

    /// Makes the calls, all that are claimed at once.
    async fn calls(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        mut claimed: UnboundedReceiver<Claimed>,
        heard: UnboundedSender<CallResult>,
    ) {
        let mut under_way = FuturesUnordered::new();
        let mut more = true;
        loop {
            tokio::select! {
                next = claimed.recv(), if more => match next {
                    Some(next) => {
                        let message = &batch.items()[next.index];
                        under_way.push(call::call(&self.config, cx.later(), message, next));
                    }
                    None => more = false,
                },
                Some(answer) = under_way.next() => send(&heard, answer),
                else => break,
            }
        }
    }
}

impl Stage for SendStage {
    const NAME: StageName = StageName::Send;
    const FROM: Stream = Stream::Released;
    type In = Admitted;
    const LINGER: Duration = Duration::from_millis(5);

    async fn handle(&self, cx: &Cx, batch: Batch<Admitted>) -> Result<(), Fault> {
        // Three legs at once: a claim that fails must not stop the calls that are under way, and a
        // slow record must not keep a claimed call from beginning.
        let (calls, claimed) = unbounded_channel();
        let (heard, hearing) = unbounded_channel();
        let (claims, (), records) = tokio::join!(
            self.claims(cx, &batch, calls, heard.clone()),
            self.calls(cx, &batch, claimed, heard),
            self.records(cx, &batch, hearing),
        );
        claims.and(records)
    }
}

/// The receiving leg lives as long as `handle`, so there is always somebody to receive.
fn send<T>(to: &UnboundedSender<T>, what: T) {
    let _ = to.send(what);
}

/// The one name here that must never come twice, so it is drawn and not derived.
#[expect(clippy::disallowed_methods, reason = "a process has nothing else to be named by")]
fn owner() -> Uuid {
    Uuid::new_v4()
}
