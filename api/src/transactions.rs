//! The transactions of requests. Each tenant has a share of this process's database connections, so
//! that many requests of one leave connections to the others.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use domain::ids::TenantId;
use stage::Fault;
use store::{Scoped, Store};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use crate::{auth::Reach, http::problem::Problem, shares::Shares};

/// How many transactions of one tenant are open at once, of the process's eight connections.
const OF_TENANT: usize = 3;

/// How long a request waits for those of its own tenant.
const PATIENCE: Duration = Duration::from_secs(5);

/// The open transactions of each tenant.
pub(crate) struct Transactions {
    store: Store,
    shares: Shares,
}

/// A transaction that holds a part of its tenant's share. Dropped, it is rolled back.
pub(crate) struct TenantTx {
    tx: Scoped,
    _share: OwnedSemaphorePermit,
}

impl Transactions {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, shares: Shares::new(OF_TENANT) }
    }

    /// Begins a transaction that sees and writes one tenant's rows, as far as its caller reaches.
    ///
    /// # Errors
    /// The database is away, or requests of the same tenant leave it no connection for 5 seconds.
    pub(crate) async fn begin(&self, reach: &Reach) -> Result<TenantTx, Problem> {
        let share = self.share(reach.as_str()).await?;
        Ok(TenantTx { tx: self.store.limited(reach, reach.sight()).await?, _share: share })
    }

    /// Begins a transaction that sees and writes the rows of a tenant and of its twin.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn of_both(&self, tenant: &TenantId) -> Result<TenantTx, Problem> {
        let share = self.share(tenant.as_str()).await?;
        let tx = self.store.scoped([tenant, &tenant.twin()]).await?;
        Ok(TenantTx { tx, _share: share })
    }

    /// Begins a transaction for somebody who has not signed in, which sees no tenant's rows. All of
    /// them have one tenant's share.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn of_strangers(&self) -> Result<TenantTx, Problem> {
        let share = self.share("").await?;
        let tx = self.store.scoped(std::iter::empty::<TenantId>()).await?;
        Ok(TenantTx { tx, _share: share })
    }

    /// Begins a transaction for somebody who has just shown who they are, which sees and writes the
    /// rows of these tenants: those that they work for, or found.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn of_companies(&self, tenants: &[TenantId]) -> Result<TenantTx, Problem> {
        let share = self.share("").await?;
        Ok(TenantTx { tx: self.store.scoped(tenants).await?, _share: share })
    }

    /// Begins a transaction that sees one tenant's rows as they are at its start, as far as its
    /// caller reaches, and writes none.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) async fn reading(&self, reach: &Reach) -> Result<TenantTx, Problem> {
        let share = self.share(reach.as_str()).await?;
        Ok(TenantTx { tx: self.store.reading(reach, reach.sight()).await?, _share: share })
    }

    async fn share(&self, whose: &str) -> Result<OwnedSemaphorePermit, Problem> {
        let share = timeout(PATIENCE, self.shares.of(whose).acquire_owned()).await;
        let share = share.ok().and_then(Result::ok);
        let busy = "other requests of yours keep the database busy: send fewer of them at once";
        share.ok_or_else(|| Problem::unavailable(busy, 5))
    }
}

impl TenantTx {
    /// Commits what was written.
    ///
    /// # Errors
    /// The database is away or refuses the data.
    pub(crate) async fn commit(self) -> Result<(), Fault> {
        self.tx.commit().await.map_err(store::fault)
    }
}

impl Deref for TenantTx {
    type Target = Scoped;

    fn deref(&self) -> &Scoped {
        &self.tx
    }
}

impl DerefMut for TenantTx {
    fn deref_mut(&mut self) -> &mut Scoped {
        &mut self.tx
    }
}
