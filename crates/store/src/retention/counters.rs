//! Counters whose window is over. They are looked through in key order, a page at a time: what is
//! left after a pass is what counts, so a pass is short, and no index of age is needed.

use domain::gates::CounterKind;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::{Removed, Step, aged::WINDOWS};
use crate::{Store, core::words, fault};

/// After this long nothing is reserved in, or given back to, a window of a minute or an hour.
const SHORT: SignedDuration = SignedDuration::from_hours(48);

/// Likewise of a day, in any zone.
const DAYS: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A place in the key order of counters.
#[derive(Debug, Clone)]
pub struct CounterPlace {
    tenant: String,
    kind: String,
    key: String,
    window_start: Timestamp,
}

impl Default for CounterPlace {
    fn default() -> Self {
        let (tenant, kind, key) = Default::default();
        Self { tenant, kind, key, window_start: Timestamp::UNIX_EPOCH }
    }
}

/// Removes what is due from the page behind a place. Answers where the next page begins; none where
/// this was the last page.
pub async fn remove(
    store: &Store,
    after: &CounterPlace,
    step: &Step,
) -> Result<(Removed, Option<CounterPlace>), Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", kind as "kind!", key as "key!",
                  window_start as "window_start!"
           from counters_after($1, $2, $3, $4, $5)"#,
        after.tenant,
        after.kind,
        after.key,
        after.window_start.to_sqlx() as _,
        step.rows,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let page: Vec<CounterPlace> = rows
        .into_iter()
        .map(|row| CounterPlace {
            tenant: row.tenant_id,
            kind: row.kind,
            key: row.key,
            window_start: row.window_start.to_jiff(),
        })
        .collect();
    let full = i64::try_from(page.len()).is_ok_and(|found| found >= step.rows);
    let next = page.last().filter(|_| full).cloned();

    let over: Vec<&CounterPlace> = page.iter().filter(|one| is_over(one, step.now)).collect();
    let rows = if over.is_empty() { 0 } else { delete(store, &over).await? };
    Ok((Removed { rows, more: next.is_some() }, next))
}

/// Whether nobody looks at a counter any more. A kind that this version does not know stays.
fn is_over(counter: &CounterPlace, now: Timestamp) -> bool {
    let Some(kind) = CounterKind::from_name(&counter.kind) else { return false };
    let kept = match kind {
        CounterKind::QuotaMinute | CounterKind::QuotaHour => SHORT,
        CounterKind::QuotaDay | CounterKind::SpendDay => DAYS,
        CounterKind::CampaignDay => DAYS,
        // What a number has carried is shown for 30 days.
        CounterKind::SenderDay => WINDOWS,
        CounterKind::SpendMonth | CounterKind::CampaignMonth => WINDOWS,
        // Meters have no window.
        CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => return false,
    };
    counter.window_start <= now - kept
}

async fn delete(store: &Store, over: &[&CounterPlace]) -> Result<u64, Fault> {
    let scope = over.iter().filter_map(|one| words::readable(words::tenant(&one.tenant)));
    let mut tx = store.scoped(scope).await?;
    let done = sqlx::query!(
        "delete from counters c using (
             select n.tenant_id, n.kind, n.key, n.window_start
             from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
                  as k (tenant_id, kind, key, window_start)
             join counters n on n.tenant_id = k.tenant_id and n.kind = k.kind and n.key = k.key
                            and n.window_start = k.window_start
             for update of n skip locked
         ) o
         where c.tenant_id = o.tenant_id and c.kind = o.kind and c.key = o.key
           and c.window_start = o.window_start",
        &over.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &over.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>() as _,
        &over.iter().map(|one| one.key.as_str()).collect::<Vec<_>>() as _,
        &over.iter().map(|one| one.window_start.to_sqlx()).collect::<Vec<_>>() as _,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    Ok(done.rows_affected())
}
