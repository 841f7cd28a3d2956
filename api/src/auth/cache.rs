//! API keys that were looked up within the last second, so that a busy key costs one query a
//! second. A revoked key works for that second; while the database is away, where keys are revoked,
//! a known one goes on working for some minutes.

use store::{Store, settings::api_keys};

use super::caller::Caller;
use crate::{
    http::problem::Problem,
    last_known::{Asking, LastKnown},
};

/// How many keys are remembered.
const MOST: usize = 10_000;

/// The caller of each API key, by the key's hash.
pub(super) struct KeyCache(LastKnown<[u8; 32], Caller>);

impl KeyCache {
    pub(super) fn new(asking: Asking) -> Self {
        Self(LastKnown::new(asking, MOST))
    }

    /// Whose key it is; none for a key that does not exist or was revoked.
    pub(super) async fn find(&self, store: &Store, key: &str) -> Result<Option<Caller>, Problem> {
        let hash = api_keys::hash(key);
        let store = store.clone();

        let ask = async move {
            let found = api_keys::find(&store, &hash).await?;
            Ok(found.map(|found| Caller {
                tenant: found.tenant,
                subject: format!("key:{}", found.id),
                role: found.role,
            }))
        };

        Ok(self.0.get(&hash, ask).await?)
    }
}
