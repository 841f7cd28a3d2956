//! Releases: on record before the carrier is asked to take a number back.

use domain::ids::{SenderId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, fault};

/// Records that the carrier is asked to take a number back, at this machine time.
pub async fn begin_release(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'releasing', asked_at = $3, looks = 0, next_look = null
         where tenant_id = $1 and number_id = $2",
        tenant.as_str(),
        id.0,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Ends a release that the carrier has refused: the account has the number still.
pub async fn undo_release(tx: &mut Scoped, tenant: &TenantId, id: SenderId) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'owned'
         where tenant_id = $1 and number_id = $2 and state = 'releasing'",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Forgets a number that the carrier has taken back, or that the account does not have.
pub async fn forget(tx: &mut Scoped, tenant: &TenantId, id: SenderId) -> Result<(), Fault> {
    sqlx::query!(
        "delete from numbers
         where tenant_id = $1 and number_id = $2 and state in ('releasing', 'failed', 'gone')",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
