//! Keys as the columns that statements take.

use std::collections::BTreeSet;

use domain::ids::TenantId;
use sqlx::types::Uuid;

/// The tenants of keys, and what else they have, each as a column.
pub(super) fn columns<'a, T: Copy>(
    keys: &BTreeSet<(&'a TenantId, T)>,
    id: impl Fn(T) -> Uuid,
) -> (Vec<&'a str>, Vec<Uuid>) {
    keys.iter().map(|(tenant, key)| (tenant.as_str(), id(*key))).unzip()
}
