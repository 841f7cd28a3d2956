//! The platform's own switch, which an operator throws, and what it has held of every tenant.

use domain::{
    gates::{SwitchMode, Wake},
    ids::TenantId,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped, Store,
    audit::{self, AuditEntry},
    core::words::{self, word},
    fault,
    parked::wake::{self, Way, What},
    settings::tenants,
};

/// How many tenants are looked up at once.
const TENANTS: i64 = 1_000;

/// How the platform's own switch stands.
pub async fn mode(tx: &mut Scoped) -> Result<SwitchMode, Fault> {
    let mode = sqlx::query_scalar!("select mode from platform_switch")
        .fetch_one(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(word(&mode)?)
}

/// What throwing the switch has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thrown {
    /// How it stood before.
    pub before: SwitchMode,
    /// Tenants whose trail tells of it.
    pub tenants: u64,
    /// Messages that were held for it and go back to the gates.
    pub released: i64,
}

/// Throws the switch, then tells every tenant's audit trail, and unless it pauses wakes what it has
/// held. Waits for transactions that still hold messages for it. Done again after a crash in
/// between, it does the rest.
pub async fn throw(
    store: &Store,
    mode: SwitchMode,
    reason: &str,
    now: Timestamp,
) -> Result<Thrown, Fault> {
    let before = set(store, mode, reason, now).await?;
    let mut thrown = Thrown { before, tenants: 0, released: 0 };
    let mut after = String::new();
    loop {
        let tenants = tenants::after(store, &after, TENANTS).await?;
        for tenant in &tenants {
            let Some(tenant) = words::readable(words::tenant(tenant)) else { continue };
            thrown.released += tell(store, &tenant, mode, thrown.before, reason, now).await?;
            thrown.tenants += 1;
        }
        match tenants.into_iter().next_back() {
            Some(last) => after = last,
            None => return Ok(thrown),
        }
    }
}

/// Sets the switch, and answers how it stood before.
async fn set(
    store: &Store,
    mode: SwitchMode,
    reason: &str,
    now: Timestamp,
) -> Result<SwitchMode, Fault> {
    let before = sqlx::query_scalar!(
        r#"with before as (select mode from platform_switch for update)
           update platform_switch p set mode = $1, reason = $2, changed_at = $3
           from before b returning b.mode as "mode!""#,
        mode.as_str(),
        reason,
        now.to_sqlx() as _,
    )
    .fetch_one(store.pool())
    .await
    .map_err(fault)?;
    Ok(word(&before)?)
}

/// Tells a tenant's trail, wakes what the switch has held of it, and answers how many that is.
async fn tell(
    store: &Store,
    tenant: &TenantId,
    mode: SwitchMode,
    before: SwitchMode,
    reason: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let mut tx = store.scoped([tenant]).await?;

    let key = Wake::Platform.to_string();
    let what = What::Cause(&key);
    match mode {
        SwitchMode::Paused => wake::cancel(&mut tx, tenant, &what).await?,
        SwitchMode::On => wake::wake(&mut tx, tenant, &what, Way::On).await?,
        SwitchMode::Stopped => {
            wake::wake(&mut tx, tenant, &What::Everything, Way::Ending).await?;
        }
    }
    let released = match mode {
        SwitchMode::Paused => 0,
        SwitchMode::On | SwitchMode::Stopped => wake::waiting(&mut tx, tenant, &key).await?,
    };

    let detail = serde_json::json!({
        "before": before.as_str(),
        "after": mode.as_str(),
        "reason": reason,
        "released": released,
    });
    let entry = AuditEntry {
        tenant: tenant.clone(),
        at: now,
        actor: "operator".into(),
        action: "switch.changed".into(),
        subject: key,
        detail,
    };
    audit::append(&mut tx, &[entry]).await?;
    tx.commit().await.map_err(fault)?;
    Ok(released)
}
