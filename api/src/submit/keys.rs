//! Keys that are taken: whether an `Idempotency-Key` came before with another body. One query for
//! all that arrive together. Where the database has no answer in time the request goes on, and
//! enrich decides: the first body stands, any other is listed and told, and never sent.

use std::{sync::Arc, time::Duration};

use stage::Fault;
use store::{
    Store,
    messages::read::{self, Keyed},
};
use tokio::sync::Semaphore;

use crate::http::problem::FieldError;

/// How many queries run at once. A database that is slow must not cost the other routes all their
/// connections.
const AT_ONCE: usize = 2;

/// The code of the error where a key is taken.
const REUSED: &str = "key_reused";

/// What the caller can do about it.
const FIX: &str = "this key belongs to a message with another body, which stands; \
                   repeat that body, or send this one under a new key";

/// Asks for taken keys. Clones share the limit.
#[derive(Debug, Clone)]
pub struct UsedKeys {
    store: Store,
    patience: Duration,
    permits: Arc<Semaphore>,
}

impl UsedKeys {
    pub(crate) fn new(store: Store, patience: Duration) -> Self {
        Self { store, patience, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Which of these keys are known to be another body's.
    pub(crate) async fn taken(&self, keyed: Vec<Keyed>) -> Vec<bool> {
        let count = keyed.len();
        if count == 0 {
            return Vec::new();
        }

        let (taken, outcome) = match tokio::time::timeout(self.patience, self.ask(keyed)).await {
            Ok(Ok(taken)) => (taken, "known"),
            Ok(Err(_)) => (vec![false; count], "failed"),
            Err(_) => (vec![false; count], "late"),
        };
        metrics::counter!("millrace_ingress_keys_total", "outcome" => outcome)
            .increment(count as u64);
        taken
    }

    /// The query is a task of its own: given up by us, it keeps its permit for as long as it keeps
    /// its connection.
    async fn ask(&self, keyed: Vec<Keyed>) -> Result<Vec<bool>, Fault> {
        let permit = self.permits.clone().acquire_owned().await;
        let store = self.store.clone();

        let asked = tokio::spawn(async move {
            let _permit = permit;
            read::other_bodies(&store, &keyed).await
        });
        asked.await.unwrap_or_else(|panic| Err(Fault::Panicked(panic.to_string())))
    }
}

/// The error of the field that holds the key.
pub(crate) fn reused(field: &str) -> FieldError {
    FieldError { field: field.into(), code: REUSED, detail: FIX.into() }
}
