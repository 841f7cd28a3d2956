//! Watches over messages without a receipt (docs/adr/0010): made when the carrier has them, taken
//! for a look when due, put off or ended afterwards.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use domain::{
    ids::{MessageId, TenantId},
    message::state::{MessageState, NO_RECEIPT},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        state_codes::codes,
        turns, words,
    },
    fault,
    settings::accounts::Access,
};

/// How many messages a row names at most.
const ROW: usize = 256;

/// Watches those of these messages that are `sent`, for the first time this long after they became
/// so.
pub async fn watch(
    tx: &mut Scoped,
    keys: &[(&TenantId, MessageId)],
    after: Duration,
) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }

    // A row names messages of one tenant: in key order they are next to each other.
    let keys = in_lock_order(keys, |key| *key);
    sqlx::query!(
        "insert into receipt_watches (tenant_id, due, messages)
         select k.tenant_id, min(m.changed_at) + make_interval(secs => $4),
                array_agg(k.message_id)
         from unnest($1::text[], $2::uuid[], $3::int[]) as k (tenant_id, message_id, part)
         cross join lateral (
             select r.changed_at from messages r
             where r.tenant_id = k.tenant_id and r.message_id = k.message_id and r.state = $5
             limit 1
         ) m
         group by k.tenant_id, k.part",
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
        &(0_i32..).zip(&keys).map(|(i, _)| i / ROW as i32).collect::<Vec<_>>(),
        after.as_secs_f64(),
        MessageState::Sent.code(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// A row that is due, leased.
#[derive(Debug, Clone)]
pub struct ReceiptWatch {
    /// The tenant that owns the messages.
    pub tenant: TenantId,
    /// The id of the row.
    pub id: Uuid,
    /// Looks so far.
    pub looks: i32,
    /// Business time of this look: a repeat of it has the same.
    pub looked_at: Timestamp,
    /// Those of its messages that wait for a receipt, or were raised by this look before.
    pub messages: Vec<Watched>,
    /// Those whose state this version does not know: they stay in the row.
    pub unread: Vec<MessageId>,
}

/// A message under watch.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The message's id.
    pub id: MessageId,
    /// Where it stands.
    pub state: MessageState,
    /// Its code: an error of the carrier, or `no_receipt`.
    pub code: Option<String>,
    /// Business time since which it stands there.
    pub since: Timestamp,
    /// The carrier's id of the text.
    pub sid: Option<String>,
    /// The account that sent it; none where its sender is gone.
    pub account: Option<String>,
}

/// Watches to look at.
#[derive(Debug, Default)]
pub struct LeasedWatches {
    /// The rows that are due.
    pub watches: Vec<ReceiptWatch>,
    /// How the accounts are asked; without those that are gone.
    pub accounts: HashMap<(TenantId, String), Access>,
    /// The tenants of which more may be due: one has as many as it may have of a lease, or the
    /// lease is full.
    pub more: BTreeSet<TenantId>,
}

/// How much one lease takes at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For how long nobody else takes it; machine time.
    pub lease: Duration,
    /// Rows of one tenant, so that none starves.
    pub per_tenant: i64,
    /// Rows of all tenants together.
    pub rows: i64,
    /// Messages, but at least one row.
    pub messages: i32,
}

/// Leases watches that are due at a business time, oldest first and fair between tenants.
pub async fn lease(store: &Store, now: Timestamp, limits: Limits) -> Result<LeasedWatches, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", watch_id as "watch_id!", size as "size!"
           from due_receipt_watches($1, $2, $3)"#,
        now.to_sqlx(),
        limits.per_tenant,
        limits.rows,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let mut room = limits.messages;
    let fit = found.iter().take_while(|row| {
        let fits = room > 0;
        room -= row.size;
        fits
    });
    let (tenants, ids): (Vec<String>, Vec<Uuid>) =
        fit.map(|row| (row.tenant_id.clone(), row.watch_id)).unzip();
    let all: Vec<String> = found.iter().map(|row| row.tenant_id.clone()).collect();
    let mut more = turns::full(&all, limits.per_tenant, limits.rows);
    more.extend(turns::full(&all[ids.len()..], 1, limits.rows));
    if ids.is_empty() {
        return Ok(LeasedWatches::default());
    }
    let scope = tenants.iter().filter_map(|key| words::readable(words::tenant(key)));
    let mut tx = store.scoped(scope).await?;
    let mut watches = take(&mut tx, now, limits.lease, (&tenants, &ids)).await?;
    load(&mut tx, &mut watches).await?;
    let accounts = accounts(&mut tx, &watches).await?;
    tx.commit().await.map_err(fault)?;

    let watches = watches.into_iter().map(|(watch, _)| watch).collect();
    Ok(LeasedWatches { watches, accounts, more })
}

