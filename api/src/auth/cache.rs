//! API keys that were looked up within the last second, so that a busy key costs one query a
//! second. A revoked key works for that second at most.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use store::{Store, keys};
use tokio::time::Instant;

use super::Caller;
use crate::http::Problem;

/// How long an answer of the database holds.
const FRESH: Duration = Duration::from_secs(1);

/// How many keys are remembered: a flood of invented ones must not fill the memory.
const MOST: usize = 10_000;

/// When a key was looked up, and whose it was; by its hash.
type Known = HashMap<[u8; 32], (Instant, Option<Caller>)>;

/// The cache.
#[derive(Default)]
pub(super) struct KeyCache {
    known: Mutex<Known>,
}

impl KeyCache {
    /// Whose key it is; none for a key that does not exist or was revoked.
    pub(super) async fn find(&self, store: &Store, key: &str) -> Result<Option<Caller>, Problem> {
        let hash = keys::hash(key);
        if let Some((at, caller)) = self.lock().get(&hash)
            && at.elapsed() < FRESH
        {
            return Ok(caller.clone());
        }
        let found = keys::find(store, &hash).await?;
        let caller = found.map(|found| Caller {
            tenant: found.tenant,
            subject: format!("key:{}", found.id),
            role: found.role,
        });
        let mut known = self.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(hash, (Instant::now(), caller.clone()));
        Ok(caller)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
