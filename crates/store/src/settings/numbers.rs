//! The numbers that a tenant has at its carriers, or has ordered there. A number has the id that it
//! has as a sender; it is active once there is such a sender.

use domain::{
    gates::CounterKind,
    ids::{BrandId, PoolId, SenderId, TenantId},
    money::Micros,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::tenants;
use crate::{
    Scoped,
    core::{
        keyed::just_before,
        words::{Unreadable, word, words},
    },
    fault,
};

/// How many numbers a tenant has at most.
pub const MOST: i64 = 1_000;

/// How far back a number's messages are counted.
const USAGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far the tenant has come with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberState {
    /// The carrier is asked for it, or has taken the order and works on it.
    Ordered,
    /// Whether the carrier has given it is not known.
    InDoubt,
    /// The carrier account has it.
    Owned,
    /// The carrier has not given it.
    Failed,
    /// The carrier account had it, and the carrier lists it no more.
    Gone,
    /// The carrier is asked to take it back.
    Releasing,
}

words! { NumberState = "state of a number" }

domain::described_words! {
    NumberState, "How far a tenant has come with a number: it is ordered, it is not known whether \
        the carrier has given it, the account has it, the carrier has not given it, the carrier \
        lists it no more, or the carrier is asked to take it back.";
}

/// A number of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// A UUID v5 of tenant and number, as of the sender.
    pub id: SenderId,
    /// The handle of the carrier account.
    pub account: String,
    /// The tenant's name of that account.
    pub account_name: String,
    /// The carrier's name.
    pub carrier: String,
    /// The number, in E.164.
    pub number: String,
    /// The carrier's name of it.
    pub carrier_id: Option<String>,
    /// How far the tenant has come with it.
    pub state: NumberState,
    /// The carrier's code, of an order that has failed.
    pub code: Option<i32>,
    /// What the carrier takes for it a month, as the tenant says.
    pub monthly_cost: Option<Micros>,
    /// The name that people know it under.
    pub brand: Option<BrandId>,
    /// The pool that it goes into once it is a sender.
    pub pool: Option<PoolId>,
    /// Whether it is a sender.
    pub is_active: bool,
    /// Messages that it has carried in the last 30 days.
    pub used: i64,
    /// When it came to be here, in business time.
    pub created_at: Timestamp,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// It is recorded, and the carrier may be asked.
    Begun,
    /// The tenant has the number, or an order for it is open.
    Exists(NumberState),
    /// The tenant has [`MOST`].
    Full,
}

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

