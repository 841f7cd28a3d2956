//! What the series of a tenant say by the hour, for whoever holds it against the events.

use std::collections::{BTreeMap, HashSet};

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{subject::Scope, totals::is_of_messages};

use super::timed::{self, Grain, TimedDelta};
use crate::{Scoped, Store, core::words, fault};

/// The scope of a count, the start of its hour, and the name of its total.
pub type HourKey = (Scope, Timestamp, String);

/// The counts of messages in a tenant's series, by the hour.
#[derive(Debug, Clone, Default)]
pub struct HourlyCounts {
    /// What is counted.
    pub counts: BTreeMap<HourKey, i64>,
    /// The groups of changes that no series holds yet.
    pub unfolded: HashSet<Uuid>,
}

/// What the series of a tenant hold from the start of an hour to before the start of a minute, and
/// what they do not hold yet, at one instant. Hours that have become days are left out.
pub async fn read(
    store: &Store,
    tenant: &TenantId,
    span: (Timestamp, Timestamp),
) -> Result<HourlyCounts, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await
        .map_err(fault)?;

    let counts = counts(&mut tx, tenant, span).await?;
    let unfolded = sqlx::query_scalar!(
        "select group_id from moved_counts where tenant_id = $1",
        tenant.as_str(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;
    Ok(HourlyCounts { counts, unfolded: unfolded.into_iter().collect() })
}

/// Adds to the series of a tenant, unless they have moved since they were read: then it answers
/// false and changes nothing. One at a time, over the whole platform: another one waits.
pub async fn correct(
    store: &Store,
    tenant: &TenantId,
    span: (Timestamp, Timestamp),
    read: &HourlyCounts,
    deltas: &[TimedDelta],
) -> Result<bool, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('millrace.recount', 0))")
        .execute(&mut *tx)
        .await
        .map_err(fault)?;

    if counts(&mut tx, tenant, span).await? != read.counts {
        return Ok(false);
    }
    timed::add(&mut tx, deltas).await?;
    tx.commit().await.map_err(fault)?;
    Ok(true)
}

async fn counts(
    tx: &mut Scoped,
    tenant: &TenantId,
    (from, before): (Timestamp, Timestamp),
) -> Result<BTreeMap<HourKey, i64>, Fault> {
    let rows = sqlx::query!(
        r#"select t.scope, t.scope_id, date_trunc('hour', t.starts_at, 'UTC') as "hour_start!",
                  c.key as "name!", sum(c.value::bigint)::bigint as "counted!"
           from timed_totals t
           cross join lateral jsonb_each_text(t.counts) c
           where t.tenant_id = $1 and t.grain = any ($2) and t.starts_at >= $3 and t.starts_at < $4
           group by 1, 2, 3, 4"#,
        tenant.as_str(),
        &[Grain::Minute, Grain::Hour].map(Grain::as_str) as _,
        from.to_sqlx(),
        before.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut counts = BTreeMap::new();
    for row in rows.into_iter().filter(|row| is_of_messages(&row.name)) {
        let scope = words::scope(&row.scope, row.scope_id)?;
        counts.insert((scope, row.hour_start.to_jiff(), row.name), row.counted);
    }
    Ok(counts)
}
