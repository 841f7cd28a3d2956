//! Totals on their way to subscribers: rows whose version is ahead of what was published.

use std::collections::BTreeMap;

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use stage::Fault;
use wire::{subject::Scope, totals::Totals};

use crate::{
    Store,
    core::{keyed, words},
    fault,
};

/// One scope's totals to publish.
#[derive(Debug, Clone)]
pub struct DueTotal {
    /// The tenant whose totals they are.
    pub tenant: TenantId,
    /// What they are the totals of.
    pub scope: Scope,
    /// What to publish.
    pub totals: Totals,
}

/// How long one publisher has a scope to itself.
const LEASE: SignedDuration = SignedDuration::from_secs(5);

/// Leases up to `at_most` scopes that subscribers have not seen the latest version of. Those that
/// this version cannot read are left out.
pub async fn lease(
    store: &Store,
    machine: Timestamp,
    at_most: i64,
) -> Result<Vec<DueTotal>, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", scope as "scope!", scope_id as "scope_id!"
           from unpublished_totals($1)"#,
        at_most
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if found.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Vec<String> = found.iter().map(|row| row.tenant_id.clone()).collect();
    let readable = tenants.iter().filter_map(|key| words::readable(words::tenant(key)));
    let mut tx = store.scoped(readable).await?;

    let rows = sqlx::query!(
        r#"with free as (
               select h.tenant_id, h.scope, h.scope_id from total_heads h
               join unnest($1::text[], $2::text[], $3::uuid[]) as k (tenant_id, scope, scope_id)
                 on h.tenant_id = k.tenant_id and h.scope = k.scope and h.scope_id = k.scope_id
               where h.published < h.version and (h.leased_until is null or h.leased_until < $5)
               for update of h skip locked
           ), due as (
               update total_heads h set leased_until = $4
               from free f
               where h.tenant_id = f.tenant_id and h.scope = f.scope and h.scope_id = f.scope_id
               returning h.tenant_id, h.scope, h.scope_id, h.as_of, h.watermark, h.version
           )
           select d.*, jsonb_object_agg(t.name, t.value) as "totals!: Json<BTreeMap<String, i64>>"
           from due d
           join totals t
             on t.tenant_id = d.tenant_id and t.scope = d.scope and t.scope_id = d.scope_id
           group by d.tenant_id, d.scope, d.scope_id, d.as_of, d.watermark, d.version"#,
        &tenants,
        &found.iter().map(|row| row.scope.clone()).collect::<Vec<_>>(),
        &found.iter().map(|row| row.scope_id).collect::<Vec<_>>(),
        (machine + LEASE).to_sqlx(),
        machine.to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    let due = rows.into_iter().filter_map(|row| {
        let scope = words::readable(words::scope(&row.scope, row.scope_id))?;
        let totals = Totals {
            as_of: row.as_of.to_jiff(),
            watermark: row.watermark,
            version: row.version,
            id: scope.id(),
            totals: row.totals.0,
        };
        Some(DueTotal { tenant: keyed::tenant(&row.tenant_id), scope, totals })
    });
    Ok(due.collect())
}

/// Marks what was published, and gives the leases back. After an outage the leases run out, and the
/// same totals are published again.
pub async fn published(store: &Store, due: &[DueTotal]) -> Result<(), Fault> {
    let mut tx = store.scoped(due.iter().map(|one| &one.tenant)).await?;
    sqlx::query!(
        "with k as materialized (
             select k.* from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[])
               as k (tenant_id, scope, scope_id, version)
             join total_heads h
               on h.tenant_id = k.tenant_id and h.scope = k.scope and h.scope_id = k.scope_id
             order by h.tenant_id, h.scope, h.scope_id for update of h
         )
         update total_heads h set published = greatest(h.published, k.version), leased_until = null
         from k
         where h.tenant_id = k.tenant_id and h.scope = k.scope and h.scope_id = k.scope_id",
        &due.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &due.iter().map(|one| one.scope.as_str()).collect::<Vec<_>>() as _,
        &due.iter().map(|one| one.scope.id().unwrap_or_default()).collect::<Vec<_>>(),
        &due.iter().map(|one| one.totals.version).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}
