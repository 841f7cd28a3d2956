//! Claims whose owner never said how their call ended: found by the rows that claims leave behind,
//! and raised to in doubt.

use std::{collections::HashSet, time::Duration};

use domain::{
    ids::{MessageId, TenantId},
    message::{
        class::MessageClass,
        passport::Stamp,
        state::{MessageState, NO_RECEIPT},
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::Event;

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        words,
    },
    fault,
    messages::{
        receipt::poll::watch,
        row::{StoredMessage, columns, json},
    },
    outbox,
};

/// How long a chunk is left alone of which only claims are open that a newer version can read. Else
/// the oldest chunks of all would be found again in every tick, and keep others from being found.
const PUT_OFF: Duration = Duration::from_secs(60);

/// A row of `open_claims`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Chunk {
    tenant: TenantId,
    /// The process that claimed its messages.
    owner: Uuid,
    /// The owner's number of the chunk.
    chunk: i64,
}

/// Which claims are raised to in doubt, and with what.
#[derive(Debug, Clone)]
pub struct Raise<'a> {
    /// Claims whose `call_by` is longer ago than this; the database's clock.
    pub past: Duration,
    /// From `call_by` to the first look at the carrier's list.
    pub first_look: Duration,
    /// From a text that the carrier has to the first question after its receipt.
    pub watch_after: Duration,
    /// Business time of the raise.
    pub now: Timestamp,
    /// The stamp, with its code.
    pub stamp: &'a Stamp,
    /// Chunks looked at at most.
    pub at_most: i64,
}

/// What was found behind chunks whose time is past.
#[derive(Debug, Default)]
pub struct Raised {
    /// How many messages are in doubt now that were not before.
    pub messages: usize,
    /// Whether more may be past their time.
    pub more: bool,
}

/// Raises claims past their time to in doubt, and inserts their events into the outbox. The
/// message's row decides under its lock whether a claim is past its time and still its owner's; a
/// row that somebody else has locked is left for the next time. A chunk without an open claim goes;
/// those of its messages that the carrier has and that have no receipt are watched. One whose open
/// claims this version cannot read is put off.
pub async fn raise(store: &Store, what: &Raise<'_>) -> Result<Raised, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", owner as "owner!", chunk as "chunk!"
           from past_claims($1, $2)"#,
        what.past.as_secs_f64(),
        what.at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if rows.is_empty() {
        return Ok(Raised::default());
    }
    let more = i64::try_from(rows.len()).is_ok_and(|found| found >= what.at_most);
    let chunk = rows.into_iter().filter_map(|row| {
        let tenant = words::readable(words::tenant(&row.tenant_id))?;
        Some(Chunk { tenant, owner: row.owner, chunk: row.chunk })
    });
    let chunks: Vec<Chunk> = chunk.collect();

    let mut tx = store.scoped(chunks.iter().map(|chunk| &chunk.tenant)).await?;
    let mut left = named(&mut tx, &chunks).await?;
    let mut messages = 0;
    if left.iter().any(Left::is_open) {
        let raised = raise_open(&mut tx, what, &left).await?;
        messages = raised.len();
        let events: Vec<Event> = raised.iter().filter_map(StoredMessage::event).collect();
        outbox::insert(&mut tx, &events).await?;
        left = named(&mut tx, &chunks).await?;
    }

    let open: HashSet<Chunk> = left.iter().filter(|one| one.is_open()).map(Left::chunk).collect();
    let done: Vec<Chunk> = chunks.into_iter().filter(|chunk| !open.contains(chunk)).collect();
    let gone = delete(&mut tx, &done).await?;

    // Another sweep that deleted a chunk has its messages watched.
    let sent = left.iter().filter(|one| !one.is_open() && gone.contains(&one.chunk()));
    let sent: Vec<(&TenantId, MessageId)> = sent.map(|one| (&one.tenant, one.message)).collect();
    watch(&mut tx, &sent, what.watch_after).await?;
    put_off(&mut tx, &unreadable(&left)).await?;
    tx.commit().await.map_err(fault)?;
    Ok(Raised { messages, more })
}

/// A message of a chunk that is claimed still, or that the carrier has and that has no receipt yet.
struct Left {
    tenant: TenantId,
    owner: Uuid,
    chunk: i64,
    message: MessageId,
    state: MessageState,
    /// Whether this version can tell of it. One that it cannot stays claimed, for a newer version.
    is_readable: bool,
}

impl Left {
    fn is_open(&self) -> bool {
        self.state == MessageState::Queued
    }

    fn chunk(&self) -> Chunk {
        Chunk { tenant: self.tenant.clone(), owner: self.owner, chunk: self.chunk }
    }
}

/// The chunks of which only claims are open that this version cannot read.
fn unreadable(left: &[Left]) -> Vec<Chunk> {
    let open = |is_readable| {
        let such = left.iter().filter(move |one| one.is_open() && one.is_readable == is_readable);
        such.map(Left::chunk).collect::<HashSet<Chunk>>()
    };
    open(false).difference(&open(true)).cloned().collect()
}

