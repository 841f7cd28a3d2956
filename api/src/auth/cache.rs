//! API keys that were looked up within the last second: a busy key costs one query a second, and
//! one note of its use a minute. A revoked key works for that second; while the database is away,
//! where keys are revoked, a known one goes on working for some minutes.

use jiff::Timestamp;
use store::{
    Store,
    settings::api_keys::{self, KeyKind, KeyOwner},
};

use super::{caller::Caller, reach::Reach, roles::Permission};
use crate::{
    http::problem::{Kind, Problem},
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
    ///
    /// # Errors
    /// It has expired; it is a test key from before there were twins; the database does not answer.
    pub(super) async fn find(
        &self,
        store: &Store,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Caller>, Problem> {
        let hash = api_keys::hash(key);
        let store = store.clone();
        let ask = async move {
            let Some(found) = api_keys::find(&store, &hash).await? else { return Ok(None) };
            if !is_over(found.expires_at, now) {
                api_keys::note_use(&store, &found, now).await?;
            }
            Ok(known(found))
        };

        let Some(caller) = self.0.get(&hash, ask).await? else { return Ok(None) };
        if key.starts_with(KeyKind::Test.prefix()) && !caller.tenant.is_twin() {
            let detail = "test keys from before version 0048 of the schema would really send, and \
                          work no more: make another, or a live one";
            return Err(Problem::new(Kind::Unauthenticated, detail));
        }
        if is_over(caller.expires_at, now) {
            let detail = "the API key has expired: make another, or use another";
            return Err(Problem::new(Kind::Unauthenticated, detail));
        }
        Ok(Some(caller))
    }
}

fn is_over(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| end <= now)
}

/// A key as its row has it. A scope that this version does not know allows nothing here. None for a
/// test key of a tenant without a twin. A twin has no brands of its tenant: nothing limits there.
fn known(found: KeyOwner) -> Option<Caller> {
    let scopes = found
        .scopes
        .map(|scopes| scopes.iter().filter_map(|scope| Permission::from_name(scope)).collect());
    let subject = format!("key:{}", found.id);
    let tenant = match found.kind {
        KeyKind::Live => Reach::new(found.tenant, found.sight),
        KeyKind::Test => Reach::all_of(found.works_in?),
    };
    let (role, expires_at) = (found.role, found.expires_at);
    Some(Caller { tenant, subject, role, scopes, expires_at, signed_in: None })
}
