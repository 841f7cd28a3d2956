//! Pace rows: how fast a sender may go, and what a carrier asked to slow down. Database time, so
//! that hosts need not agree; moved under their locks alone, so that the pace holds whatever dies.

use std::time::Duration;

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, fault};

/// A pace row, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaceLock {
    /// Whose.
    pub tenant: TenantId,
    /// `sender:<id>` or `account:<key>`.
    pub key: String,
    /// When it may go on; database time.
    pub next_free: Timestamp,
}

/// Locks pace rows in key order. Rows of `senders` are made where they are missing; one of
/// `accounts` exists only once the carrier has asked to be called less. Answers the locked rows and
/// the database's clock once all locks were held. At least one sender.
///
/// # Errors
/// An outage.
pub async fn lock_pace(
    tx: &mut Scoped,
    senders: &[(TenantId, String)],
    accounts: &[(TenantId, String)],
) -> Result<(Vec<PaceLock>, Timestamp), Fault> {
    let (mut rows, mut now) = lock(tx, senders, accounts).await?;
    let found = rows.iter().filter(|row| row.key.starts_with("sender:")).count();
    if found < senders.len() {
        make(tx, senders).await?;
        (rows, now) = lock(tx, senders, accounts).await?;
    }
    Ok((rows, now.ok_or(sqlx::Error::RowNotFound).map_err(fault)?))
}

async fn lock(
    tx: &mut Scoped,
    senders: &[(TenantId, String)],
    accounts: &[(TenantId, String)],
) -> Result<(Vec<PaceLock>, Option<Timestamp>), Fault> {
    let all = || senders.iter().chain(accounts);
    let tenants: Vec<&str> = all().map(|key| key.0.as_str()).collect();
    let keys: Vec<&str> = all().map(|key| key.1.as_str()).collect();
    let rows = sqlx::query!(
        r#"with locked as (
               select p.tenant_id, p.key, p.next_free
               from unnest($1::text[], $2::text[]) as k (tenant_id, key)
               join pace p on p.tenant_id = k.tenant_id and p.key = k.key
               order by p.tenant_id, p.key
               for update of p
           )
           select tenant_id, key, next_free, clock_timestamp() as "now!" from locked"#,
        &tenants as _,
        &keys as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    // The clock is read per row, after its lock: the last reading is the one that counts.
    let now = rows.iter().map(|row| row.now.to_jiff()).max();
    let locks = rows.into_iter().map(|row| PaceLock {
        tenant: crate::core::keyed::tenant(&row.tenant_id),
        key: row.key,
        next_free: row.next_free.to_jiff(),
    });
    Ok((locks.collect(), now))
}

async fn make(tx: &mut Scoped, senders: &[(TenantId, String)]) -> Result<(), Fault> {
    let tenants: Vec<&str> = senders.iter().map(|key| key.0.as_str()).collect();
    let keys: Vec<&str> = senders.iter().map(|key| key.1.as_str()).collect();
    sqlx::query!(
        "insert into pace (tenant_id, key, next_free)
         select k.tenant_id, k.key, clock_timestamp()
         from unnest($1::text[], $2::text[]) as k (tenant_id, key)
         order by k.tenant_id, k.key
         on conflict do nothing",
        &tenants as _,
        &keys as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Slows keys down because the carrier asked for it: nothing goes before `pause` has passed.
///
/// # Errors
/// An outage.
pub async fn slow(tx: &mut Scoped, keys: &[(TenantId, String, Duration)]) -> Result<(), Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let names: Vec<&str> = keys.iter().map(|key| key.1.as_str()).collect();
    let pauses: Vec<f64> = keys.iter().map(|key| key.2.as_secs_f64()).collect();
    sqlx::query!(
        "insert into pace as p (tenant_id, key, next_free)
         select k.tenant_id, k.key, clock_timestamp() + make_interval(secs => max(k.pause))
         from unnest($1::text[], $2::text[], $3::float8[]) as k (tenant_id, key, pause)
         group by k.tenant_id, k.key
         order by k.tenant_id, k.key
         on conflict (tenant_id, key)
         do update set next_free = greatest(p.next_free, excluded.next_free)",
        &tenants as _,
        &names as _,
        &pauses,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Pace rows as arrays.
pub(crate) struct PaceColumns<'a> {
    pub(crate) tenants: Vec<&'a str>,
    pub(crate) keys: Vec<&'a str>,
    pub(crate) next_free: Vec<jiff_sqlx::Timestamp>,
}

pub(crate) fn columns(rows: &[PaceLock]) -> PaceColumns<'_> {
    PaceColumns {
        tenants: rows.iter().map(|row| row.tenant.as_str()).collect(),
        keys: rows.iter().map(|row| row.key.as_str()).collect(),
        next_free: rows.iter().map(|row| row.next_free.to_sqlx()).collect(),
    }
}
