//! Orders: on record before the carrier is asked, and settled by what it says.

use domain::ids::{SenderId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::{super::tenants, MOST, Number, NumberState, get};
use crate::{Scoped, fault};

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// It is recorded, and the carrier may be asked.
    Begun,
    /// The tenant has the number, or an order for it is open.
    Exists(NumberState),
    /// The tenant has [`MOST`].
    Full,
}

/// Records that a number is ordered, before the carrier is asked. An order that has failed may be
/// made again.
pub async fn order(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &Number,
    machine: Timestamp,
) -> Result<Ordered, Fault> {
    // One after another: two that are ordered at once do not both take the last place.
    tenants::lock(tx, tenant).await?;
    let before = get(tx, tenant, new.id, new.created_at, false).await?;
    match before.map(|before| before.state) {
        None | Some(NumberState::Failed | NumberState::Gone) => {}
        Some(state) => return Ok(Ordered::Exists(state)),
    }

    let done = sqlx::query!(
        "insert into numbers (tenant_id, number_id, account, number, state, monthly_cost_micros,
                              brand_id, pool_id, created_at, asked_at)
         select $1, $2, $3, $4, 'ordered', $5, $6, $7, $8, $9
         where (select count(*) from numbers where tenant_id = $1 and number_id <> $2) < $10
         on conflict (tenant_id, number_id) do update
         set account = excluded.account, state = 'ordered', code = null, carrier_id = null,
             monthly_cost_micros = excluded.monthly_cost_micros, brand_id = excluded.brand_id,
             pool_id = excluded.pool_id, created_at = excluded.created_at,
             asked_at = excluded.asked_at, looks = 0, next_look = null",
        tenant.as_str(),
        new.id.0,
        new.account,
        new.number,
        new.monthly_cost.map(|cost| cost.0),
        new.brand.map(|brand| brand.0),
        new.pool.map(|pool| pool.0),
        new.created_at.to_sqlx() as _,
        machine.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(if done.rows_affected() == 1 { Ordered::Begun } else { Ordered::Full })
}

/// Records what became of an open order. One that is settled stays as it is.
pub async fn settle(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    (state, code): (NumberState, Option<i32>),
    carrier_id: Option<&str>,
) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = $3, code = $4, carrier_id = coalesce($5, carrier_id)
         where tenant_id = $1 and number_id = $2 and state in ('ordered', 'in_doubt')",
        tenant.as_str(),
        id.0,
        state.as_str(),
        code,
        carrier_id,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
