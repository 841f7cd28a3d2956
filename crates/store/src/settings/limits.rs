//! What a member, an invitation or a key is limited to: some brands and inboxes of its tenant.

use domain::ids::TenantId;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// How many brands, and how many inboxes, one may be limited to.
pub const MOST: usize = 100;

/// The brands and inboxes that somebody is limited to. Without any, they see all of their tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandLimits {
    /// Of these everything: senders, pools, campaigns, messages, inboxes.
    pub brands: Vec<Uuid>,
    /// Of these themselves, and of their brands everything but other inboxes.
    pub inboxes: Vec<Uuid>,
}

impl BrandLimits {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.brands.is_empty() && self.inboxes.is_empty()
    }

    /// As two columns keep them: null where there are none.
    pub(crate) fn columns(&self) -> (Option<&[Uuid]>, Option<&[Uuid]>) {
        let some = !self.are_none();
        (some.then_some(&self.brands[..]), some.then_some(&self.inboxes[..]))
    }

    /// As two columns keep them.
    pub(crate) fn of(brands: Option<Vec<Uuid>>, inboxes: Option<Vec<Uuid>>) -> Self {
        Self { brands: brands.unwrap_or_default(), inboxes: inboxes.unwrap_or_default() }
    }
}

/// What of limits a tenant does not have: brands, then inboxes.
pub async fn missing(
    tx: &mut Scoped,
    tenant: &TenantId,
    limits: &BrandLimits,
) -> Result<BrandLimits, Fault> {
    let brands = sqlx::query_scalar!(
        r#"select k.id as "id!" from unnest($2::uuid[]) as k (id)
           where not exists (select from brands b where b.tenant_id = $1 and b.brand_id = k.id)"#,
        tenant.as_str(),
        &limits.brands,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let inboxes = sqlx::query_scalar!(
        r#"select k.id as "id!" from unnest($2::uuid[]) as k (id)
           where not exists (select from inboxes i where i.tenant_id = $1 and i.inbox_id = k.id)"#,
        tenant.as_str(),
        &limits.inboxes,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(BrandLimits { brands, inboxes })
}
