//! Messages: their texts go first, then their records with what hangs on them.
//!
//! A message is due by its end, which no index knows: the walk goes by when it was submitted, a day
//! behind, when nearly all have ended. Those that have not, or ended late, become a row of
//! `retention_waits`, by which they are looked at again; so the walk looks at each message once.

use std::collections::HashMap;

use domain::{
    ids::TenantId,
    message::state::{MessageState, NO_RECEIPT},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    Removed, Step,
    walks::{self, Walk},
};
use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        state_codes::codes,
        words,
    },
    fault,
};

/// How far the walk stays behind what is due, so that it meets messages that have ended.
const BEHIND: SignedDuration = SignedDuration::from_hours(24);

/// When a message is looked at again that cannot go yet.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Which message: its tenant and its id.
type Key = (TenantId, Uuid);

/// Removes the texts of messages that ended long enough ago.
pub async fn expire_texts(store: &Store, step: &Step) -> Result<Removed, Fault> {
    go_on(store, Walk::MessageTexts, step, step.keep.texts).await
}

/// Removes messages that ended long enough ago, with their recipients and what hangs on them.
pub async fn remove(store: &Store, step: &Step) -> Result<Removed, Fault> {
    go_on(store, Walk::Messages, step, step.keep.messages).await
}

/// Business time at which the oldest message that is kept was submitted; none where there is none.
pub async fn oldest(store: &Store) -> Result<Option<Timestamp>, Fault> {
    let row = sqlx::query!(
        r#"select at as "at!" from rows_by_age('messages', 'epoch', $1, 'infinity', 1)"#,
        Uuid::nil()
    )
    .fetch_optional(store.pool())
    .await
    .map_err(fault)?;

    Ok(row.map(|row| row.at.to_jiff()))
}

/// One step of a walk, and of those that it has left behind.
async fn go_on(
    store: &Store,
    walk: Walk,
    step: &Step,
    keep: SignedDuration,
) -> Result<Removed, Fault> {
    // load
    let cut = step.now - keep;
    let mark = walks::read(store, walk).await?;
    let next = walks::next(store, walk, mark, cut - BEHIND, step.rows).await?;
    let late = waiting(store, walk, cut, step.rows).await?;
    let Some(last) = next.last().map(walks::Aged::mark).or((!late.is_empty()).then_some(mark))
    else {
        return Ok(Removed::default());
    };
    let full = |found: usize| i64::try_from(found).is_ok_and(|found| found >= step.rows);
    let more = full(next.len()) || full(late.len());

    let passed = next.into_iter().filter_map(|one| Some((one.tenant?, one.id)));
    let keys: Vec<Key> = passed.chain(late).collect();
    let mut tx = store.scoped(keys.iter().map(|key| &key.0)).await?;
    if !walks::take(&mut tx, walk, mark).await? {
        return Ok(Removed { rows: 0, more: true });
    }
    let looked = look(&mut tx, &keys).await?;

    // decide
    let (mut due, mut waits) = (Vec::new(), Vec::new());
    for key in &keys {
        match looked.get(key).and_then(Looked::goes_from) {
            Some(from) if from <= cut => due.push(key),
            Some(from) => waits.push((key, from)),
            None => waits.push((key, cut + AGAIN)),
        }
    }

    // record
    let rows = match walk {
        Walk::Messages => delete(&mut tx, &due).await?,
        Walk::MessageTexts | Walk::InboundTexts | Walk::AiReplies => {
            blank(&mut tx, step.now, &due).await?
        }
    };
    wait(&mut tx, walk, &waits).await?;
    walks::advance(&mut tx, walk, last).await?;
    tx.commit().await.map_err(fault)?;
    Ok(Removed { rows, more })
}

/// Messages that a walk has left behind and that are due for a look.
async fn waiting(
    store: &Store,
    walk: Walk,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<Key>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", message_id as "message_id!"
           from retention_waiting($1, $2, $3)"#,
        walk.as_str(),
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let key = |row: (String, Uuid)| Some((words::readable(words::tenant(&row.0))?, row.1));
    Ok(rows.into_iter().filter_map(|row| key((row.tenant_id, row.message_id))).collect())
}

/// A message as it stands under its lock.
struct Looked {
    /// Business time of its last change.
    changed_at: Timestamp,
    has_ended: bool,
    /// Whether a parked row or a doubt hangs on it.
    is_open: bool,
}

impl Looked {
    /// The instant from which its time is counted; none while it must stay.
    fn goes_from(&self) -> Option<Timestamp> {
        (self.has_ended && !self.is_open).then_some(self.changed_at)
    }
}

