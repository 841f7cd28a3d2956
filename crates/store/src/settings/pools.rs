//! Pools: groups of senders.

use domain::ids::{PoolId, SenderId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed::just_before, fault};

/// A group of senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The pool's id.
    pub id: PoolId,
    /// The pool's name, unique within the tenant.
    pub name: String,
    /// Its senders, as given.
    pub senders: Vec<Uuid>,
    /// When it was set up, in business time.
    pub created_at: Timestamp,
}

struct PoolRow {
    pool_id: Uuid,
    name: String,
    senders: Vec<Uuid>,
    created_at: jiff_sqlx::Timestamp,
}

impl From<PoolRow> for Pool {
    fn from(row: PoolRow) -> Self {
        Self {
            id: PoolId(row.pool_id),
            name: row.name,
            senders: row.senders,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// Adds a pool.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Pool) -> Result<(), Fault> {
    sqlx::query!(
        "insert into pools (tenant_id, pool_id, name, senders, created_at)
         values ($1, $2, $3, $4, $5)",
        tenant.as_str(),
        new.id.0,
        new.name,
        &new.senders,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// A tenant's pools after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Pool>, Fault> {
    let rows = sqlx::query_as!(
        PoolRow,
        "select pool_id, name, senders, created_at from pools
         where tenant_id = $1 and pool_id > $2 order by pool_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Pool::from).collect())
}

/// A tenant's pool, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: PoolId,
    lock: bool,
) -> Result<Option<Pool>, Fault> {
    if lock {
        sqlx::query!(
            "select name from pools where tenant_id = $1 and pool_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let before = just_before(id.0);
    let found = list(tx, tenant, before, 1).await?.pop();
    Ok(found.filter(|pool| pool.id == id))
}

/// Locks the pools that a sender is in, and those that it is to be in: in key order.
pub async fn lock(
    tx: &mut Scoped,
    tenant: &TenantId,
    sender: SenderId,
    wanted: &[Uuid],
) -> Result<Vec<Pool>, Fault> {
    let rows = sqlx::query_as!(
        PoolRow,
        "select pool_id, name, senders, created_at from pools
         where tenant_id = $1 and (pool_id = any ($2) or $3 = any (senders))
         order by pool_id for no key update",
        tenant.as_str(),
        wanted,
        sender.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(Pool::from).collect())
}

/// Writes a pool's name and senders.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, pool: &Pool) -> Result<(), Fault> {
    sqlx::query!(
        "update pools set name = $3, senders = $4 where tenant_id = $1 and pool_id = $2",
        tenant.as_str(),
        pool.id.0,
        pool.name,
        &pool.senders,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Deletes a pool.
pub async fn delete(tx: &mut Scoped, tenant: &TenantId, id: PoolId) -> Result<(), Fault> {
    sqlx::query!("delete from pools where tenant_id = $1 and pool_id = $2", tenant.as_str(), id.0,)
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

/// The names of the pools that a sender is in.
pub async fn names_of(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        "select name from pools where tenant_id = $1 and $2 = any (senders) order by pool_id",
        tenant.as_str(),
        id.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// The names of the campaigns that a pool carries and that have not ended, drafts among them.
pub async fn campaigns_of(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: PoolId,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        "select name from campaigns
         where tenant_id = $1 and pool_id = $2 and state not in ('stopped', 'completed')
         order by campaign_id",
        tenant.as_str(),
        id.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Whether the tenant has this pool.
pub async fn exists(tx: &mut Scoped, tenant: &TenantId, id: PoolId) -> Result<bool, Fault> {
    sqlx::query_scalar!(
        r#"select exists (select from pools where tenant_id = $1 and pool_id = $2) as "exists!""#,
        tenant.as_str(),
        id.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}
