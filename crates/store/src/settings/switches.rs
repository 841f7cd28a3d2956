//! Kill switches: of a tenant, a campaign or a sender. A switch without a row is on.

use domain::{gates::SwitchMode, ids::TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped,
    core::words::{word, words},
    fault,
};

/// What a switch stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchScope {
    /// Everything of the tenant.
    Tenant,
    /// A single campaign.
    Campaign,
    /// A single sender.
    Sender,
}

impl SwitchScope {
    /// Every scope, the widest first.
    pub const ALL: [Self; 3] = [Self::Tenant, Self::Campaign, Self::Sender];

    /// The name in rows, causes and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Campaign => "campaign",
            Self::Sender => "sender",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

words! { SwitchScope = "scope of a switch" }

domain::described_words! {
    SwitchScope, "What a switch stops: everything of the tenant, a campaign, or a sender.";
}

/// A switch that is not on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// What kind of thing it stops.
    pub scope: SwitchScope,
    /// The campaign's or sender's id; empty for the tenant.
    pub target: String,
    /// `paused` or `stopped`.
    pub mode: SwitchMode,
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
        to.scope.as_str(),
        to.target,
        to.mode.as_str(),
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
        to.scope.as_str(),
        to.target,
        to.mode.as_str(),
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
    scope: SwitchScope,
    target: &str,
    reason: Option<&str>,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "delete from switches where tenant_id = $1 and scope = $2 and target = $3
           and ($4::text is null or reason = $4)",
        tenant.as_str(),
        scope.as_str(),
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

    let switch = rows.into_iter().map(|row| {
        Ok(Switch {
            scope: word(&row.scope)?,
            target: row.target,
            mode: word(&row.mode)?,
            reason: row.reason,
            changed_at: row.changed_at.to_jiff(),
        })
    });
    switch.collect()
}

/// What held rows of a switch wait for: `switch:tenant`, `switch:campaign:<id>`, ...
pub fn cause_key(scope: SwitchScope, target: &str) -> String {
    let scope = scope.as_str();
    if target.is_empty() { format!("switch:{scope}") } else { format!("switch:{scope}:{target}") }
}
