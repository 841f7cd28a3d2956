//! What messages on WhatsApp cost a tenant, in versions, each with the day from which it holds.

use domain::{billing::WhatsappRates, ids::TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::tenants;
use crate::{
    Scoped,
    core::words::{Unreadable, document},
    fault,
};

/// How many versions a tenant has at most: of more, those that have begun first go.
pub const MOST: i64 = 100;

/// One version of a tenant's rates.
#[derive(Debug, Clone, PartialEq)]
pub struct RatesVersion {
    /// The version's number, from 1.
    pub version: i64,
    /// Business time from which on they hold, until that of the next; of two with the same time the
    /// higher version holds.
    pub valid_from: Timestamp,
    /// The prices, in millionths of the tenant's currency.
    pub rates: WhatsappRates,
    /// When they were said.
    pub created_at: Timestamp,
    /// The API key or user.
    pub created_by: String,
}

/// Adds the next version, and answers its number.
pub async fn add(
    tx: &mut Scoped,
    tenant: &TenantId,
    (rates, valid_from): (&WhatsappRates, Timestamp),
    by: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    // One after another, so that each has a number of its own.
    tenants::lock(tx, tenant).await?;
    let version = sqlx::query_scalar!(
        "insert into whatsapp_rates (tenant_id, version, valid_from, body, created_at, created_by)
         select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5 from whatsapp_rates
         where tenant_id = $1
         returning version",
        tenant.as_str(),
        valid_from.to_sqlx() as _,
        wire::json::to_value(rates),
        now.to_sqlx() as _,
        by,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from whatsapp_rates w
         using (select version from whatsapp_rates where tenant_id = $1
                order by valid_from desc, version desc offset $2) old
         where w.tenant_id = $1 and w.version = old.version",
        tenant.as_str(),
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(version)
}

/// A tenant's versions below one, the highest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    below: i64,
    limit: i64,
) -> Result<Vec<RatesVersion>, Fault> {
    let rows = sqlx::query!(
        "select version, valid_from, body, created_at, created_by from whatsapp_rates
         where tenant_id = $1 and version < $2 order by version desc limit $3",
        tenant.as_str(),
        below,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let versions = rows.into_iter().map(|row| {
        Ok(RatesVersion {
            version: row.version,
            valid_from: row.valid_from.to_jiff(),
            rates: document(row.body, "body")?,
            created_at: row.created_at.to_jiff(),
            created_by: row.created_by,
        })
    });
    Ok(versions.collect::<Result<_, Unreadable>>()?)
}

/// The number of the version that holds at a time; none where none does.
pub async fn in_force(
    tx: &mut Scoped,
    tenant: &TenantId,
    at: Timestamp,
) -> Result<Option<i64>, Fault> {
    sqlx::query_scalar!(
        "select version from whatsapp_rates where tenant_id = $1 and valid_from <= $2
         order by valid_from desc, version desc limit 1",
        tenant.as_str(),
        at.to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}
