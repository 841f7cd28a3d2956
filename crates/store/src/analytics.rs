//! The totals as people look at them.

pub mod counts;
pub mod hourly;
pub mod recount;
pub mod rollup;
pub mod timed;
pub mod totals;

use std::collections::BTreeMap;

use domain::ids::TenantId;
use sqlx::types::Json;
use stage::Fault;
use wire::{subject::Scope, totals::Totals};

use crate::{Scoped, fault};

/// The totals of a scope, from one statement. None while nothing was counted.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: &Scope,
) -> Result<Option<Totals>, Fault> {
    let row = sqlx::query!(
        r#"select h.as_of, h.watermark, h.version, coalesce((
                  select jsonb_object_agg(t.name, t.value) from totals t
                  where t.tenant_id = $1 and t.scope = $2 and t.scope_id = $3
               ), '{}') as "totals!: Json<BTreeMap<String, i64>>"
           from total_heads h where h.tenant_id = $1 and h.scope = $2 and h.scope_id = $3"#,
        tenant.as_str(),
        scope.as_str(),
        scope.id().unwrap_or_default(),
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| Totals {
        as_of: row.as_of.to_jiff(),
        watermark: row.watermark,
        version: row.version,
        id: scope.id(),
        totals: row.totals.0,
    }))
}
