//! Kill switches: of a tenant, a campaign or a sender. A switch without a row is on.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, fault};

/// A switch that is not on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// `tenant`, `campaign` or `sender`
    pub scope: String,
    /// The campaign's or sender's id; empty for the tenant.
    pub target: String,
    /// `paused` or `stopped`
    pub mode: String,
    /// Why, for people.
    pub reason: String,
    /// Business time of the last change.
    pub changed_at: Timestamp,
}

/// Sets a switch.
pub async fn set(tx: &mut Scoped, tenant: &TenantId, to: &Switch) -> Result<(), Fault> {
    sqlx::query!(
        "insert into switches (tenant_id, scope, target, mode, reason, changed_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, scope, target) do update
         set mode = excluded.mode, reason = excluded.reason, changed_at = excluded.changed_at",
        tenant.as_str(),
        to.scope,
        to.target,
        to.mode,
        to.reason,
        to.changed_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Sets a switch that is on; one that is not keeps its mode and reason.
pub async fn set_if_on(tx: &mut Scoped, tenant: &TenantId, to: &Switch) -> Result<(), Fault> {
    sqlx::query!(
        "insert into switches (tenant_id, scope, target, mode, reason, changed_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id, scope, target) do nothing",
        tenant.as_str(),
        to.scope,
        to.target,
        to.mode,
        to.reason,
        to.changed_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Removes a switch: its scope is on again. With a reason, only one that was set for that reason.
/// Waits for every transaction that holds the row for share, so that what they held is seen by
/// [`crate::parked::wake::wake`] afterwards.
pub async fn clear(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: &str,
    target: &str,
    reason: Option<&str>,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "delete from switches where tenant_id = $1 and scope = $2 and target = $3
           and ($4::text is null or reason = $4)",
        tenant.as_str(),
        scope,
        target,
        reason,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected() == 1)
}

/// The switches of a tenant that are not on.
pub async fn list(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<Switch>, Fault> {
    let rows = sqlx::query!(
        "select scope, target, mode, reason, changed_at from switches
         where tenant_id = $1 order by scope, target",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let switch = rows.into_iter().map(|row| Switch {
        scope: row.scope,
        target: row.target,
        mode: row.mode,
        reason: row.reason,
        changed_at: row.changed_at.to_jiff(),
    });
    Ok(switch.collect())
}

/// What held rows of a switch wait for: `switch:tenant`, `switch:campaign:<id>`, ...
pub fn cause_key(scope: &str, target: &str) -> String {
    if target.is_empty() { format!("switch:{scope}") } else { format!("switch:{scope}:{target}") }
}
