//! Leases that are fair between tenants: who may have more due than a lease gave.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::TenantId;

use super::words;

/// The tenants that may have more due than these rows of theirs: those with `per_tenant` of them,
/// and all where there are `at_most`.
pub(crate) fn full(tenants: &[String], per_tenant: i64, at_most: i64) -> BTreeSet<TenantId> {
    let mut found: BTreeMap<&String, i64> = BTreeMap::new();
    for tenant in tenants {
        *found.entry(tenant).or_default() += 1;
    }

    let is_full = found.values().sum::<i64>() >= at_most;
    let full = found.into_iter().filter(|(_, rows)| is_full || *rows >= per_tenant);
    full.filter_map(|(tenant, _)| words::readable(words::tenant(tenant))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_its_part_may_have_more_and_everybody_once_the_lease_is_full() {
        let full = |at_most| {
            let tenants = ["a", "b", "a", "c"].map(|name| format!("tenant-{name}"));
            full(&tenants, 2, at_most)
                .into_iter()
                .map(|tenant| tenant.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(full(5), ["tenant-a"]);
        assert_eq!(full(4), ["tenant-a", "tenant-b", "tenant-c"]);
    }
}
