//! What became of senders' texts, by the minute: delivered, or failed with the carrier's code.
//! Rollup adds what it folds; whoever judges a sender reads its window.

use std::collections::BTreeMap;

use domain::ids::{SenderId, TenantId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, Store, core::words, fault};

/// How long a minute is kept: the longest window is a day, and a probe is judged within that.
pub const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// A number of texts of a sender that ended alike in a minute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutcomeKey {
    /// The tenant that owns the sender.
    pub tenant: TenantId,
    /// The sender that carried them.
    pub sender: SenderId,
    /// Business time at which the minute starts.
    pub minute_start: Timestamp,
    /// The carrier's code, of texts that failed; empty of those delivered.
    pub code: String,
}

/// Adds texts to their minutes.
pub async fn add(tx: &mut Scoped, counts: &BTreeMap<OutcomeKey, i64>) -> Result<(), Fault> {
    if counts.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "insert into sender_outcomes as o (tenant_id, sender_id, minute_start, code, messages)
         select k.tenant_id, k.sender_id, k.minute_start, k.code, k.messages
         from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::bigint[])
           as k (tenant_id, sender_id, minute_start, code, messages)
         order by 1, 2, 3, 4
         on conflict (tenant_id, sender_id, minute_start, code) do update
         set messages = o.messages + excluded.messages",
        &counts.keys().map(|key| key.tenant.as_str()).collect::<Vec<_>>() as _,
        &counts.keys().map(|key| key.sender.0).collect::<Vec<_>>(),
        &counts.keys().map(|key| key.minute_start.to_sqlx()).collect::<Vec<_>>() as _,
        &counts.keys().map(|key| key.code.as_str()).collect::<Vec<_>>() as _,
        &counts.values().copied().collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// What became of a sender's texts from an instant on, by the carrier's code; those delivered are
/// under the empty one.
pub type ByCode = BTreeMap<String, i64>;

/// Reads the outcomes of senders, each from an instant of its own on, in the order of the keys. A
/// minute counts that begins at the instant or later.
pub async fn since(
    tx: &mut Scoped,
    keys: &[(&TenantId, SenderId, Timestamp)],
) -> Result<Vec<ByCode>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", o.code as "code!", o.messages as "messages!"
           from unnest($1::text[], $2::uuid[], $3::timestamptz[]) with ordinality
             as k (tenant_id, sender_id, since, at)
           cross join lateral (
               select r.code, sum(r.messages)::bigint as messages from sender_outcomes r
               where r.tenant_id = k.tenant_id and r.sender_id = k.sender_id
                 and r.minute_start >= k.since
               group by r.code
           ) o"#,
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
        &keys.iter().map(|key| key.2.to_sqlx()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![ByCode::new(); keys.len()];
    for row in rows {
        found[crate::core::keyed::index(row.at)].insert(row.code, row.messages);
    }
    Ok(found)
}

/// Removes the oldest minutes that are not younger than an instant, at most so many rows.
/// Says how many.
pub async fn remove(store: &Store, until: Timestamp, at_most: i64) -> Result<u64, Fault> {
    let found = sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_old_outcomes($1, $2)"#,
        until.to_sqlx(),
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;
    let tenants: Vec<TenantId> =
        found.iter().filter_map(|key| words::readable(words::tenant(key))).collect();
    if tenants.is_empty() {
        return Ok(0);
    }

    let mut tx = store.scoped(&tenants).await?;
    let done = sqlx::query!(
        "delete from sender_outcomes where ctid = any (array(
             select ctid from sender_outcomes where minute_start <= $1
             order by minute_start limit $2 for update skip locked))",
        until.to_sqlx() as _,
        at_most,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)?;
    Ok(done.rows_affected())
}
