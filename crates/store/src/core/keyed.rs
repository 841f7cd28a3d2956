//! Keys that travel as arrays, and rows that come back by the position of their key.

use domain::ids::TenantId;

/// The index of the key that a row answers to: `with ordinality` counts from 1.
pub(crate) fn index(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).expect("ordinality counts from 1")
}

/// A tenant key read from a row: the column's check keeps it well formed.
pub(crate) fn tenant(key: &str) -> TenantId {
    key.parse().expect("tenants.tenant_id is checked by the table")
}
