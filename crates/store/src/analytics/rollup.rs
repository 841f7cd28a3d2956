//! What rollup writes: which events are counted, and the totals.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::subject::Scope;

use crate::{Scoped, fault};

/// A difference to one total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delta {
    /// The tenant whose total it is.
    pub tenant: TenantId,
    /// What it is the total of.
    pub scope: Scope,
    /// The total's name.
    pub name: String,
    /// By how much it moves.
    pub by: i64,
}

/// What a batch has counted for one scope.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The tenant whose scope it is.
    pub tenant: TenantId,
    /// What has moved.
    pub scope: Scope,
    /// How many changes of messages and other events were counted.
    pub counted: i64,
    /// Business time of the latest of them.
    pub as_of: Timestamp,
}

/// Marks other events as counted, each named by its tenant and id. Answers the ids of those that
/// were not yet.
pub async fn count_events(
    tx: &mut Scoped,
    now: Timestamp,
    keys: &[(&TenantId, Uuid)],
) -> Result<Vec<Uuid>, Fault> {
    let (tenants, events) = split(keys);

    sqlx::query_scalar!(
        "insert into counted_events (tenant_id, event_id, counted_at)
         select distinct *, $3::timestamptz from unnest($1::text[], $2::uuid[]) order by 1, 2
         on conflict do nothing returning event_id",
        &tenants as _,
        &events,
        now.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Adds differences to totals, and raises the version of each scope that moved. A total and a scope
/// are named once.
pub async fn add(tx: &mut Scoped, deltas: &[Delta], moved: &[Moved]) -> Result<(), Fault> {
    let id = |scope: &Scope| scope.id().unwrap_or_default();
    sqlx::query!(
        "insert into totals as t (tenant_id, scope, scope_id, name, value)
         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
           as k (tenant_id, scope, scope_id, name, by) order by 1, 2, 3, 4
         on conflict (tenant_id, scope, scope_id, name) do update
         set value = t.value + excluded.value",
        &deltas.iter().map(|delta| delta.tenant.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.scope.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| id(&delta.scope)).collect::<Vec<_>>(),
        &deltas.iter().map(|delta| delta.name.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.by).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into total_heads as h (tenant_id, scope, scope_id, as_of, watermark, version)
         select k.tenant_id, k.scope, k.scope_id, k.as_of, k.counted, 1
         from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::bigint[])
           as k (tenant_id, scope, scope_id, as_of, counted) order by 1, 2, 3
         on conflict (tenant_id, scope, scope_id) do update
         set as_of = greatest(h.as_of, excluded.as_of),
             watermark = h.watermark + excluded.watermark,
             version = h.version + 1",
        &moved.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| one.scope.as_str()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| id(&one.scope)).collect::<Vec<_>>(),
        &moved.iter().map(|one| one.as_of.to_sqlx()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| one.counted).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

fn split<'a>(keys: &[(&'a TenantId, Uuid)]) -> (Vec<&'a str>, Vec<Uuid>) {
    keys.iter().map(|(tenant, id)| (tenant.as_str(), *id)).unzip()
}
