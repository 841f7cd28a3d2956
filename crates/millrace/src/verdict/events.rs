//! What the events say: `counts.moved` of a tenant from the oldest entry on, each once, added up.

use std::collections::BTreeMap;

use domain::ids::TenantId;
use pipeline::Broker;
use wire::{event::CountsData, totals::names};

use crate::counts_moved;

/// The counts that a tenant's events come to, by the names of totals; none where the stream has
/// made room, so that it does not hold all of them any more.
///
/// # Errors
/// The broker does not answer.
pub async fn counts(
    broker: &Broker,
    tenant: &TenantId,
) -> anyhow::Result<Option<BTreeMap<String, i64>>> {
    if counts_moved::complete_from(broker).await?.is_some() {
        return Ok(None);
    }
    let mut counts = BTreeMap::new();
    let add = |moved: CountsData| {
        for name in moved.from.iter().flat_map(names) {
            *counts.entry(name).or_default() -= moved.messages;
        }
        for name in names(&moved.to) {
            *counts.entry(name).or_default() += moved.messages;
        }
    };
    counts_moved::read(broker, tenant, add).await?;
    Ok(Some(counts))
}
