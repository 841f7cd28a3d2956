//! Orders and releases that nobody has settled: the process that asked the carrier died, or its
//! answer was lost. They are leased account by account, and settled by the account's list.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    account::Access,
    ids::{SenderId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::NumberState;
use crate::{
    Scoped, Store,
    core::{
        keyed,
        words::{self, word},
    },
    fault,
};

/// How long after the carrier was asked the first look is: whoever asked it looks three times in a
/// minute by himself.
pub const PATIENCE: Duration = Duration::from_secs(2 * 60);

/// How long after an order the account's list tells whether the number was given: far longer than a
/// call and the lag of any list, and than carriers take over an order of one number.
pub const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// The wait after the first look, doubled for each after it, and the longest.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(60 * 60);

/// An account with numbers that are open.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// The tenant whose account it is.
    pub tenant: TenantId,
    /// The account's handle.
    pub account: String,
    /// How it is asked.
    pub access: Access,
    /// Those of its numbers that are due, in the order of their ids.
    pub numbers: Vec<OpenNumber>,
}

/// A number whose order or release nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNumber {
    /// The number's id.
    pub id: SenderId,
    /// The number, in E.164.
    pub number: String,
    /// What the carrier was asked.
    pub state: NumberState,
    /// The carrier's name of it, where it has said one.
    pub carrier_id: Option<String>,
    /// When the carrier was asked; machine time.
    pub asked_at: Timestamp,
}

/// Takes accounts with open numbers whose look is due, at most so many, those that have waited
/// longest first. Nobody else takes these numbers until their next look.
pub async fn lease_open(
    store: &Store,
    machine: Timestamp,
    at_most: i64,
) -> Result<Vec<OpenAccount>, Fault> {
    let due = due(store, machine, at_most).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }

    let mut tx = store.scoped(due.iter().map(|(tenant, _)| tenant)).await?;
    let rows = sqlx::query!(
        "with due as (
             select n.tenant_id, n.number_id
             from unnest($1::text[], $2::text[]) as k (tenant_id, account)
             join numbers n on n.tenant_id = k.tenant_id and n.account = k.account
             where n.state in ('ordered', 'in_doubt', 'releasing')
               and coalesce(n.next_look, n.asked_at + make_interval(secs => $4)) <= $3
             order by n.tenant_id, n.number_id
             for update of n skip locked
         )
         update numbers n
         set looks = least(n.looks + 1, 100),
             next_look = $3 + make_interval(
                 secs => least($6::float8, $5::float8 * power(2, least(n.looks, 20))))
         from due d, carrier_accounts a
         where n.tenant_id = d.tenant_id and n.number_id = d.number_id
           and a.tenant_id = n.tenant_id and a.account = n.account
         returning n.tenant_id, n.number_id, n.account, n.number, n.state, n.carrier_id, n.asked_at,
                   a.carrier, a.carrier_sid, a.base_url, a.sealed_token",
        &due.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>() as _,
        &due.iter().map(|(_, account)| account.as_str()).collect::<Vec<_>>() as _,
        machine.to_sqlx() as _,
        PATIENCE.as_secs_f64(),
        SOON.as_secs_f64(),
        LONG.as_secs_f64(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)?;

    let mut accounts: BTreeMap<(TenantId, String), OpenAccount> = BTreeMap::new();
    for row in rows {
        let Some(state) = words::readable(word(&row.state)) else { continue };
        let tenant = keyed::tenant(&row.tenant_id);
        let access = || Access {
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
        };
        let found = accounts.entry((tenant.clone(), row.account.clone())).or_insert_with(|| {
            OpenAccount { tenant, account: row.account, access: access(), numbers: Vec::new() }
        });
        found.numbers.push(OpenNumber {
            id: SenderId(row.number_id),
            number: row.number,
            state,
            carrier_id: row.carrier_id,
            asked_at: row.asked_at.to_jiff(),
        });
    }
    Ok(accounts.into_values().collect())
}

/// The accounts with numbers whose look is due, those that have waited longest first.
async fn due(
    store: &Store,
    machine: Timestamp,
    at_most: i64,
) -> Result<Vec<(TenantId, String)>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", account as "account!"
           from accounts_with_open_numbers($1, make_interval(secs => $2), $3)"#,
        machine.to_sqlx() as _,
        PATIENCE.as_secs_f64(),
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let known = |row: &str| words::readable(words::tenant(row));
    let due = rows.into_iter().filter_map(|row| Some((known(&row.tenant_id)?, row.account)));
    Ok(due.collect())
}

/// What the account's list has settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettledNumbers {
    /// Ordered numbers that the account has, each with the carrier's name of it.
    pub owned: Vec<(SenderId, String)>,
    /// Ordered numbers that were not given.
    pub failed: Vec<SenderId>,
    /// Numbers that the carrier has taken back.
    pub released: Vec<SenderId>,
    /// Numbers that the carrier does not take back.
    pub kept: Vec<SenderId>,
}

/// Records what an account's list has settled. A number that has moved on since stays as it is:
/// `asked` is when each was asked for as it was found.
pub async fn settle_open(
    tx: &mut Scoped,
    tenant: &TenantId,
    asked: &BTreeMap<SenderId, Timestamp>,
    settled: &SettledNumbers,
) -> Result<(), Fault> {
    let asked_at = |id: &SenderId| asked.get(id).copied().unwrap_or(Timestamp::MIN).to_sqlx();
    let ids = |of: &[SenderId]| of.iter().map(|id| id.0).collect::<Vec<Uuid>>();
    let times = |of: &[SenderId]| of.iter().map(asked_at).collect::<Vec<_>>();

    let owned: Vec<SenderId> = settled.owned.iter().map(|(id, _)| *id).collect();
    sqlx::query!(
        "update numbers n
         set state = 'owned', code = null, carrier_id = k.name, next_look = null
         from unnest($2::uuid[], $3::timestamptz[], $4::text[]) as k (id, asked_at, name)
         where n.tenant_id = $1 and n.number_id = k.id and n.asked_at = k.asked_at
           and n.state in ('ordered', 'in_doubt')",
        tenant.as_str(),
        &ids(&owned),
        &times(&owned) as _,
        &settled.owned.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "update numbers n set state = 'failed', code = null, next_look = null
         from unnest($2::uuid[], $3::timestamptz[]) as k (id, asked_at)
         where n.tenant_id = $1 and n.number_id = k.id and n.asked_at = k.asked_at
           and n.state in ('ordered', 'in_doubt')",
        tenant.as_str(),
        &ids(&settled.failed),
        &times(&settled.failed) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "update numbers n set state = 'owned', next_look = null
         from unnest($2::uuid[], $3::timestamptz[]) as k (id, asked_at)
         where n.tenant_id = $1 and n.number_id = k.id and n.asked_at = k.asked_at
           and n.state = 'releasing'",
        tenant.as_str(),
        &ids(&settled.kept),
        &times(&settled.kept) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from numbers n
         using unnest($2::uuid[], $3::timestamptz[]) as k (id, asked_at)
         where n.tenant_id = $1 and n.number_id = k.id and n.asked_at = k.asked_at
           and n.state = 'releasing'",
        tenant.as_str(),
        &ids(&settled.released),
        &times(&settled.released) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
