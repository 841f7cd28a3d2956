//! Calls in doubt (docs/adr/0008): the sweep of `reconcile` marks expired claims in doubt, leases
//! doubts for a look at the carrier's list, and records what the list says. Receipts and the api
//! use the functions of this file.

mod due;
mod raise;
mod settle;

use std::collections::HashMap;

use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;

pub use due::{DueDoubt, Lease, LeasedDoubts, lease};
pub use raise::{Raise, Raised, raise};
pub use settle::{
    AllOpen, FoundText, Open, found, give_back, known_sids, lock_open, policy, postpone, said,
    settled, take_sids,
};

use crate::{
    Scoped, Store,
    core::keyed::{self, in_lock_order},
    fault,
};

/// A text of a carrier: whose account, which, and its id.
pub type TakenText = (TenantId, String, String);

/// Which message the carrier's list gave each of these texts to. Those that were given to none are
/// not in the answer.
pub async fn takers(
    tx: &mut Scoped,
    texts: &[TakenText],
) -> Result<HashMap<TakenText, MessageId>, Fault> {
    let rows = sqlx::query!(
        "select t.tenant_id, t.account, t.sid, t.message_id
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, account, sid)
         join taken_sids t on t.tenant_id = k.tenant_id and t.account = k.account
                          and t.sid = k.sid",
        &texts.iter().map(|text| text.0.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.1.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.2.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let taker = rows.into_iter().map(|row| {
        ((keyed::tenant(&row.tenant_id), row.account, row.sid), MessageId(row.message_id))
    });
    Ok(taker.collect())
}

/// Forgets doubts that a receipt has ended, in the transaction that says so.
pub async fn forget(tx: &mut Scoped, keys: &[(&TenantId, MessageId)]) -> Result<(), Fault> {
    let keys = in_lock_order(keys, |key| *key);
    sqlx::query!(
        "delete from doubts d using unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
         where d.tenant_id = k.tenant_id and d.message_id = k.message_id",
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// How many messages are in doubt, over all tenants: for the gauge.
pub async fn count(store: &Store) -> Result<i64, Fault> {
    sqlx::query_scalar!(r#"select doubts_count() as "count!""#)
        .fetch_one(store.pool())
        .await
        .map_err(fault)
}

/// A message in doubt, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The message's id.
    pub message: MessageId,
    /// Since when; business time.
    pub since: Timestamp,
    /// The tenant's name of the account that was called.
    pub account: String,
    /// Carrier calls begun.
    pub attempt: i16,
    /// What was seen of the last one.
    pub code: Option<String>,
    /// When the carrier's list is asked next; machine time.
    pub next_look: Timestamp,
    /// How often it was asked and settled nothing.
    pub looks: i32,
}

/// A tenant's messages in doubt after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Listed>, Fault> {
    let rows = sqlx::query!(
        r#"select d.message_id, d.raised_at, d.next_look, d.looks, m.attempt, m.code,
                  coalesce(a.name, d.account) as "account!"
           from doubts d
           cross join lateral (
               select * from messages n
               where n.tenant_id = d.tenant_id and n.message_id = d.message_id limit 1
           ) m
           left join carrier_accounts a on a.tenant_id = d.tenant_id and a.account = d.account
           where d.tenant_id = $1 and d.message_id > $2 and m.state = $4
           order by d.message_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
        MessageState::InDoubt.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let listed = rows.into_iter().map(|row| Listed {
        message: MessageId(row.message_id),
        since: row.raised_at.to_jiff(),
        account: row.account,
        attempt: row.attempt,
        code: row.code,
        next_look: row.next_look.to_jiff(),
        looks: row.looks,
    });
    Ok(listed.collect())
}