struct Row {
    number_id: Uuid,
    account: String,
    account_name: String,
    carrier: String,
    number: String,
    carrier_id: Option<String>,
    state: String,
    code: Option<i32>,
    monthly_cost_micros: Option<i64>,
    brand_id: Option<Uuid>,
    pool_id: Option<Uuid>,
    is_active: bool,
    used: i64,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Number, Unreadable> {
        let row = self;
        Ok(Number {
            id: SenderId(row.number_id),
            account: row.account,
            account_name: row.account_name,
            carrier: row.carrier,
            number: row.number,
            carrier_id: row.carrier_id,
            state: word(&row.state)?,
            code: row.code,
            monthly_cost: row.monthly_cost_micros.map(Micros),
            brand: row.brand_id.map(BrandId),
            pool: row.pool_id.map(PoolId),
            is_active: row.is_active,
            used: row.used,
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Records that a number is ordered, before the carrier is asked. An order that has failed may be
/// made again.
///
/// # Errors
/// An outage.
pub async fn order(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &Number,
    machine: Timestamp,
) -> Result<Ordered, Fault> {
    // One after another: two that are ordered at once do not both take the last place.
    tenants::lock(tx, tenant).await?;
    let before = get(tx, tenant, new.id, new.created_at, false).await?;
    match before.map(|before| before.state) {
        None | Some(NumberState::Failed | NumberState::Gone) => {}
        Some(state) => return Ok(Ordered::Exists(state)),
    }

    let done = sqlx::query!(
        "insert into numbers (tenant_id, number_id, account, number, state, monthly_cost_micros,
                              brand_id, pool_id, created_at, asked_at)
         select $1, $2, $3, $4, 'ordered', $5, $6, $7, $8, $9
         where (select count(*) from numbers where tenant_id = $1 and number_id <> $2) < $10
         on conflict (tenant_id, number_id) do update
         set account = excluded.account, state = 'ordered', code = null, carrier_id = null,
             monthly_cost_micros = excluded.monthly_cost_micros, brand_id = excluded.brand_id,
             pool_id = excluded.pool_id, created_at = excluded.created_at,
             asked_at = excluded.asked_at",
        tenant.as_str(),
        new.id.0,
        new.account,
        new.number,
        new.monthly_cost.map(|cost| cost.0),
        new.brand.map(|brand| brand.0),
        new.pool.map(|pool| pool.0),
        new.created_at.to_sqlx() as _,
        machine.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(if done.rows_affected() == 1 { Ordered::Begun } else { Ordered::Full })
}

/// Records what became of an open order. One that is settled stays as it is.
///
/// # Errors
/// An outage.
pub async fn settle(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    (state, code): (NumberState, Option<i32>),
    carrier_id: Option<&str>,
) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = $3, code = $4, carrier_id = coalesce($5, carrier_id)
         where tenant_id = $1 and number_id = $2 and state in ('ordered', 'in_doubt')",
        tenant.as_str(),
        id.0,
        state.as_str(),
        code,
        carrier_id,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// A tenant's number, locked until the transaction ends where it is to be changed.
///
/// # Errors
/// An outage.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    now: Timestamp,
    lock: bool,
) -> Result<Option<Number>, Fault> {
    if lock {
        sqlx::query!(
            "select number from numbers where tenant_id = $1 and number_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let found = list(tx, tenant, just_before(id.0), 1, now).await?.pop();
    Ok(found.filter(|number| number.id == id))
}

/// A tenant's numbers after one, by id.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Number>, Fault> {
    let since = now.checked_sub(USAGE).unwrap_or(Timestamp::MAX);

    let rows = sqlx::query_as!(
        Row,
        r#"select n.number_id, n.account, coalesce(a.name, a.account) as "account_name!", a.carrier,
                  n.number, n.carrier_id, n.state, n.code, n.monthly_cost_micros,
                  n.brand_id, n.pool_id,
                  s.sender_id is not null as "is_active!", coalesce(u.used, 0) as "used!",
                  n.created_at
           from numbers n
           join carrier_accounts a on a.tenant_id = n.tenant_id and a.account = n.account
           left join senders s on s.tenant_id = n.tenant_id and s.sender_id = n.number_id
                              and s.removed_at is null
           left join lateral (
               select sum(c.used)::bigint as used from counters c
               where c.tenant_id = n.tenant_id and c.kind = $5 and c.key = n.number_id::text
                 and c.window_start >= $4
           ) u on true
           where n.tenant_id = $1 and n.number_id > $2
           order by n.number_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
        since.to_sqlx() as _,
        CounterKind::SenderDay.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Row::read).collect::<Result<_, _>>()?)
}

/// Writes what a tenant says of a number: cost, brand, pool.
///
/// # Errors
/// An outage.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, number: &Number) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set monthly_cost_micros = $3, brand_id = $4, pool_id = $5
         where tenant_id = $1 and number_id = $2",
        tenant.as_str(),
        number.id.0,
        number.monthly_cost.map(|cost| cost.0),
        number.brand.map(|brand| brand.0),
        number.pool.map(|pool| pool.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Records that the carrier is asked to take a number back.
///
/// # Errors
/// An outage.
pub async fn begin_release(tx: &mut Scoped, tenant: &TenantId, id: SenderId) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'releasing' where tenant_id = $1 and number_id = $2",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Ends a release: the number is not the tenant's any more, or the carrier has not taken it back.
///
/// # Errors
/// An outage.
pub async fn end_release(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    is_back: bool,
) -> Result<(), Fault> {
    sqlx::query!(
        "update numbers set state = 'owned'
         where tenant_id = $1 and number_id = $2 and state = 'releasing' and not $3",
        tenant.as_str(),
        id.0,
        is_back,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from numbers
         where tenant_id = $1 and number_id = $2
           and state in ('releasing', 'failed', 'gone') and $3",
        tenant.as_str(),
        id.0,
        is_back,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Takes over what a carrier lists of an account: numbers with the carrier's names of them. Open
/// orders for what it lists are done; old ones for what it does not list have failed. What it lists
/// no more is gone.
///
/// # Errors
/// An outage.
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

// === impl NumberState ===

impl NumberState {
    /// Every state, in the order in which a number goes through them.
    pub const ALL: [Self; 6] =
        [Self::Ordered, Self::InDoubt, Self::Owned, Self::Failed, Self::Gone, Self::Releasing];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::InDoubt => "in_doubt",
            Self::Owned => "owned",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Releasing => "releasing",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}