/// Gives back watches that were leased and not looked at: they are due again after this wait. A
/// look that begins then has the time of this one.
pub async fn give_back(
    store: &Store,
    watches: &[&ReceiptWatch],
    wait: Duration,
) -> Result<(), Fault> {
    if watches.is_empty() {
        return Ok(());
    }

    let watches = in_lock_order(watches, |watch| (&watch.tenant, watch.id));
    let mut tx = store.scoped(watches.iter().map(|watch| &watch.tenant)).await?;
    sqlx::query!(
        "update receipt_watches w
         set leased_until = clock_timestamp() + make_interval(secs => $3)
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, watch_id)
         where w.tenant_id = k.tenant_id and w.watch_id = k.watch_id",
        &watches.iter().map(|watch| watch.tenant.as_str()).collect::<Vec<_>>() as _,
        &watches.iter().map(|watch| watch.id).collect::<Vec<_>>(),
        wait.as_secs_f64(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}

/// Rows under lease, each with what it names.
async fn take(
    tx: &mut Scoped,
    now: Timestamp,
    lease: Duration,
    (tenants, ids): (&[String], &[Uuid]),
) -> Result<Vec<(ReceiptWatch, Vec<Uuid>)>, Fault> {
    let rows = sqlx::query!(
        r#"with free as (
               select w.tenant_id, w.watch_id
               from unnest($1::text[], $2::uuid[]) as k (tenant_id, watch_id)
               join receipt_watches w on w.tenant_id = k.tenant_id and w.watch_id = k.watch_id
               where w.due <= $3 and (w.leased_until is null or w.leased_until < clock_timestamp())
               order by w.tenant_id, w.watch_id
               for update of w skip locked
           )
           update receipt_watches w
           set leased_until = clock_timestamp() + make_interval(secs => $4),
               looked_at = coalesce(w.looked_at, $3)
           from free f where w.tenant_id = f.tenant_id and w.watch_id = f.watch_id
           returning w.tenant_id, w.watch_id, w.looks, w.looked_at as "looked_at!", w.messages"#,
        tenants,
        ids,
        now.to_sqlx() as _,
        lease.as_secs_f64(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let watches = rows.into_iter().map(|row| {
        let watch = ReceiptWatch {
            tenant: keyed::tenant(&row.tenant_id),
            id: row.watch_id,
            looks: row.looks,
            looked_at: row.looked_at.to_jiff(),
            messages: Vec::new(),
            unread: Vec::new(),
        };
        (watch, row.messages)
    });
    Ok(watches.collect())
}

/// Reads where the messages stand. Those that something else has ended are left out.
async fn load(tx: &mut Scoped, watches: &mut [(ReceiptWatch, Vec<Uuid>)]) -> Result<(), Fault> {
    let named = || {
        let each = watches.iter().zip(0_i64..);
        each.flat_map(|((watch, messages), i)| messages.iter().map(move |id| (watch, i, *id)))
    };

    let rows = sqlx::query!(
        r#"select k.at as "at!", m.message_id, m.state, m.code, m.changed_at, m.carrier_sid,
                  s.account as "account?"
           from unnest($1::text[], $2::bigint[], $3::uuid[], $4::timestamptz[])
                as k (tenant_id, at, message_id, looked_at)
           cross join lateral (
               select * from messages r
               where r.tenant_id = k.tenant_id and r.message_id = k.message_id limit 1
           ) m
           left join senders s on s.tenant_id = m.tenant_id and s.sender_id = m.sender_id
           where m.state = $5 and m.code is distinct from $6
              or m.state = any ($7) and m.changed_at = k.looked_at or m.state <> all ($8)"#,
        &named().map(|(watch, ..)| watch.tenant.as_str()).collect::<Vec<_>>() as _,
        &named().map(|(_, i, _)| i).collect::<Vec<_>>(),
        &named().map(|(.., id)| id).collect::<Vec<_>>(),
        &named().map(|(watch, ..)| watch.looked_at.to_sqlx()).collect::<Vec<_>>() as _,
        MessageState::Sent.code(),
        NO_RECEIPT,
        &codes(MessageState::is_at_carrier),
        &codes(|_| true),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for row in rows {
        let i = usize::try_from(row.at).expect("it is an index of `watches`, which counts from 0");
        let Some(state) = words::readable(words::state(row.state)) else {
            watches[i].0.unread.push(MessageId(row.message_id));
            continue;
        };
        watches[i].0.messages.push(Watched {
            id: MessageId(row.message_id),
            state,
            code: row.code,
            since: row.changed_at.to_jiff(),
            sid: row.carrier_sid,
            account: row.account,
        });
    }
    Ok(())
}

async fn accounts(
    tx: &mut Scoped,
    watches: &[(ReceiptWatch, Vec<Uuid>)],
) -> Result<HashMap<(TenantId, String), Access>, Fault> {
    let mut named: Vec<(&str, &str)> = watches
        .iter()
        .flat_map(|(watch, _)| watch.messages.iter().map(move |one| (watch, one)))
        .filter_map(|(watch, one)| Some((watch.tenant.as_str(), one.account.as_deref()?)))
        .collect();
    named.sort_unstable();
    named.dedup();

    let rows = sqlx::query!(
        "select a.tenant_id, a.account, a.carrier, a.carrier_sid, a.base_url, a.sealed_token
         from unnest($1::text[], $2::text[]) as k (tenant_id, account)
         join carrier_accounts a on a.tenant_id = k.tenant_id and a.account = k.account",
        &named.iter().map(|key| key.0).collect::<Vec<_>>() as _,
        &named.iter().map(|key| key.1).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let access = rows.into_iter().map(|row| {
        let access = Access {
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
        };
        ((keyed::tenant(&row.tenant_id), row.account), access)
    });
    Ok(access.collect())
}

/// What comes after a look.
#[derive(Debug, Clone)]
pub struct Next {
    /// The tenant that owns the row.
    pub tenant: TenantId,
    /// The id of the row.
    pub watch: Uuid,
    /// Business time of the look that is over.
    pub looked_at: Timestamp,
    /// Who still has no receipt; the row goes when that is nobody.
    pub left: Vec<MessageId>,
    /// When they are looked at next; business time.
    pub due: Timestamp,
    /// Looks so far.
    pub looks: i32,
}

/// Ends looks, once the events that they made are published. After an outage the looks are repeated
/// when their lease is over, and make the same events.
pub async fn looked(store: &Store, next: &[Next]) -> Result<(), Fault> {
    if next.is_empty() {
        return Ok(());
    }

    let next = in_lock_order(next, |one| (&one.tenant, one.watch));
    let left = next.iter().map(|one| {
        let ids: Vec<String> = one.left.iter().map(ToString::to_string).collect();
        (!ids.is_empty()).then(|| format!("{{{}}}", ids.join(",")))
    });
    let mut tx = store.scoped(next.iter().map(|one| &one.tenant)).await?;

    sqlx::query!(
        "with ended as (
             select k.* from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[],
                                    $5::timestamptz[], $6::int[])
                  as k (tenant_id, watch_id, looked_at, messages, due, looks)
         ), gone as (
             delete from receipt_watches w using ended k
             where w.tenant_id = k.tenant_id and w.watch_id = k.watch_id
               and w.looked_at = k.looked_at and k.messages is null
         )
         update receipt_watches w
         set due = k.due, looks = k.looks, looked_at = null, leased_until = null,
             messages = k.messages::uuid[]
         from ended k
         where w.tenant_id = k.tenant_id and w.watch_id = k.watch_id
           and w.looked_at = k.looked_at and k.messages is not null",
        &next.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &next.iter().map(|one| one.watch).collect::<Vec<_>>(),
        &next.iter().map(|one| one.looked_at.to_sqlx()).collect::<Vec<_>>() as _,
        &left.collect::<Vec<_>>() as _,
        &next.iter().map(|one| one.due.to_sqlx()).collect::<Vec<_>>() as _,
        &next.iter().map(|one| one.looks).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}
