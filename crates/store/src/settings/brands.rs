//! Brands: the names that a tenant writes to people under.

use domain::ids::{BrandId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed::just_before, fault};

/// How many brands a tenant has at most, archived ones among them.
pub const MOST: i64 = 1_000;

/// One of the names that a tenant writes to people under.
#[derive(Debug, Clone, PartialEq)]
pub struct Brand {
    /// The brand's id.
    pub id: BrandId,
    /// What the tenant's people call it; unique among those that are not archived.
    pub name: String,
    /// What recipients know it as.
    pub display_name: String,
    /// Its colour, `#` and six hexadecimal digits in small letters.
    pub colour: String,
    /// Where its picture is.
    pub logo_url: Option<String>,
    /// What registries of senders say of it, as the API writes it.
    pub registration: Option<Value>,
    /// When it was made, in business time.
    pub created_at: Timestamp,
    /// When it was archived: nothing new belongs to it.
    pub archived_at: Option<Timestamp>,
}

/// How many brands a tenant has, archived ones among them.
///
/// # Errors
/// An outage.
pub async fn count(tx: &mut Scoped, tenant: &TenantId) -> Result<i64, Fault> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from brands where tenant_id = $1"#,
        tenant.as_str()
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Adds a brand. False where one that is not archived has its name, or where [`MOST`] are there.
///
/// # Errors
/// An outage.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Brand) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into brands (tenant_id, brand_id, name, display_name, colour, logo_url,
                             registration, created_at)
         select $1, $2, $3, $4, $5, $6, $7, $8
         where (select count(*) from brands where tenant_id = $1) < $9
         on conflict do nothing",
        tenant.as_str(),
        new.id.0,
        new.name,
        new.display_name,
        new.colour,
        new.logo_url,
        new.registration,
        new.created_at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's brands after one, by id.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Brand>, Fault> {
    let rows = sqlx::query!(
        "select brand_id, name, display_name, colour, logo_url, registration,
                  created_at, archived_at
           from brands where tenant_id = $1 and brand_id > $2 order by brand_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let brands = rows.into_iter().map(|row| Brand {
        id: BrandId(row.brand_id),
        name: row.name,
        display_name: row.display_name,
        colour: row.colour,
        logo_url: row.logo_url,
        registration: row.registration,
        created_at: row.created_at.to_jiff(),
        archived_at: row.archived_at.map(|at| at.to_jiff()),
    });
    Ok(brands.collect())
}

/// A tenant's brand, locked until the transaction ends where it is to be changed.
///
/// # Errors
/// An outage.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: BrandId,
    lock: bool,
) -> Result<Option<Brand>, Fault> {
    if lock {
        sqlx::query!(
            "select name from brands where tenant_id = $1 and brand_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let found = list(tx, tenant, just_before(id.0), 1).await?.pop();
    Ok(found.filter(|brand| brand.id == id))
}

/// Writes what is said of a brand. False where one that is not archived has its name.
///
/// # Errors
/// An outage.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, brand: &Brand) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update brands b
         set name = $3, display_name = $4, colour = $5, logo_url = $6, registration = $7,
             archived_at = $8
         where b.tenant_id = $1 and b.brand_id = $2
           and not exists (select from brands o
                           where o.tenant_id = $1 and o.brand_id <> $2 and o.archived_at is null
                             and $8::timestamptz is null and lower(o.name) = lower($3))",
        tenant.as_str(),
        brand.id.0,
        brand.name,
        brand.display_name,
        brand.colour,
        brand.logo_url,
        brand.registration,
        brand.archived_at.map(ToSqlx::to_sqlx) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// What belongs to a brand and is in use: senders by number and inboxes by name, ten at most.
///
/// # Errors
/// An outage.
pub async fn in_use_by(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: BrandId,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select 'sender ' || number as "what!" from senders
           where tenant_id = $1 and brand_id = $2 and removed_at is null
           union all
           select 'inbox ' || name from inboxes
           where tenant_id = $1 and brand_id = $2 and archived_at is null
           limit 10"#,
        tenant.as_str(),
        id.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}
