//! The counters of the gates: locked in key order, read, and raised by what a batch has admitted.

use domain::gates::CounterKey;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::keyed::{in_lock_order, index},
    fault,
};

/// Locks these counters until the transaction ends, and reads them in the order of `keys`. Counters
/// that do not exist are made, before any is locked: who makes one waits for whoever makes the
/// same, and must hold nothing that the other wants.
pub async fn lock(tx: &mut Scoped, keys: &[CounterKey]) -> Result<Vec<i64>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let columns = Columns::of(keys.iter());
    let mut found = read(tx, &columns).await?;
    if found.len() < keys.len() {
        insert(tx, &columns).await?;
        found = read(tx, &columns).await?;
    }

    let mut used = vec![0; keys.len()];
    for (i, value) in found {
        used[i] = value;
    }
    Ok(used)
}

/// Reads these counters as they are: nothing is locked or made. Answers in the order of `keys`; 0
/// where there is no row.
pub async fn peek(tx: &mut Scoped, keys: &[CounterKey]) -> Result<Vec<i64>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let columns = Columns::of(keys.iter());

    let rows = sqlx::query!(
        r#"select k.at as "at!", c.used
           from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
                with ordinality as k (tenant_id, kind, key, window_start, at)
           cross join lateral (
               select r.used from counters r where r.tenant_id = k.tenant_id and r.kind = k.kind
                  and r.key = k.key and r.window_start = k.window_start limit 1
           ) c"#,
        &columns.tenants as _,
        &columns.kinds as _,
        &columns.targets,
        &columns.starts as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut used = vec![0; keys.len()];
    for row in rows {
        used[index(row.at)] = row.used;
    }
    Ok(used)
}

/// Adds to counters that this transaction has locked. A counter is named once.
pub async fn add(tx: &mut Scoped, added: &[(CounterKey, i64)]) -> Result<(), Fault> {
    if added.is_empty() {
        return Ok(());
    }
    let added = in_lock_order(added, |(key, _)| key);
    let columns = Columns::of(added.iter().map(|(key, _)| key));
    let amounts: Vec<i64> = added.iter().map(|(_, amount)| *amount).collect();

    sqlx::query!(
        "update counters c set used = c.used + k.amount
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
              as k (tenant_id, kind, key, window_start, amount)
         where c.tenant_id = k.tenant_id and c.kind = k.kind and c.key = k.key
           and c.window_start = k.window_start",
        &columns.tenants as _,
        &columns.kinds as _,
        &columns.targets,
        &columns.starts as _,
        &amounts,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Locks and reads these counters if all of them are there; otherwise locks none.
async fn read(tx: &mut Scoped, columns: &Columns<'_>) -> Result<Vec<(usize, i64)>, Fault> {
    let rows = sqlx::query!(
        r#"with wanted as (
               select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
               with ordinality as u (tenant_id, kind, key, window_start, at)
           ), there as (
               select count(*) as counters from wanted k
               cross join lateral (
                   select 1 from counters r where r.tenant_id = k.tenant_id and r.kind = k.kind
                      and r.key = k.key and r.window_start = k.window_start limit 1
               ) r
           )
           select k.at as "at!", c.used
           from (select * from wanted order by tenant_id, kind, key, window_start) k
           cross join lateral (
               select r.used from counters r where r.tenant_id = k.tenant_id and r.kind = k.kind
                  and r.key = k.key and r.window_start = k.window_start
                  and (select counters from there) = cardinality($1::text[])
               for no key update
           ) c"#,
        &columns.tenants as _,
        &columns.kinds as _,
        &columns.targets,
        &columns.starts as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (index(row.at), row.used)).collect())
}

async fn insert(tx: &mut Scoped, columns: &Columns<'_>) -> Result<(), Fault> {
    sqlx::query!(
        "insert into counters (tenant_id, kind, key, window_start, used)
         select tenant_id, kind, key, window_start, 0
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
              as k (tenant_id, kind, key, window_start)
         order by tenant_id, kind, key, window_start
         on conflict do nothing",
        &columns.tenants as _,
        &columns.kinds as _,
        &columns.targets,
        &columns.starts as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Keys as the arrays of a statement.
struct Columns<'a> {
    tenants: Vec<&'a str>,
    kinds: Vec<&'static str>,
    targets: Vec<String>,
    starts: Vec<jiff_sqlx::Timestamp>,
}

impl<'a> Columns<'a> {
    fn of(keys: impl Iterator<Item = &'a CounterKey> + Clone) -> Self {
        Self {
            tenants: keys.clone().map(|key| key.tenant.as_str()).collect(),
            kinds: keys.clone().map(|key| key.kind.as_str()).collect(),
            targets: keys.clone().map(|key| target(key.target)).collect(),
            starts: keys.map(|key| key.window_start.to_sqlx()).collect(),
        }
    }
}

/// The id that a counter counts for, as its column holds it: empty for the whole tenant.
fn target(id: Option<Uuid>) -> String {
    id.map_or(String::new(), |id| id.to_string())
}

/// How much a tenant has used of a counter. For reports and tests; nothing is locked.
pub async fn used(tx: &mut Scoped, key: &CounterKey) -> Result<i64, Fault> {
    let used = sqlx::query_scalar!(
        "select used from counters
         where tenant_id = $1 and kind = $2 and key = $3 and window_start = $4",
        key.tenant.as_str(),
        key.kind.as_str(),
        target(key.target),
        key.window_start.to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(used.unwrap_or(0))
}
