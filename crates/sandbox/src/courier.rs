//! Calls back that wait for a connection, by host. `posting` makes them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use http::{Uri, uri::Authority};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    delivery::Delivery,
    stats::{CallbackCounters, count},
};

/// The most hosts that are called back.
const MAX_ORIGINS: usize = 256;

/// The most calls that wait for a connection to one host; beyond it they fail.
const MAX_WAITING: usize = 1_000_000;

/// All deliveries that are taken on.
pub(crate) struct Courier {
    pub(crate) counters: CallbackCounters,
    origins: Mutex<HashMap<Box<str>, Arc<Origin>>>,
    workers: Mutex<JoinSet<()>>,
    /// The most connections to one host.
    connections: usize,
    /// Deliveries taken on and not yet settled or handed to the schedule.
    open: AtomicU64,
}

/// A host, its waiting calls, and how many workers make them.
pub(crate) struct Origin {
    /// `host:port`, as a socket wants it.
    pub(crate) address: Box<str>,
    waiting: Mutex<VecDeque<Box<Delivery>>>,
    /// One permit per waiting call.
    ready: Semaphore,
    workers: AtomicUsize,
    /// Workers that wait for a call.
    idle: AtomicUsize,
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

    /// Takes a delivery on, or counts it as failed. Gives its host where that wants one more
    /// worker, which the caller is to start.
    pub(crate) fn take(&self, delivery: Box<Delivery>) -> Option<Arc<Origin>> {
        let Some(origin) = self.origin(&delivery.uri) else {
            count(&self.counters.failed);
            return None;
        };
        {
            let mut waiting = lock(&origin.waiting);
            if waiting.len() >= MAX_WAITING {
                count(&self.counters.failed);
                return None;
            }
            self.open.fetch_add(1, Ordering::Relaxed);
            waiting.push_back(delivery);
        }
        origin.ready.add_permits(1);

        let busy = origin.idle.load(Ordering::Acquire) == 0;
        let wants_worker = busy && origin.workers.load(Ordering::Acquire) < self.connections;
        wants_worker.then(|| {
            origin.workers.fetch_add(1, Ordering::AcqRel);
            origin
        })
    }

    /// Starts a worker, to be ended by [`Courier::stop`].
    pub(crate) fn spawn(&self, worker: impl Future<Output = ()> + Send + 'static) {
        lock(&self.workers).spawn(worker);
    }

    /// One delivery is settled, or back with the schedule.
    pub(crate) fn done(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
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

    /// The host of a URI; none for `https`, and for one host too many.
    fn origin(&self, uri: &Uri) -> Option<Arc<Origin>> {
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
        let mut origins = lock(&self.origins);
        if let Some(origin) = origins.get(authority.as_str()) {
            return Some(origin.clone());
        }
        if origins.len() >= MAX_ORIGINS {
            return None;
        }

        let origin = Arc::new(Origin::new(authority));
        origins.insert(authority.as_str().into(), origin.clone());
        Some(origin)
    }
}

impl Origin {
    fn new(authority: &Authority) -> Self {
        let port = authority.port_u16().unwrap_or(80);
        Self {
            address: format!("{}:{port}", authority.host()).into(),
            waiting: Mutex::new(VecDeque::new()),
            ready: Semaphore::new(0),
            workers: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
        }
    }

    /// The delivery that has waited longest, as soon as there is one.
    pub(crate) async fn next(&self) -> Option<Box<Delivery>> {
        loop {
            self.idle.fetch_add(1, Ordering::AcqRel);
            let permit = self.ready.acquire().await;
            self.idle.fetch_sub(1, Ordering::AcqRel);
            permit.ok()?.forget();

            // A reset takes the calls, not their permits.
            if let Some(delivery) = lock(&self.waiting).pop_front() {
                return Some(delivery);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
