//! Receipts about messages that have no row: kept, listed, and handed back when the row is there.

use std::time::Duration;

use domain::{
    billing::PriceNotice,
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        words::{self, Unreadable, document},
    },
    fault,
    messages::row::json,
};

/// How many a tenant may have: the newest stay.
const MOST: i64 = 1_000;

/// How long one is kept, in days of business time.
const DAYS: i32 = 30;

/// The wait after the first look for the message's row, and the longest one.
const SOON: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(60 * 60);

/// A receipt about a message that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The tenant that the carrier's request was for.
    pub tenant: TenantId,
    /// The request that brought it.
    pub id: Uuid,
    /// The message that it names.
    pub message: MessageId,
    /// The carrier that reported it.
    pub carrier: String,
    /// The handle of the account that sent the text.
    pub account: String,
    /// The carrier's id of the text.
    pub sid: String,
    /// What it says.
    pub state: MessageState,
    /// The carrier's error code.
    pub code: Option<u32>,
    /// Business time of its arrival.
    pub at: Timestamp,
    /// What it says of the message's price.
    pub price: Option<PriceNotice>,
}

struct Row {
    tenant_id: String,
    receipt_id: Uuid,
    message_id: Uuid,
    carrier: String,
    account: String,
    sid: String,
    state: i16,
    code: Option<i32>,
    at: jiff_sqlx::Timestamp,
    price: Option<Value>,
}

impl TryFrom<Row> for Unmatched {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        Ok(Self {
            tenant: keyed::tenant(&row.tenant_id),
            id: row.receipt_id,
            message: MessageId(row.message_id),
            carrier: row.carrier,
            account: row.account,
            sid: row.sid,
            state: words::state(row.state)?,
            code: row.code.map(i32::unsigned_abs),
            at: row.at.to_jiff(),
            price: row.price.map(|price| document(price, "price")).transpose()?,
        })
    }
}

/// Keeps receipts. Of those that report the same about a text the first is kept; beyond the limit
/// of a tenant, and after 30 days, the oldest go.
pub async fn keep(tx: &mut Scoped, now: Timestamp, receipts: &[Unmatched]) -> Result<(), Fault> {
    let tenants: Vec<&str> = receipts.iter().map(|one| one.tenant.as_str()).collect();
    let code = |one: &Unmatched| one.code.and_then(|code| i32::try_from(code).ok());

    sqlx::query!(
        "insert into unmatched_receipts
             (tenant_id, receipt_id, message_id, account, sid, state, code, at, carrier, next_look,
              price)
         select k.tenant_id, k.receipt_id, k.message_id, k.account, k.sid, k.state, k.code, k.at,
                k.carrier, clock_timestamp() + make_interval(secs => $9), k.price::jsonb
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::smallint[],
                     $7::int[], $8::timestamptz[], $10::text[], $11::text[])
              as k (tenant_id, receipt_id, message_id, account, sid, state, code, at, carrier,
                    price)
         order by k.tenant_id, k.message_id, k.sid, k.state
         on conflict do nothing",
        &tenants as _,
        &receipts.iter().map(|one| one.id).collect::<Vec<_>>(),
        &receipts.iter().map(|one| one.message.0).collect::<Vec<_>>(),
        &receipts.iter().map(|one| one.account.as_str()).collect::<Vec<_>>() as _,
        &receipts.iter().map(|one| one.sid.as_str()).collect::<Vec<_>>() as _,
        &receipts.iter().map(|one| one.state.code()).collect::<Vec<_>>(),
        &receipts.iter().map(code).collect::<Vec<_>>() as _,
        &receipts.iter().map(|one| one.at.to_sqlx()).collect::<Vec<_>>() as _,
        SOON.as_secs_f64(),
        &receipts.iter().map(|one| one.carrier.as_str()).collect::<Vec<_>>() as _,
        &receipts.iter().map(|one| one.price.as_ref().map(json)).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from unmatched_receipts u
         using (
             select r.tenant_id, r.receipt_id, r.at,
                    row_number() over (partition by r.tenant_id order by r.at desc, r.receipt_id)
                        as place
             from (select distinct t from unnest($1::text[]) as t) k
             join unmatched_receipts r on r.tenant_id = k.t
         ) o
         where u.tenant_id = o.tenant_id and u.receipt_id = o.receipt_id
           and (o.place > $2 or o.at < $3::timestamptz - make_interval(days => $4))",
        &tenants as _,
        MOST,
        now.to_sqlx() as _,
        DAYS,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Takes receipts whose message may have come meanwhile, oldest look first; whoever takes them has
/// them to himself until their next look. Those that this version cannot read are left out.
pub async fn lease(store: &Store, at_most: i64) -> Result<Vec<Unmatched>, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", receipt_id as "receipt_id!"
           from due_unmatched_receipts($1)"#,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if found.is_empty() {
        return Ok(Vec::new());
    }

    let scope = found.iter().filter_map(|row| words::readable(words::tenant(&row.tenant_id)));
    let mut tx = store.scoped(scope).await?;

    let rows = sqlx::query_as!(
        Row,
        "with free as (
             select u.tenant_id, u.receipt_id
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, receipt_id)
             join unmatched_receipts u
               on u.tenant_id = k.tenant_id and u.receipt_id = k.receipt_id
             where u.next_look <= clock_timestamp()
             order by u.tenant_id, u.receipt_id
             for update of u skip locked
         )
         update unmatched_receipts u
         set looks = u.looks + 1,
             next_look = clock_timestamp() + make_interval(
                 secs => least($4::float8, $3::float8 * power(2, least(u.looks, 20))))
         from free f where u.tenant_id = f.tenant_id and u.receipt_id = f.receipt_id
         returning u.tenant_id, u.receipt_id, u.message_id, u.carrier, u.account, u.sid, u.state,
                   u.code, u.at, u.price",
        &found.iter().map(|row| row.tenant_id.clone()).collect::<Vec<_>>(),
        &found.iter().map(|row| row.receipt_id).collect::<Vec<_>>(),
        SOON.as_secs_f64(),
        LONG.as_secs_f64(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    Ok(rows.into_iter().map(Unmatched::try_from).filter_map(words::readable).collect())
}

/// Deletes receipts that have found their message, once the events of them are published. After an
/// outage they are applied again, which changes nothing.
pub async fn matched(store: &Store, receipts: &[(TenantId, Uuid)]) -> Result<(), Fault> {
    if receipts.is_empty() {
        return Ok(());
    }
    let receipts = in_lock_order(receipts, |one| one);
    let mut tx = store.scoped(receipts.iter().map(|one| &one.0)).await?;

    sqlx::query!(
        "delete from unmatched_receipts u
         using unnest($1::text[], $2::uuid[]) as k (tenant_id, receipt_id)
         where u.tenant_id = k.tenant_id and u.receipt_id = k.receipt_id",
        &receipts.iter().map(|one| one.0.as_str()).collect::<Vec<_>>() as _,
        &receipts.iter().map(|one| one.1).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}

/// A tenant's unmatched receipts after one, by id: each with the tenant's name of its account.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Unmatched>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        r#"select u.tenant_id, u.receipt_id, u.message_id, u.carrier, u.sid, u.state, u.code, u.at,
                  u.price, coalesce(a.name, u.account) as "account!"
           from unmatched_receipts u
           left join carrier_accounts a on a.tenant_id = u.tenant_id and a.account = u.account
           where u.tenant_id = $1 and u.receipt_id > $2
           order by u.receipt_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(Unmatched::try_from).collect::<Result<_, _>>()?)
}
