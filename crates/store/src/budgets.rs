//! Caps on what a tenant or a campaign may spend.

use domain::{ids::TenantId, money::Micros};
use pipeline::Fault;

use crate::{Scoped, fault};

/// A cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// `tenant` or `campaign`
    pub scope: String,
    /// The campaign's id; empty for the tenant.
    pub target: String,
    /// Per day of the tenant.
    pub daily: Option<Micros>,
    /// Per month of the tenant.
    pub monthly: Option<Micros>,
}

/// Sets a cap; without a daily and a monthly one it is removed.
///
/// # Errors
/// An outage.
pub async fn set(tx: &mut Scoped, tenant: &TenantId, to: &Budget) -> Result<(), Fault> {
    if to.daily.is_none() && to.monthly.is_none() {
        sqlx::query!(
            "delete from budgets where tenant_id = $1 and scope = $2 and target = $3",
            tenant.as_str(),
            to.scope,
            to.target,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
        return Ok(());
    }
    sqlx::query!(
        "insert into budgets (tenant_id, scope, target, daily_micros, monthly_micros)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, scope, target) do update
         set daily_micros = excluded.daily_micros, monthly_micros = excluded.monthly_micros",
        tenant.as_str(),
        to.scope,
        to.target,
        to.daily.map(|micros| micros.0),
        to.monthly.map(|micros| micros.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// A tenant's caps, at most 1,000.
///
/// # Errors
/// An outage.
pub async fn list(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<Budget>, Fault> {
    let rows = sqlx::query!(
        "select scope, target, daily_micros, monthly_micros from budgets
         where tenant_id = $1 order by scope desc, target limit 1000",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let budget = rows.into_iter().map(|row| Budget {
        scope: row.scope,
        target: row.target,
        daily: row.daily_micros.map(Micros),
        monthly: row.monthly_micros.map(Micros),
    });
    Ok(budget.collect())
}