/// The messages of chunks that are claimed, or sent and without a receipt.
async fn named(tx: &mut Scoped, chunks: &[Chunk]) -> Result<Vec<Left>, Fault> {
    let (tenants, owners, numbers) = keys(chunks);
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.owner as "owner!", k.chunk as "chunk!",
                  m.message_id, m.state, m.class
           from unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, owner, chunk)
           cross join lateral (
               select o.messages from open_claims o where o.tenant_id = k.tenant_id
                  and o.owner = k.owner and o.chunk = k.chunk limit 1
           ) c
           cross join lateral unnest(c.messages) as u (message_id)
           cross join lateral (
               select * from messages r
               where r.tenant_id = k.tenant_id and r.message_id = u.message_id limit 1
           ) m
           where m.claim_owner = k.owner and m.state = $4
              or m.state = $5 and m.code is distinct from $6"#,
        &tenants as _,
        &owners,
        &numbers,
        MessageState::Queued.code(),
        MessageState::Sent.code(),
        NO_RECEIPT,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut left = Vec::with_capacity(rows.len());
    for row in rows {
        left.push(Left {
            tenant: keyed::tenant(&row.tenant_id),
            owner: row.owner,
            chunk: row.chunk,
            message: MessageId(row.message_id),
            state: words::state(row.state)?,
            is_readable: words::readable(words::word::<MessageClass>(&row.class)).is_some(),
        });
    }
    Ok(left)
}

async fn raise_open(
    tx: &mut Scoped,
    what: &Raise<'_>,
    left: &[Left],
) -> Result<Vec<StoredMessage>, Fault> {
    let open = || left.iter().filter(|one| one.is_open() && one.is_readable);
    let rows = sqlx::query!(
        r#"with late as (
             select m.tenant_id, m.message_id
             from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, message_id, owner)
             join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id
             where m.state = $9 and m.claim_owner = k.owner
               and m.call_by < clock_timestamp() - make_interval(secs => $4)
             order by m.tenant_id, m.message_id
             for update of m skip locked
         ), raised as (
             update messages m
             set state = $10, gate = null, code = $5, due = null, version = m.version + 1,
                 changed_at = $6, passport = add_stamp(m.passport, $7::text::jsonb)
             from late l where m.tenant_id = l.tenant_id and m.message_id = l.message_id
             returning m.*
         ), doubted as (
             insert into doubts (tenant_id, message_id, account, raised_at, next_look)
             select r.tenant_id, r.message_id, coalesce(s.account, ''), $6,
                    r.call_by + make_interval(secs => $8)
             from raised r
             left join senders s on s.tenant_id = r.tenant_id and s.sender_id = r.sender_id
             on conflict (tenant_id, message_id) do update
             set account = excluded.account, raised_at = excluded.raised_at,
                 next_look = excluded.next_look, looks = 0, payload = null, settled_version = null
         )
         select m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,
                m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due, m.version,
                m.changed_at, m.carrier_sid is not null as "billed!"
         from raised m"#,
        &open().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &open().map(|one| one.message.0).collect::<Vec<_>>(),
        &open().map(|one| one.owner).collect::<Vec<_>>(),
        what.past.as_secs_f64(),
        what.stamp.code,
        what.now.to_sqlx(),
        json(what.stamp),
        what.first_look.as_secs_f64(),
        MessageState::Queued.code(),
        MessageState::InDoubt.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    rows.into_iter().map(|row| Ok(columns!(row).into())).collect()
}

/// Deletes chunks. Answers those that were there.
async fn delete(tx: &mut Scoped, chunks: &[Chunk]) -> Result<HashSet<Chunk>, Fault> {
    let (tenants, owners, numbers) = keys(chunks);

    let gone = sqlx::query!(
        "delete from open_claims c
         using unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, owner, chunk)
         where c.tenant_id = k.tenant_id and c.owner = k.owner and c.chunk = k.chunk
         returning c.tenant_id, c.owner, c.chunk",
        &tenants as _,
        &owners,
        &numbers,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let chunk = gone.into_iter().map(|row| Chunk {
        tenant: keyed::tenant(&row.tenant_id),
        owner: row.owner,
        chunk: row.chunk,
    });
    Ok(chunk.collect())
}

/// Has chunks found again only after a while.
async fn put_off(tx: &mut Scoped, chunks: &[Chunk]) -> Result<(), Fault> {
    if chunks.is_empty() {
        return Ok(());
    }

    let (tenants, owners, numbers) = keys(chunks);
    sqlx::query!(
        "update open_claims c set call_by = clock_timestamp() + make_interval(secs => $4)
         from unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, owner, chunk)
         where c.tenant_id = k.tenant_id and c.owner = k.owner and c.chunk = k.chunk",
        &tenants as _,
        &owners,
        &numbers,
        PUT_OFF.as_secs_f64(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The columns of chunks, in key order.
fn keys(chunks: &[Chunk]) -> (Vec<&str>, Vec<Uuid>, Vec<i64>) {
    let chunks = in_lock_order(chunks, |chunk| chunk);
    (
        chunks.iter().map(|chunk| chunk.tenant.as_str()).collect(),
        chunks.iter().map(|chunk| chunk.owner).collect(),
        chunks.iter().map(|chunk| chunk.chunk).collect(),
    )
}
