//! Inboxes: where the people of a brand's conversations are looked after.

use domain::ids::{BrandId, InboxId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed::just_before, fault};

/// How many inboxes a tenant has at most, archived ones among them.
pub const MOST: i64 = 1_000;

/// Where conversations of a brand are looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// The inbox's id.
    pub id: InboxId,
    /// The brand whose conversations they are.
    pub brand: BrandId,
    /// Its name, unique among those of its brand that are not archived.
    pub name: String,
    /// When it was made, in business time.
    pub created_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// Adds an inbox to a brand that is there. False where one of the brand that is not archived has
/// its name, or where [`MOST`] are there.
///
/// # Errors
/// An outage.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Inbox) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into inboxes (tenant_id, inbox_id, brand_id, name, created_at)
         select $1, $2, $3, $4, $5
         where (select count(*) from inboxes where tenant_id = $1) < $6
         on conflict do nothing",
        tenant.as_str(),
        new.id.0,
        new.brand.0,
        new.name,
        new.created_at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's inboxes after one, by id.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Inbox>, Fault> {
    let rows = sqlx::query!(
        "select inbox_id, brand_id, name, created_at, archived_at
           from inboxes where tenant_id = $1 and inbox_id > $2 order by inbox_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let inboxes = rows.into_iter().map(|row| Inbox {
        id: InboxId(row.inbox_id),
        brand: BrandId(row.brand_id),
        name: row.name,
        created_at: row.created_at.to_jiff(),
        archived_at: row.archived_at.map(|at| at.to_jiff()),
    });
    Ok(inboxes.collect())
}

/// A tenant's inbox, locked until the transaction ends where it is to be changed.
///
/// # Errors
/// An outage.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: InboxId,
    lock: bool,
) -> Result<Option<Inbox>, Fault> {
    if lock {
        sqlx::query!(
            "select name from inboxes where tenant_id = $1 and inbox_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let found = list(tx, tenant, just_before(id.0), 1).await?.pop();
    Ok(found.filter(|inbox| inbox.id == id))
}

/// Writes an inbox's name and whether it is archived. False where one of its brand that is not
/// archived has its name.
///
/// # Errors
/// An outage.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, inbox: &Inbox) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update inboxes i set name = $3, archived_at = $4
         where i.tenant_id = $1 and i.inbox_id = $2
           and not exists (select from inboxes o
                           where o.tenant_id = $1 and o.inbox_id <> $2
                             and o.brand_id = i.brand_id and o.archived_at is null
                             and $4::timestamptz is null and lower(o.name) = lower($3))",
        tenant.as_str(),
        inbox.id.0,
        inbox.name,
        inbox.archived_at.map(ToSqlx::to_sqlx) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}