/// Locks messages and reads where they stand. Those that somebody else has locked are left out.
async fn look(tx: &mut Scoped, keys: &[Key]) -> Result<HashMap<Key, Looked>, Fault> {
    let (tenants, messages) = columns(&keys.iter().collect::<Vec<_>>());
    let rows = sqlx::query!(
        r#"select m.tenant_id, m.message_id, m.changed_at,
                  m.state = any ($3) or m.state = $4 and m.code is not distinct from $5
                      as "has_ended!",
                  exists (select from parked p where p.tenant_id = m.tenant_id
                             and p.message_id = m.message_id)
                  or exists (select from doubts d where d.tenant_id = m.tenant_id
                                and d.message_id = m.message_id) as "is_open!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id
           order by m.tenant_id, m.message_id
           for update of m skip locked"#,
        &tenants as _,
        &messages,
        &codes(MessageState::is_final),
        MessageState::Sent.code(),
        NO_RECEIPT,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let looked = rows.into_iter().map(|row| {
        let looked = Looked {
            changed_at: row.changed_at.to_jiff(),
            has_ended: row.has_ended,
            is_open: row.is_open,
        };
        ((keyed::tenant(&row.tenant_id), row.message_id), looked)
    });
    Ok(looked.collect())
}

/// Takes the texts of messages that are locked.
async fn blank(tx: &mut Scoped, now: Timestamp, due: &[&Key]) -> Result<u64, Fault> {
    let (tenants, messages) = columns(due);
    let done = sqlx::query!(
        "with due as (
             delete from retention_waits w
             using unnest($2::text[], $3::uuid[]) as k (tenant_id, message_id)
             where w.tenant_id = k.tenant_id and w.rule = $4 and w.message_id = k.message_id
         )
         update messages m set body = '', media = null, text_expired_at = $1
         from unnest($2::text[], $3::uuid[]) as k (tenant_id, message_id)
         where m.tenant_id = k.tenant_id and m.message_id = k.message_id
           and (m.body <> '' or m.media is not null)",
        now.to_sqlx() as _,
        &tenants as _,
        &messages,
        Walk::MessageTexts.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected())
}

/// Deletes messages that are locked, and everything that hangs on them. A recipient is found by its
/// contact: it has no other key that names one alone.
async fn delete(tx: &mut Scoped, due: &[&Key]) -> Result<u64, Fault> {
    let (tenants, messages) = columns(due);
    let rules = [Walk::MessageTexts.as_str(), Walk::Messages.as_str()];

    let gone = sqlx::query_scalar!(
        r#"with gone as (
               delete from messages m
               using unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
               where m.tenant_id = k.tenant_id and m.message_id = k.message_id
               returning m.tenant_id, m.message_id, m.contact_id, m.campaign_id, m.carrier_sid,
                         m.sender_id
           ), found as (
               select r.tenant_id, r.campaign_id, r.seq
               from gone g
               cross join lateral (
                   select * from campaign_recipients n
                   where n.contact_id = g.contact_id and n.message_id = g.message_id limit 1
               ) r
               where g.campaign_id is not null
           ), recipients as (
               delete from campaign_recipients r using found f
               where r.tenant_id = f.tenant_id and r.campaign_id = f.campaign_id and r.seq = f.seq
           ), conflicts as (
               delete from message_conflicts c using gone g
               where c.tenant_id = g.tenant_id and c.message_id = g.message_id
           ), sids as (
               delete from taken_sids t using gone g, senders s
               where s.tenant_id = g.tenant_id and s.sender_id = g.sender_id
                 and t.tenant_id = g.tenant_id and t.account = s.account and t.sid = g.carrier_sid
           ), waits as (
               delete from retention_waits w
               using gone g cross join unnest($3::text[]) as u (rule)
               where w.tenant_id = g.tenant_id and w.rule = u.rule
                 and w.message_id = g.message_id
           )
           select count(*) as "gone!" from gone"#,
        &tenants as _,
        &messages,
        &rules as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(gone.unsigned_abs())
}

/// Notes from when on messages are looked at again.
async fn wait(tx: &mut Scoped, walk: Walk, waits: &[(&Key, Timestamp)]) -> Result<(), Fault> {
    if waits.is_empty() {
        return Ok(());
    }

    let waits = in_lock_order(waits, |one| one.0);
    sqlx::query!(
        "insert into retention_waits (tenant_id, rule, message_id, since)
         select k.tenant_id, $1, k.message_id, k.since
         from unnest($2::text[], $3::uuid[], $4::timestamptz[]) as k (tenant_id, message_id, since)
         on conflict (tenant_id, rule, message_id) do update set since = excluded.since",
        walk.as_str(),
        &waits.iter().map(|one| one.0.0.as_str()).collect::<Vec<_>>() as _,
        &waits.iter().map(|one| one.0.1).collect::<Vec<_>>(),
        &waits.iter().map(|one| one.1.to_sqlx()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

fn columns<'a>(keys: &[&'a Key]) -> (Vec<&'a str>, Vec<Uuid>) {
    let keys = in_lock_order(keys, |key| (&key.0, key.1));
    keys.iter().map(|key| (key.0.as_str(), key.1)).unzip()
}
