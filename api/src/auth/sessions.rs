//! Sessions that were looked up within the last second, each for one company. A session that has
//! ended, a person who has left and a role that has changed are believed for that second; while the
//! database is away, what is known is believed for some minutes.

use domain::ids::TenantId;
use store::{
    Store,
    people::sessions::{self, SessionMember},
};
use uuid::Uuid;

use crate::{
    http::problem::Problem,
    last_known::{Asking, LastKnown},
};

/// How many are remembered.
const MOST: usize = 10_000;

/// Whose each session is and what they may do for a company.
pub(super) struct SessionCache(LastKnown<(Uuid, TenantId), SessionMember>);

impl SessionCache {
    pub(super) fn new(asking: Asking) -> Self {
        Self(LastKnown::new(asking, MOST))
    }

    /// Whose a session is and what they may do for the company; none once it has ended, or once
    /// they have left the company.
    pub(super) async fn member(
        &self,
        store: &Store,
        session: Uuid,
        tenant: &TenantId,
    ) -> Result<Option<SessionMember>, Problem> {
        let (store, of) = (store.clone(), tenant.clone());
        let ask =
            async move { sessions::member(&store, session, &of, stage::machine::now()).await };
        Ok(self.0.get(&(session, tenant.clone()), ask).await?)
    }
}
