//! Tenants' settings that validation needs, read at most once a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::ids::TenantId;
use store::{Store, tenants::Tenant};
use tokio::time::Instant;

use crate::http::{Kind, Problem};

/// How long a row holds.
const FRESH: Duration = Duration::from_secs(1);

/// The cache. Bounded by the number of tenants: only callers that are known get here.
#[derive(Default)]
pub struct Tenants {
    known: Mutex<HashMap<TenantId, (Instant, Arc<Tenant>)>>,
}

impl Tenants {
    /// The tenant's settings.
    pub(crate) async fn get(&self, store: &Store, id: &TenantId) -> Result<Arc<Tenant>, Problem> {
        let known = |tenants: &Self| {
            let known = tenants.known.lock().unwrap_or_else(PoisonError::into_inner);
            let (at, tenant) = known.get(id)?;
            (at.elapsed() < FRESH).then(|| tenant.clone())
        };
        if let Some(tenant) = known(self) {
            return Ok(tenant);
        }
        let mut tx = store.scoped([id]).await?;
        let tenant = store::tenants::get(&mut tx, id).await?;
        let gone = || Problem::new(Kind::Forbidden, "the tenant of this token does not exist");
        let tenant = Arc::new(tenant.ok_or_else(gone)?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.clone(), (Instant::now(), tenant.clone()));
        Ok(tenant)
    }
}
