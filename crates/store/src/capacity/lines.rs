//! Lines: when the next of the messages fits that wait for a capacity.

use std::collections::BTreeMap;

use domain::{
    gates::{CounterKind, LineKey},
    ids::TenantId,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped,
    core::keyed,
    fault,
    parked::wake::{self, LAST_PASS, What},
};

/// The lines of these tenants, each with the time at which the next message fits. The line of a
/// capacity that this version does not count is left out.
pub async fn of<'a>(
    tx: &mut Scoped,
    tenants: impl Iterator<Item = &'a TenantId>,
) -> Result<Vec<(TenantId, LineKey, Timestamp)>, Fault> {
    let tenants: Vec<&str> = tenants.map(TenantId::as_str).collect();
    let rows = sqlx::query!(
        "select tenant_id, key, next_due from lines where tenant_id = any($1)",
        &tenants as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let line = rows.into_iter().filter_map(|row| {
        let key = LineKey::parse(&row.key)?;
        Some((keyed::tenant(&row.tenant_id), key, row.next_due.to_jiff()))
    });
    Ok(line.collect())
}

/// Moves lines on to where a batch has left them; one that has come further stays there. A line is
/// named once. Lines of the same tenants that nobody stands in any more go, but for those that
/// somebody else has locked, and those for a sender's pace, which schedule looks after.
pub async fn move_on(
    tx: &mut Scoped,
    lines: &[(&TenantId, LineKey, Timestamp)],
    now: Timestamp,
) -> Result<(), Fault> {
    if lines.is_empty() {
        return Ok(());
    }

    let tenants: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    let keys: Vec<String> = lines.iter().map(|line| line.1.to_string()).collect();
    let next: Vec<_> = lines.iter().map(|line| line.2.to_sqlx()).collect();

    sqlx::query!(
        "insert into lines as l (tenant_id, key, next_due)
         select tenant_id, key, next_due
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as k (tenant_id, key, next_due)
         order by tenant_id, key
         on conflict (tenant_id, key) do update
         set next_due = greatest(l.next_due, excluded.next_due)",
        &tenants as _,
        &keys,
        &next as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from lines l
         using (select tenant_id, key from lines where tenant_id = any($1) and next_due < $2
                   and key not like 'admitted_urgent:%' and key not like 'admitted_bulk:%'
                for update skip locked) over
         where l.tenant_id = over.tenant_id and l.key = over.key",
        &tenants as _,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// The lines of a tenant's senders: messages wait for room in the day of each.
pub async fn of_senders(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<LineKey>, Fault> {
    let keys = of(tx, std::iter::once(tenant)).await?.into_iter().map(|(_, key, _)| key);
    Ok(keys.filter(|key| key.kind == CounterKind::SenderDay).collect())
}

/// Ends the lines of capacities that have changed: the gates are asked again about whoever stands
/// in them, and each line begins anew. The same holds for whoever comes to stand there while a gate
/// may still know the old capacity.
pub async fn dissolve(
    tx: &mut Scoped,
    tenant: &TenantId,
    keys: &[LineKey],
    now: Timestamp,
) -> Result<(), Fault> {
    // In key order, each wake before its line, as others lock them.
    let keys: BTreeMap<String, LineKey> = keys.iter().map(|key| (key.to_string(), *key)).collect();
    for (text, key) in keys {
        let cause = domain::gates::Wake::Line(key).to_string();
        wake::wake_parked_before(tx, tenant, &What::Cause(&cause), now + LAST_PASS).await?;

        sqlx::query!("delete from lines where tenant_id = $1 and key = $2", tenant.as_str(), text,)
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
    }
    Ok(())
}
