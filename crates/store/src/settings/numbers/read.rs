//! Numbers as they are read back, each with what it has carried.

use domain::{
    gates::CounterKind,
    ids::{BrandId, PoolId, SenderId, TenantId},
    money::Micros,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::Number;
use crate::{
    Scoped,
    analytics::sender_days::Carried,
    core::{
        keyed::just_before,
        words::{Unreadable, word},
    },
    fault,
};

/// How far back a number's messages are counted.
const USAGE: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    segments: i64,
    cost_micros: i64,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Number, Unreadable> {
        Ok(Number {
            id: SenderId(self.number_id),
            account: self.account,
            account_name: self.account_name,
            carrier: self.carrier,
            number: self.number,
            carrier_id: self.carrier_id,
            state: word(&self.state)?,
            code: self.code,
            monthly_cost: self.monthly_cost_micros.map(Micros),
            brand: self.brand_id.map(BrandId),
            pool: self.pool_id.map(PoolId),
            is_active: self.is_active,
            used: self.used,
            carried: Carried { segments: self.segments, cost: Micros(self.cost_micros) },
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// A tenant's number, locked until the transaction ends where it is to be changed.
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
                  coalesce(d.segments, 0) as "segments!",
                  coalesce(d.cost_micros, 0) as "cost_micros!", n.created_at
           from numbers n
           join carrier_accounts a on a.tenant_id = n.tenant_id and a.account = n.account
           left join senders s on s.tenant_id = n.tenant_id and s.sender_id = n.number_id
                              and s.removed_at is null
           left join lateral (
               select sum(c.used)::bigint as used from counters c
               where c.tenant_id = n.tenant_id and c.kind = $5 and c.key = n.number_id::text
                 and c.window_start >= $4
           ) u on true
           left join lateral (
               select sum(b.segments)::bigint as segments,
                      sum(b.cost_micros)::bigint as cost_micros
               from sender_days b
               where b.tenant_id = n.tenant_id and b.sender_id = n.number_id and b.day_start >= $4
           ) d on true
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
