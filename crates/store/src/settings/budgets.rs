//! Caps on what a tenant or a campaign may spend.

use domain::{
    gates::capacity::alerts::{AlertLevel, BudgetAlert},
    ids::TenantId,
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::in_lock_order,
        words::{word, words},
    },
    fault,
};

/// What a cap is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetScope {
    /// All that the tenant spends.
    Tenant,
    /// What a single campaign spends.
    Campaign,
}

impl BudgetScope {
    /// Both scopes, the wider one first.
    pub const ALL: [Self; 2] = [Self::Tenant, Self::Campaign];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Campaign => "campaign",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

words! { BudgetScope = "scope of a budget" }

domain::described_words! {
    BudgetScope, "What a cap is on: all that the tenant spends, or what a single campaign spends.";
}

/// What a tenant or a campaign may spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What kind of thing it caps.
    pub scope: BudgetScope,
    /// The campaign's id; empty for the tenant.
    pub target: String,
    /// Per day of the tenant.
    pub daily: Option<Micros>,
    /// Per month of the tenant.
    pub monthly: Option<Micros>,
}

/// Lets nobody else change a budget of the tenant until the transaction ends.
pub async fn lock(tx: &mut Scoped, tenant: &TenantId) -> Result<(), Fault> {
    sqlx::query!("select pg_advisory_xact_lock(18, hashtext($1))", tenant.as_str())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

/// Sets a cap; without a daily and a monthly one it is removed.
pub async fn set(tx: &mut Scoped, tenant: &TenantId, to: &Budget) -> Result<(), Fault> {
    if to.daily.is_none() && to.monthly.is_none() {
        sqlx::query!(
            "delete from budgets where tenant_id = $1 and scope = $2 and target = $3",
            tenant.as_str(),
            to.scope.as_str(),
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
        to.scope.as_str(),
        to.target,
        to.daily.map(|micros| micros.0),
        to.monthly.map(|micros| micros.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Writes alerts down. Answers those, in the order of `alerts`, that nobody was told of before in
/// their window.
pub async fn first<'a>(
    tx: &mut Scoped,
    alerts: &'a [BudgetAlert],
    now: Timestamp,
) -> Result<Vec<&'a BudgetAlert>, Fault> {
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    let level = |alert: &BudgetAlert| match alert.level {
        AlertLevel::Warning => "warning",
        AlertLevel::Exhausted => "exhausted",
    };
    let target = |alert: &BudgetAlert| alert.key.target.map_or(String::new(), |id| id.to_string());
    let sorted = in_lock_order(alerts, |alert| (&alert.key, level(alert)));

    let rows = sqlx::query!(
        "insert into budget_alerts (tenant_id, kind, key, window_start, level, at)
         select tenant_id, kind, key, window_start, level, $6
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
              as k (tenant_id, kind, key, window_start, level)
         on conflict do nothing
         returning tenant_id, kind, key, window_start, level",
        &sorted.iter().map(|alert| alert.key.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|alert| alert.key.kind.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|alert| target(alert)).collect::<Vec<_>>(),
        &sorted.iter().map(|alert| alert.key.window_start.to_sqlx()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|alert| level(alert)).collect::<Vec<_>>() as _,
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let first = alerts.iter().filter(|alert| {
        rows.iter().any(|row| {
            row.tenant_id == alert.key.tenant.as_str()
                && row.kind == alert.key.kind.as_str()
                && row.key == target(alert)
                && row.window_start.to_jiff() == alert.key.window_start
                && row.level == level(alert)
        })
    });
    Ok(first.collect())
}

/// A tenant's caps, at most 1,000.
pub async fn list(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<Budget>, Fault> {
    let rows = sqlx::query!(
        "select scope, target, daily_micros, monthly_micros from budgets
         where tenant_id = $1 order by scope desc, target limit 1000",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let budget = rows.into_iter().map(|row| {
        Ok(Budget {
            scope: word(&row.scope)?,
            target: row.target,
            daily: row.daily_micros.map(Micros),
            monthly: row.monthly_micros.map(Micros),
        })
    });
    budget.collect()
}
