//! Releases: on record before the carrier is asked to take a number back.

use domain::ids::{SenderId, TenantId};
use stage::Fault;

use crate::{Scoped, fault};

/// Records that the carrier is asked to take a number back.
pub async fn begin_release(tx: &mut Scoped, tenant: &TenantId, id: SenderId) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'releasing' where tenant_id = $1 and number_id = $2",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Ends a release: the number is not the tenant's any more, or the carrier has not taken it back.
pub async fn end_release(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    is_back: bool,
) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'owned'
         where tenant_id = $1 and number_id = $2 and state = 'releasing' and not $3",
        tenant.as_str(),
        id.0,
        is_back,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from numbers
         where tenant_id = $1 and number_id = $2
           and state in ('releasing', 'failed', 'gone') and $3",
        tenant.as_str(),
        id.0,
        is_back,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
