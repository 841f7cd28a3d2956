//! The connections that are open. All callers share their number, so where it is reached, whoever
//! has most of them loses the one on which it has asked nothing for longest: a caller that keeps
//! connections, or opens them and sends nothing, keeps nobody out.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::ids::TenantId;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a new connection is spared: its first request may be on its way.
const SPARED: Duration = Duration::from_millis(250);

/// How soon whoever waits for room looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// All connections of a process.
pub(crate) struct Connections {
    most: usize,
    open: Mutex<Open>,
    /// A connection has ended, or nobody is answered on it any more.
    freed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    of: HashMap<u64, Known>,
}

/// What is known of one connection.
struct Known {
    holder: Holder,
    /// Since when no request is under way; none while one is.
    idle_since: Option<Instant>,
    has_asked: bool,
    /// Cancelled when it must make room.
    gone: CancellationToken,
}

/// Whose a connection is: the tenant of its last request, or until one is known the peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Peer(IpAddr),
    Tenant(TenantId),
}

/// An open connection. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Slot>);

struct Slot {
    id: u64,
    all: Arc<Connections>,
    gone: CancellationToken,
    /// Requests that are under way: one, or none.
    asked: AtomicUsize,
}

/// A request that is under way, until its answer is written.
pub(crate) struct Asked(Connection);

/// What a request holds of its tenant's share, as an extension of its answer.
#[derive(Clone)]
pub(crate) struct OfShare {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// The body of an answer, which keeps its request under way and in its tenant's share.
pub(crate) struct AnswerBody {
    body: Body,
    _share: Option<OfShare>,
    _asked: Asked,
}

impl OfShare {
    /// One request of it.
    pub(crate) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}

impl Connections {
    /// At most so many.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default(), freed: Notify::new() })
    }

    /// Counts a connection in, once there is room for it.
    pub(crate) async fn open(self: &Arc<Self>, peer: IpAddr) -> Connection {
        loop {
            let freed = self.freed.notified();
            if let Some(connection) = self.try_open(peer) {
                return connection;
            }
            let _ = timeout(LOOK_AGAIN, freed).await;
        }
    }

    fn try_open(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let mut open = self.lock();
        if open.of.len() >= self.most {
            let idle = open.idle_of_the_largest(Instant::now())?;
            let closed = open.of.remove(&idle)?;
            closed.gone.cancel();
            metrics::counter!("millrace_http_connections_closed_total").increment(1);
        }

        let (id, gone) = (open.next, CancellationToken::new());
        open.next += 1;
        let known = Known {
            holder: Holder::Peer(peer),
            idle_since: Some(Instant::now()),
            has_asked: false,
            gone: gone.clone(),
        };
        open.of.insert(id, known);
        let (all, asked) = (Arc::clone(self), AtomicUsize::new(0));
        Some(Connection(Arc::new(Slot { id, all, gone, asked })))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The connection that has been idle for longest, of whoever has most connections among those
    /// that have an idle one.
    fn idle_of_the_largest(&self, now: Instant) -> Option<u64> {
        let mut held: HashMap<&Holder, usize> = HashMap::new();
        for known in self.of.values() {
            *held.entry(&known.holder).or_default() += 1;
        }

        let idle = self.of.iter().filter_map(|(id, known)| {
            let since = known.idle_since?;
            let may_go = known.has_asked || now - since >= SPARED;
            may_go.then(|| (held[&known.holder], now - since, Reverse(*id)))
        });
        idle.max().map(|(.., Reverse(id))| id)
    }
}

impl Connection {
    /// A request has begun.
    pub(crate) fn ask(&self) -> Asked {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        self.know(|known| (known.idle_since, known.has_asked) = (None, true));
        Asked(self.clone())
    }

    /// Whether a request is under way, which may have come just before it was to go.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed) > 0
    }

    /// It is this tenant's.
    pub(crate) fn belongs_to(&self, tenant: &TenantId) {
        self.know(|known| {
            if known.holder != Holder::Tenant(tenant.clone()) {
                known.holder = Holder::Tenant(tenant.clone());
            }
        });
    }

    /// Returns once it must make room for another.
    pub(crate) async fn gone(&self) {
        self.0.gone.cancelled().await;
    }

    fn know(&self, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.0.all.lock().of.get_mut(&self.0.id) {
            change(known);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.all.lock().of.remove(&self.id);
        self.all.freed.notify_waiters();
    }
}

impl Asked {
    /// The answer, which keeps the request under way until it is read.
    pub(crate) fn answer(self, mut response: Response) -> hyper::Response<AnswerBody> {
        let share = response.extensions_mut().remove::<OfShare>();
        response.map(|body| AnswerBody { body, _share: share, _asked: self })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.0.asked.fetch_sub(1, Ordering::Relaxed);
        self.0.know(|known| known.idle_since = Some(Instant::now()));
        self.0.0.all.freed.notify_waiters();
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn peer(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    async fn soon<T>(what: impl Future<Output = T>) -> Option<T> {
        timeout(Duration::from_millis(10), what).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_most_loses_the_one_that_is_idle_for_longest() {
        let all = Connections::new(4);
        let lone = all.open(peer(1)).await;
        let mut many = Vec::new();
        for _ in 0..3 {
            advance(Duration::from_secs(1)).await;
            many.push(all.open(peer(2)).await);
        }
        let asked = many[0].ask();

        advance(SPARED).await;
        let new = soon(all.open(peer(3))).await.expect("room is made");
        assert!(soon(many[1].gone()).await.is_some(), "the first that is idle");
        for stays in [&lone, &many[0], &many[2], &new] {
            assert!(soon(stays.gone()).await.is_none());
        }
        drop(asked);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_somebody_is_answered_stays_and_others_wait() {
        let all = Connections::new(2);
        let (first, second) = (all.open(peer(1)).await, all.open(peer(1)).await);
        let (one, other) = (first.ask(), second.ask());
        assert!(soon(all.open(peer(2))).await.is_none());

        let answered = one.answer(Response::new(Body::empty()));
        assert!(soon(all.open(peer(2))).await.is_none(), "its answer is under way");
        drop(answered);
        assert!(soon(all.open(peer(2))).await.is_some());
        assert!(soon(first.gone()).await.is_some());
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_through_one_peer_are_told_apart_by_their_tenants() {
        let all = Connections::new(3);
        let acme = all.open(peer(1)).await;
        acme.belongs_to(&"acme".parse().expect("valid"));
        advance(Duration::from_secs(60)).await;
        let others = [all.open(peer(1)).await, all.open(peer(1)).await];

        advance(SPARED).await;
        let _new = all.open(peer(1)).await;
        assert!(soon(others[0].gone()).await.is_some());
        assert!(soon(acme.gone()).await.is_none(), "idle for longer, and alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_has_a_moment_for_its_first_request() {
        let all = Connections::new(1);
        let first = all.open(peer(1)).await;
        let begun = Instant::now();
        let second = all.open(peer(2)).await;
        assert!(begun.elapsed() >= SPARED && soon(first.gone()).await.is_some());

        drop(second.ask());
        assert!(soon(all.open(peer(3))).await.is_some(), "this one had its moment");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ends_makes_room() {
        let all = Connections::new(1);
        let first = all.open(peer(1)).await;
        let _asked = first.ask();
        drop((_asked, first));
        assert!(soon(all.open(peer(2))).await.is_some());
    }
}
