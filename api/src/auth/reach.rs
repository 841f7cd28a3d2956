//! How far a caller reaches: their tenant, and how much of it they see. Every transaction of theirs
//! begins with it, so that row-level security keeps both walls for every route.

use std::{fmt, ops::Deref, sync::Arc};

use domain::ids::TenantId;
use store::core::scope::Sight;

/// A tenant, and how much of it somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    tenant: TenantId,
    sight: Option<Arc<Sight>>,
}

impl Reach {
    /// All of a tenant.
    pub(crate) fn all_of(tenant: TenantId) -> Self {
        Self { tenant, sight: None }
    }

    /// What somebody sees of a tenant; without a sight, all of it.
    pub(crate) fn new(tenant: TenantId, sight: Option<Sight>) -> Self {
        Self { tenant, sight: sight.map(Arc::new) }
    }

    /// The tenant's key.
    pub(crate) fn id(&self) -> &TenantId {
        &self.tenant
    }

    /// What is seen of the tenant; none: all of it.
    pub(crate) fn sight(&self) -> Option<&Sight> {
        self.sight.as_deref()
    }

    /// Whether there is something of the tenant that is not seen.
    pub(crate) fn is_limited(&self) -> bool {
        self.sight.is_some()
    }
}

impl Deref for Reach {
    type Target = TenantId;

    fn deref(&self) -> &TenantId {
        &self.tenant
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tenant.fmt(f)
    }
}
