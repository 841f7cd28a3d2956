//! Calls back to whoever asked for it: over a bounded number of kept connections per host, each
//! call retried when the fault settings say so.

mod link;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinSet,
};

use crate::{
    app::App,
    schedule::Job,
    stats::{CallbackCounters, count},
};
use link::Link;

/// One call takes at most this long, as Twilio's do.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// The most hosts that are called back.
const MAX_ORIGINS: usize = 256;

/// The most calls that wait for a connection to one host; beyond it they fail.
const MAX_WAITING: usize = 1_000_000;

/// A `POST` to be made.
pub(crate) struct Delivery {
    pub(crate) uri: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// The ledger's generation that it belongs to; a reset makes its retries void.
    pub(crate) generation: u32,
    /// Retries so far.
    pub(crate) retries: u8,
    /// Told, by being dropped or used, when the call has ended.
    pub(crate) ended: Option<oneshot::Sender<()>>,
}

/// Makes deliveries.
pub(crate) struct Courier {
    pub(crate) counters: CallbackCounters,
    origins: Mutex<HashMap<Box<str>, Arc<Origin>>>,
    workers: Mutex<JoinSet<()>>,
    /// The most connections to one host.
    connections: usize,
    /// Deliveries taken on and not yet settled or handed to the schedule.
    open: AtomicU64,
}

/// A host, its waiting calls and the workers that make them.
struct Origin {
    authority: Box<str>,
    waiting: Mutex<VecDeque<Box<Delivery>>>,
    /// One permit per waiting call.
    ready: Semaphore,
    workers: AtomicUsize,
    idle: AtomicUsize,
}

impl Delivery {
    /// The same call once more, as a carrier's own retry.
    pub(crate) fn again(&self) -> Box<Self> {
        Box::new(Self {
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            generation: self.generation,
            retries: self.retries,
            ended: None,
        })
    }
}

impl Courier {
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            counters: CallbackCounters::default(),
            origins: Mutex::new(HashMap::new()),
            workers: Mutex::new(JoinSet::new()),
            connections,
            open: AtomicU64::new(0),
        }
    }

    /// Deliveries waiting or under way.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Makes a call as soon as a connection is free.
    pub(crate) fn post(&self, app: &Arc<App>, delivery: Box<Delivery>) {
        let Some(origin) = self.origin(&delivery.uri) else {
            count(&self.counters.failed);
            return;
        };
        {
            let mut waiting = lock(&origin.waiting);
            if waiting.len() >= MAX_WAITING {
                count(&self.counters.failed);
                return;
            }
            self.open.fetch_add(1, Ordering::Relaxed);
            waiting.push_back(delivery);
        }
        origin.ready.add_permits(1);
        let busy = origin.idle.load(Ordering::Acquire) == 0;
        if busy && origin.workers.load(Ordering::Acquire) < self.connections {
            origin.workers.fetch_add(1, Ordering::AcqRel);
            lock(&self.workers).spawn(work(app.clone(), origin));
        }
    }

    /// Drops all calls that wait; those under way end, but are not retried.
    pub(crate) fn clear(&self) {
        for origin in lock(&self.origins).values() {
            let dropped = std::mem::take(&mut *lock(&origin.waiting));
            self.open.fetch_sub(dropped.len() as u64, Ordering::Relaxed);
        }
        self.counters.reset();
    }

    /// Ends all calls at once.
    pub(crate) fn stop(&self) {
        lock(&self.workers).abort_all();
    }

    fn origin(&self, uri: &Uri) -> Option<Arc<Origin>> {
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
        let mut origins = lock(&self.origins);
        if let Some(origin) = origins.get(authority.as_str()) {
            return Some(origin.clone());
        }
        if origins.len() >= MAX_ORIGINS {
            return None;
        }
        let origin = Arc::new(Origin {
            authority: address(authority),
            waiting: Mutex::new(VecDeque::new()),
            ready: Semaphore::new(0),
            workers: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
        });
        origins.insert(authority.as_str().into(), origin.clone());
        Some(origin)
    }
}

/// `host:port`, as a socket wants it.
fn address(authority: &http::uri::Authority) -> Box<str> {
    format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)).into()
}

/// Makes the calls to one host over one connection, until it is aborted.
async fn work(app: Arc<App>, origin: Arc<Origin>) {
    let mut link: Option<Link> = None;
    loop {
        origin.idle.fetch_add(1, Ordering::AcqRel);
        let permit = origin.ready.acquire().await;
        origin.idle.fetch_sub(1, Ordering::AcqRel);
        let Ok(permit) = permit else { return };
        permit.forget();
        let Some(delivery) = lock(&origin.waiting).pop_front() else { continue };
        let call = call(&mut link, &origin.authority, &delivery);
        let answer = tokio::time::timeout(CALL_TIMEOUT, call).await.unwrap_or(None);
        if answer.is_none() {
            link = None;
        }
        settle(&app, delivery, answer);
    }
}

/// One call; `None` when there was no answer. A kept connection may have died while it was idle,
/// so a failure on one is tried again on a new one.
async fn call(link: &mut Option<Link>, address: &str, delivery: &Delivery) -> Option<StatusCode> {
    if let Some(kept) = link {
        if let Some(status) = kept.exchange(delivery).await {
            return Some(status);
        }
        *link = None;
    }
    let mut fresh = Link::open(address).await?;
    let status = fresh.exchange(delivery).await?;
    *link = Some(fresh);
    Some(status)
}

/// Counts the answer, and plans a retry where there is one to make.
fn settle(app: &Arc<App>, mut delivery: Box<Delivery>, answer: Option<StatusCode>) {
    let counters = &app.courier.counters;
    drop(delivery.ended.take());
    let worth_a_retry = answer.is_none_or(|status| status.is_server_error());
    if answer.is_some_and(|status| status.is_success()) {
        count(&counters.sent);
    } else if worth_a_retry && delivery.retries < app.faults().callbacks.retries {
        if app.state().ledger.generation() == delivery.generation {
            delivery.retries += 1;
            count(&counters.retried);
            app.later(app.faults().callbacks.wait(delivery.retries), Job::Post(delivery));
        }
    } else {
        count(&counters.failed);
    }
    app.courier.open.fetch_sub(1, Ordering::Relaxed);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
