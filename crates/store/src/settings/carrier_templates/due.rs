//! When an account's templates are read at its carrier, and who does it.

use domain::{account::Access, ids::TenantId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{keyed, words},
    fault,
};

/// How long a process that has taken an account has to read its templates: 60 pages of a call each.
pub(super) const LEASE: SignedDuration = SignedDuration::from_mins(10);

/// An account whose templates are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSync {
    /// Whose account it is.
    pub tenant: TenantId,
    /// The account's handle.
    pub account: String,
    /// How it is called.
    pub access: Access,
    /// Reads that have failed since the last that went well.
    pub tries: i16,
}

/// Has an account's templates read by this machine time at the latest.
pub async fn ask(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    due: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into template_syncs as s (tenant_id, account, due) values ($1, $2, $3)
         on conflict (tenant_id, account) do update set due = least(s.due, excluded.due)",
        tenant.as_str(),
        account,
        due.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Takes accounts that are due, the longest due first: nobody else gets them for ten minutes.
pub async fn lease(store: &Store, machine: Timestamp, at_most: i64) -> Result<Vec<DueSync>, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", account as "account!"
           from due_template_syncs($1, $2)"#,
        machine.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = |key: &str| words::readable(words::tenant(key));
    let keys: Vec<(TenantId, String)> = found
        .into_iter()
        .filter_map(|row| Some((readable(&row.tenant_id)?, row.account)))
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }

    let mut tx = store.scoped(keys.iter().map(|key| &key.0)).await?;
    let rows = sqlx::query!(
        r#"with taken as (
               update template_syncs s set due = $1::timestamptz + make_interval(secs => $2)
               where (s.tenant_id, s.account) in (
                   select d.tenant_id, d.account
                   from unnest($3::text[], $4::text[]) as k (tenant_id, account)
                   join template_syncs d on d.tenant_id = k.tenant_id and d.account = k.account
                   where d.due <= $1 order by d.tenant_id, d.account for update of d skip locked)
               returning s.tenant_id, s.account, s.tries
           )
           select t.tenant_id as "tenant_id!", t.account as "account!", t.tries as "tries!",
                  a.carrier, a.carrier_sid, a.base_url, a.sealed_token
           from taken t
           join carrier_accounts a on a.tenant_id = t.tenant_id and a.account = t.account"#,
        machine.to_sqlx() as _,
        LEASE.as_secs_f64(),
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)?;

    let due = rows.into_iter().map(|row| DueSync {
        tenant: keyed::tenant(&row.tenant_id),
        account: row.account,
        access: Access {
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
        },
        tries: row.tries,
    });
    Ok(due.collect())
}

/// Records that an account's templates could not be read; they are again at this machine time.
pub async fn fail(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    due: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update template_syncs set due = $3, tries = least(tries + 1, 1000)
         where tenant_id = $1 and account = $2",
        tenant.as_str(),
        account,
        due.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
