//! The sweep: what nobody said the end of is looked up at the carrier (docs/adr/0008).
//!
//! 1. **Raise**: a claim whose call must be over, and whose owner never said how it ended, is in
//!    doubt. `open_claims` tells where to look, the message's row whether it is so.
//! 2. **Look**: a doubt that no callback has ended within the grace period is looked up in the
//!    carrier's list. A text there that belongs to no other message is this one's: it was sent. A
//!    text that is not there was not taken: it goes back to the gates or ends as `unknown`, as the
//!    tenant's policy says. A list that cannot be read says nothing, and is asked again later.
//!
//! The event of a raise is owed with it. A doubt's row is deleted only after its end has been said,
//! so that a crash repeats the same event. Where the carrier has the text, a watch over its receipt
//! takes the row's place ([`crate::ReceiptPoller`]). Two sweeps at once get in each other's way, and change
//! nothing twice.

mod again;
mod lists;
mod match_up;
mod settle;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carriers::{Carrier, Clients, http::REQUEST_TIMEOUT, longest_list_lag};
use domain::{
    ids::{ContactId, MessageId, SenderId, TenantId},
    message::{passport::Stamp, state::MessageState},
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick, machine::backoff};
use store::{
    Store,
    core::seal::Sealer,
    messages::in_doubt::{self, DueDoubt, LeasedDoubts, Raise},
    settings::accounts::Access,
};
use wire::{Event, frame::Outgoing};

use self::lists::list;
use crate::missing_receipts::RECEIPT_FETCH;

/// After the last instant at which a call may have ended, before its claim is in doubt: its owner
/// still has to record it.
const MARGIN: Duration = Duration::from_secs(1);

/// Chunks looked behind in one tick.
const CHUNKS: i64 = 256;

/// Doubts looked at in one tick, and how many of them of one tenant.
const DOUBTS: i64 = 48;
const PER_TENANT: i64 = 24;

/// Lists asked at once.
const AT_ONCE: usize = 16;

/// How long a sweep has a doubt to itself: longer than a tick may take.
const LEASE: Duration = Duration::from_secs(60);

/// How often doubts are counted for the gauge.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// How the sweep behaves. `send` must know the same times.
#[derive(Debug, Clone)]
pub struct InDoubtSweepConfig {
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a carrier call may take.
    pub request_timeout: Duration,
    /// `MILLRACE_LIST_LAG`: how long a carrier's list may miss a text that it took; none is each
    /// carrier's own number.
    pub list_lag: Option<Duration>,
    /// `MILLRACE_RECEIPT_FETCH`: how long a text is without a receipt before it is fetched.
    pub receipt_fetch: Duration,
    /// The wait after a look that settled nothing, doubled for each after it.
    pub retry: Duration,
    /// The longest such wait.
    pub retry_cap: Duration,
}

impl Default for InDoubtSweepConfig {
    /// The times of the carrier, and its own hosts alone.
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            request_timeout: REQUEST_TIMEOUT,
            list_lag: None,
            receipt_fetch: RECEIPT_FETCH,
            retry: Duration::from_secs(5),
            retry_cap: Duration::from_secs(10 * 60),
        }
    }
}

/// The source that clears doubts up.
pub struct InDoubtSweep {
    store: Store,
    clients: Clients,
    config: InDoubtSweepConfig,
    /// Machine time of the last count.
    counted: Mutex<Timestamp>,
}

/// What one sender sent to one person through one account: a list is asked for all of it at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    tenant: TenantId,
    account: String,
    contact: ContactId,
    sender: SenderId,
    to: String,
    from: String,
}

/// The doubts of a pair that are due, and how to ask about them.
struct Asked {
    pair: Pair,
    access: Option<Access>,
    due: Vec<(MessageId, i32)>,
}

/// The times of one look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Business time.
    now: Timestamp,
    /// The database's clock when the doubts were leased.
    at: Timestamp,
    /// How long after its `call_by` a text must be in the list.
    listed_after: Duration,
}

