//! Event consumers: what a tenant's own programs read at the broker.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::tenants;
use crate::{Scoped, fault};

/// How many event consumers a tenant has at most.
pub const MOST: i64 = 20;

/// What a program of a tenant reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventConsumer {
    /// The consumer's id.
    pub id: Uuid,
    /// What it is for, for people.
    pub name: String,
    /// The streams that it reads, by their names at the broker.
    pub reads: Vec<String>,
    /// Where it began, as it was asked for.
    pub begins: String,
    /// When it was made, in machine time.
    pub created_at: Timestamp,
    /// When its credentials end, in machine time.
    pub expires_at: Timestamp,
}

/// Adds one; those of the tenant whose credentials have ended go. False where [`MOST`] are there.
///
/// # Errors
/// An outage.
pub async fn create(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &EventConsumer,
) -> Result<bool, Fault> {
    // One after another: two that are made at once do not both take the last place.
    tenants::lock(tx, tenant).await?;
    sqlx::query!(
        "delete from event_consumers where tenant_id = $1 and expires_at <= $2",
        tenant.as_str(),
        new.created_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let done = sqlx::query!(
        "insert into event_consumers
             (tenant_id, consumer_id, name, reads, begins, created_at, expires_at)
         select $1, $2, $3, $4, $5, $6, $7
         where (select count(*) from event_consumers where tenant_id = $1) < $8",
        tenant.as_str(),
        new.id,
        new.name,
        &new.reads,
        new.begins,
        new.created_at.to_sqlx() as _,
        new.expires_at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's event consumers after one, by id.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<EventConsumer>, Fault> {
    let rows = sqlx::query!(
        "select consumer_id, name, reads, begins, created_at, expires_at
           from event_consumers where tenant_id = $1 and consumer_id > $2
          order by consumer_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let consumers = rows.into_iter().map(|row| EventConsumer {
        id: row.consumer_id,
        name: row.name,
        reads: row.reads,
        begins: row.begins,
        created_at: row.created_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
    });
    Ok(consumers.collect())
}

/// Deletes one, and says what it was; none where there is none.
///
/// # Errors
/// An outage.
pub async fn delete(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<EventConsumer>, Fault> {
    let row = sqlx::query!(
        "delete from event_consumers where tenant_id = $1 and consumer_id = $2
         returning name, reads, begins, created_at, expires_at",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| EventConsumer {
        id,
        name: row.name,
        reads: row.reads,
        begins: row.begins,
        created_at: row.created_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
    }))
}
