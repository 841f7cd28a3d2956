//! Tenants' settings that validation needs, read at most once a second.

use std::sync::Arc;

use domain::ids::TenantId;
use store::{Store, settings::tenants::Tenant};

use crate::{
    http::problem::{Kind, Problem},
    last_known::{Asking, LastKnown},
};

/// How many tenants are remembered.
const MOST: usize = 100_000;

/// The settings of each tenant, as they were read last.
pub struct Tenants(LastKnown<TenantId, Arc<Tenant>>);

impl Tenants {
    pub(crate) fn new(asking: Asking) -> Self {
        Self(LastKnown::new(asking, MOST))
    }

    /// The tenant's settings. A tenant that does not exist is forbidden everything.
    pub(crate) async fn get(&self, store: &Store, id: &TenantId) -> Result<Arc<Tenant>, Problem> {
        let (store, whose) = (store.clone(), id.clone());
        let ask = async move {
            let mut tx = store.scoped([&whose]).await?;
            Ok(store::settings::tenants::get(&mut tx, &whose).await?.map(Arc::new))
        };

        let gone =
            || Problem::new(Kind::Unauthenticated, "the tenant of this token does not exist");
        self.0.get(id, ask).await?.ok_or_else(gone)
    }
}
