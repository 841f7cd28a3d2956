//! Keys that travel as arrays, and rows that come back by the position of their key.

use domain::ids::TenantId;

/// The index of the key that a row answers to: `with ordinality` counts from 1.
pub(crate) fn index(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).expect("ordinality counts from 1")
}

/// The order in which rows are locked, and the way back to the order of the caller. Whoever locks
/// many rows does so in key order, or two who do would wait for each other.
pub(crate) struct LockOrder(Vec<usize>);

impl LockOrder {
    /// The key order of these items.
    pub(crate) fn by<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Self {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_cached_key(|i| key(&items[*i]));
        Self(order)
    }

    /// The items in key order.
    pub(crate) fn sorted<'a, T>(&self, items: &'a [T]) -> Vec<&'a T> {
        self.0.iter().map(|i| &items[*i]).collect()
    }

    /// The caller's index of the key that a row answers to.
    pub(crate) fn index(&self, ordinality: i64) -> usize {
        self.0[index(ordinality)]
    }
}

/// A tenant key read from a row: the column's check keeps it well formed.
pub(crate) fn tenant(key: &str) -> TenantId {
    key.parse().expect("tenants.tenant_id is checked by the table")
}