/// What there is to say, and what may be deleted once it has been said.
#[derive(Default)]
pub(crate) struct Cleared {
    say: Vec<Outgoing>,
    ended: Vec<(TenantId, MessageId, Option<i64>)>,
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
        let clients = Clients::new(http, allow_hosts, timeout, open);
        Self { store, clients, config, counted: Mutex::new(Timestamp::MIN) }
    }

    /// Sets the gauge of messages in doubt.
    async fn count(&self, machine: Timestamp) -> Result<(), Fault> {
        {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if machine.duration_since(*counted) < COUNT_EVERY {
                return Ok(());
            }
            *counted = machine;
        }
        let count = in_doubt::count(&self.store).await?;
        metrics::gauge!("millrace_in_doubt_messages").set(count as f64);
        Ok(())
    }

    /// Raises what nobody ended. Says whether there may be more.
    async fn raise(&self, now: Timestamp) -> Result<bool, Fault> {
        let reason = "its carrier call was begun, and whoever made it never said how it ended";
        let stamp = Stamp {
            code: Some("call_unanswered".into()),
            reason: Some(reason.into()),
            ..Stamp::plain(Self::NAME.as_str(), now, MessageState::InDoubt.as_str())
        };
        let what = Raise {
            past: self.config.request_timeout + MARGIN,
            first_look: self.first_look(),
            watch_after: self.config.receipt_fetch,
            now,
            stamp: &stamp,
            at_most: CHUNKS,
        };
        let raised = in_doubt::raise(&self.store, &what).await?;
        if raised.messages > 0 {
            metrics::counter!("millrace_in_doubt_total").increment(raised.messages as u64);
            let messages = raised.messages;
            tracing::warn!(messages, "carrier calls whose owner died are in doubt");
        }
        Ok(raised.more)
    }

    /// Asks the lists about all that is leased. A pair that cannot be settled does not hold the
    /// others.
    async fn look(&self, now: Timestamp, leased: LeasedDoubts) -> Cleared {
        let mut cleared = Cleared::default();
        let (open, ended): (Vec<DueDoubt>, Vec<DueDoubt>) =
            leased.due.into_iter().partition(|due| due.message.state == MessageState::InDoubt);
        for due in ended {
            cleared.end_elsewhere(due);
        }
        let asked = stream::iter(pairs(open)).map(|asked| async {
            let listed = list(&self.clients, &asked.pair, asked.access.as_ref()).await;
            (asked, listed)
        });
        let mut answers = asked.buffer_unordered(AT_ONCE);
        while let Some((asked, listed)) = answers.next().await {
            let settled = match listed {
                Ok(listed) => {
                    let listed_after = self.listed_after(asked.access.as_ref());
                    let look = Look { now, at: leased.at, listed_after };
                    self.settle(look, &asked.pair, &listed).await
                }
                Err(why) => {
                    let (tenant, account) = (&asked.pair.tenant, &asked.pair.account);
                    tracing::warn!(%tenant, account, %why, "a carrier's list could not be read");
                    self.ask_later(&asked, why.retry_after()).await.map(|()| Cleared::default())
                }
            };
            match settled {
                Ok(more) => cleared.add(more),
                // They are looked at again when their lease ends.
                Err(fault) => tracing::warn!(fault = fault.label(), "doubts could not be settled"),
            }
        }
        cleared
    }

    /// Puts doubts off whose list said nothing.
    async fn ask_later(&self, asked: &Asked, at_least: Option<Duration>) -> Result<(), Fault> {
        let tenant = &asked.pair.tenant;
        let later: Vec<_> = asked
            .due
            .iter()
            .map(|(message, looks)| (tenant, *message, self.retry_after(*message, *looks)))
            .map(|(tenant, message, wait)| (tenant, message, wait.max(at_least.unwrap_or(wait))))
            .collect();
        let mut tx = self.store.scoped([tenant]).await?;
        in_doubt::postpone(&mut tx, &later).await?;
        tx.commit().await.map_err(store::fault)
    }

    /// Grows with the looks, and differs between messages whose list failed together.
    fn retry_after(&self, message: MessageId, looks: i32) -> Duration {
        let drawn = (message.0.as_u128() & 0xffff) as f64 / 65_536.0;
        backoff(looks.unsigned_abs() + 1, self.config.retry, self.config.retry_cap, drawn)
    }

    /// From a claim's `call_by` to the first look: only then what is not listed is not there.
    fn first_look(&self) -> Duration {
        self.config.request_timeout + self.config.list_lag.unwrap_or_else(longest_list_lag)
    }

    /// How long after its `call_by` a text that an account took must be in its carrier's list.
    fn listed_after(&self, access: Option<&Access>) -> Duration {
        let carrier = access.and_then(|access| Carrier::from_name(&access.carrier));
        let lag = carrier.map_or_else(longest_list_lag, |carrier| carrier.abilities().list_lag);
        self.config.request_timeout + self.config.list_lag.unwrap_or(lag)
    }
}

impl Source for InDoubtSweep {
    const NAME: StageName = StageName::Reconcile;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.count(cx.machine).await?;
        let more_past = self.raise(cx.now).await?;
        let leased = in_doubt::lease(&self.store, LEASE, PER_TENANT, DOUBTS).await?;
        let more = more_past || leased.more;
        let Cleared { say, ended } = self.look(cx.now, leased).await;
        if ended.is_empty() {
            return Ok(Tick { say, published: None, more });
        }
        let (store, watch_after) = (self.store.clone(), self.config.receipt_fetch);
        let published = async move { in_doubt::said(&store, &ended, watch_after).await };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}

/// Doubts by pair. One whose sender is gone has none, and no way to be cleared up but a callback.
fn pairs(due: Vec<DueDoubt>) -> Vec<Asked> {
    let mut pairs: BTreeMap<Pair, Asked> = BTreeMap::new();
    for DueDoubt { message, account, to, from, access, looks, .. } in due {
        let (Some(sender), Some(from)) = (message.sender, from) else { continue };
        let pair =
            Pair { tenant: message.tenant, account, contact: message.contact, sender, to, from };
        let asked = pairs.entry(pair.clone());
        asked.or_insert(Asked { pair, access, due: Vec::new() }).due.push((message.id, looks));
    }
    pairs.into_values().collect()
}

// === impl Cleared ===

impl Cleared {
    fn add(&mut self, more: Self) {
        self.say.extend(more.say);
        self.ended.extend(more.ended);
    }

    /// A doubt that is none any more: a sweep ended it and died before it could say so, or `send`
    /// heard the answer after all, and has said so itself.
    fn end_elsewhere(&mut self, due: DueDoubt) {
        let DueDoubt { message, settled_version, .. } = due;
        let unsaid = settled_version == Some(message.version) && was_ended(message.state);
        self.say.extend(message.event().filter(|_| unsaid).iter().map(Event::outgoing));
        self.ended.push((message.tenant, message.id, settled_version));
    }
}

/// The states in which the sweep leaves a message. A release keeps the version that parked it.
fn was_ended(state: MessageState) -> bool {
    match state {
        MessageState::Sent | MessageState::Deferred => true,
        MessageState::Unknown | MessageState::Failed => true,
        MessageState::Accepted
        | MessageState::Held
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Delivered
        | MessageState::Read => false,
    }
}
