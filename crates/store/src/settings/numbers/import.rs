//! Imports: what a carrier lists of an account is taken over, and settles what is open.

use domain::{
    ids::{SenderId, TenantId},
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{super::tenants, MOST};
use crate::{Scoped, fault};

/// What an account's list has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Numbers that were not known.
    pub added: i64,
    /// Open orders that the list has settled.
    pub settled: i64,
    /// Numbers that are known and listed no more.
    pub gone: i64,
    /// Numbers that found no room.
    pub left_out: i64,
}

/// When an account's list was read.
#[derive(Debug, Clone, Copy)]
pub struct ListedAt {
    /// When, in business time.
    pub now: Timestamp,
    /// When, in machine time.
    pub machine: Timestamp,
    /// Machine time before which the carrier was asked for what its list must show by now.
    pub settled_before: Timestamp,
}

/// Takes over what a carrier lists of an account: numbers with the carrier's names of them. Open
/// orders for what it lists are done; old ones for what it does not list have failed. What it lists
/// no more is gone.
pub async fn import(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    listed: &[(String, String)],
    at: &ListedAt,
) -> Result<Imported, Fault> {
    tenants::lock(tx, tenant).await?;
    let (numbers, names): (Vec<&str>, Vec<&str>) =
        listed.iter().map(|(number, name)| (number.as_str(), name.as_str())).unzip();
    let ids: Vec<Uuid> = numbers.iter().map(|number| SenderId::of(tenant, number).0).collect();

    let settled = settle_listed(tx, tenant, account, &ids, &names).await?;
    let gone = end_unlisted(tx, tenant, account, &ids, at.settled_before).await?;
    let added = add_listed(tx, tenant, account, (&ids[..], &numbers[..], &names[..]), at).await?;

    let known = sqlx::query_scalar!(
        r#"select count(*) as "known!" from numbers where tenant_id = $1 and number_id = any ($2)"#,
        tenant.as_str(),
        &ids,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    let left_out = count(ids.len() as u64) - known;
    Ok(Imported { added, settled, gone, left_out })
}

/// Says what the carrier takes a month for each listed number of which nobody has said it.
pub async fn price_listed(
    tx: &mut Scoped,
    tenant: &TenantId,
    listed: &[(String, String)],
    cost: Micros,
) -> Result<(), Fault> {
    let ids = listed.iter().map(|(number, _)| SenderId::of(tenant, number).0);
    sqlx::query!(
        "update numbers set monthly_cost_micros = $3
         where tenant_id = $1 and number_id = any ($2) and monthly_cost_micros is null",
        tenant.as_str(),
        &ids.collect::<Vec<Uuid>>(),
        cost.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Ends the orders for numbers that are listed, and finds those that were gone.
async fn settle_listed(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    ids: &[Uuid],
    names: &[&str],
) -> Result<i64, Fault> {
    let done = sqlx::query!(
        "update numbers n
         set state = 'owned', code = null, carrier_id = l.name, account = $2
         from unnest($3::uuid[], $4::text[]) as l (id, name)
         where n.tenant_id = $1 and n.number_id = l.id
           and n.state in ('ordered', 'in_doubt', 'failed', 'gone')",
        tenant.as_str(),
        account,
        ids,
        names as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(count(done.rows_affected()))
}

/// Ends the orders that are old enough, and what the account had, for numbers that are not listed.
async fn end_unlisted(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    ids: &[Uuid],
    settled_before: Timestamp,
) -> Result<i64, Fault> {
    let done = sqlx::query!(
        "update numbers set state = case when state = 'owned' then 'gone' else 'failed' end
         where tenant_id = $1 and account = $2 and number_id <> all ($3::uuid[])
           and (state = 'owned' or state in ('ordered', 'in_doubt') and asked_at < $4)",
        tenant.as_str(),
        account,
        ids,
        settled_before.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(count(done.rows_affected()))
}

/// Adds the numbers that are listed and were not known, as many as there is room for.
async fn add_listed(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    (ids, numbers, names): (&[Uuid], &[&str], &[&str]),
    at: &ListedAt,
) -> Result<i64, Fault> {
    let done = sqlx::query!(
        "insert into numbers (tenant_id, number_id, account, number, carrier_id, state, created_at,
                              asked_at)
         select $1, l.id, $2, l.number, l.name, 'owned', $6, $7
         from unnest($3::uuid[], $4::text[], $5::text[]) as l (id, number, name)
         where not exists (select from numbers n where n.tenant_id = $1 and n.number_id = l.id)
         order by l.number
         limit greatest($8 - (select count(*) from numbers where tenant_id = $1), 0)
         on conflict do nothing",
        tenant.as_str(),
        account,
        ids,
        numbers as _,
        names as _,
        at.now.to_sqlx() as _,
        at.machine.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(count(done.rows_affected()))
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
