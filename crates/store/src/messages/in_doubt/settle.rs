//! What a carrier's list makes of doubts: everything open between one sender and one person is
//! locked together, texts that are known already are told apart, and the rest is given out.

use std::{collections::HashSet, time::Duration};

use domain::{
    address::Address,
    gates::OnLate,
    ids::{ContactId, MessageId, SenderId, TenantId},
    message::{
        class::Channel,
        passport::{Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, LockOrder, in_lock_order},
        words::{self, Unreadable, document, optional, readable, word},
    },
    fault,
    messages::{
        receipt::poll::watch,
        row::{StoredMessage, columns, json, segments},
    },
};

/// A message whose call may have been made and whose end is not known.
#[derive(Clone)]
pub struct Open {
    /// Where it stands: in doubt, or queued while somebody's claim on it holds.
    pub message: StoredMessage,
    /// Whose call it was, and the number of the attempt.
    pub claim: (Option<Uuid>, i16),
    /// When the call began at the latest; database time.
    pub call_by: Timestamp,
    /// The text that the call was to send.
    pub text: String,
    /// What it was to be sent with.
    pub media: Vec<String>,
    /// The person's address; none where the row has none.
    pub address: Option<Address>,
    /// The channel that it travels on.
    pub channel: Channel,
    /// When the gates reserved for it.
    pub reserved_at: Option<Timestamp>,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// What becomes of it when it is late; none: the policy says.
    pub on_late: Option<OnLate>,
    /// What was decided so far.
    pub passport: Passport,
    /// The account that was called, where it is in doubt.
    pub account: Option<String>,
    /// Since when it is in doubt, in business time, where it is.
    pub raised_at: Option<Timestamp>,
    /// What to send again, a `wire::Enriched`; none where the process that called died first.
    pub payload: Option<Value>,
}

impl Open {
    /// Whether it is in doubt, and not under a claim that still holds.
    pub fn is_in_doubt(&self) -> bool {
        self.message.state == MessageState::InDoubt && self.account.is_some()
    }
}

/// All that is open between a sender and a person.
#[derive(Clone, Default)]
pub struct AllOpen {
    /// Messages that this version can read.
    pub open: Vec<Open>,
    /// Of messages that only a newer version can read: the account that was called, where they are
    /// in doubt. Any text of that account's list may be theirs.
    pub newer: Vec<Option<String>>,
}

/// Locks all that is open between a sender and a person, in key order; no sender is one too. Waits
/// for others at most two seconds: whoever has a row for longer is an outage.
pub async fn lock_open(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    sender: Option<SenderId>,
) -> Result<AllOpen, Fault> {
    sqlx::query_scalar!(r#"select set_config('lock_timeout', '2s', true) as "set!""#)
        .fetch_one(&mut **tx)
        .await
        .map_err(fault)?;

    let rows = sqlx::query!(
        r#"select m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,
                  m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due, m.version,
                  m.changed_at, m.carrier_sid is not null as "billed!", m.claim_owner, m.attempt,
                  m.call_by, m.body, m.media, m.number, m.channel, m.reserved_at, m.submitted_at,
                  m.expires_at, m.on_late, m.passport,
                  d.account as "account?", d.raised_at as "raised_at?", d.payload as "payload?"
           from messages m
           left join doubts d on d.tenant_id = m.tenant_id and d.message_id = m.message_id
                             and d.settled_version is null
           where m.tenant_id = $1 and m.contact_id = $2
             and m.sender_id is not distinct from $3
             and (m.state = $4 or m.state = $5 and m.claim_owner is not null)
           order by m.message_id
           for update of m"#,
        tenant.as_str(),
        contact.0,
        sender.map(|sender| sender.0),
        MessageState::InDoubt.code(),
        MessageState::Queued.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut all = AllOpen::default();
    for row in rows {
        let account = row.account.clone();
        let read = || -> Result<Open, Unreadable> {
            Ok(Open {
                claim: (row.claim_owner, row.attempt),
                // Whoever claims sets it. Without it nothing is ever late enough to be decided.
                call_by: row.call_by.map_or(Timestamp::MAX, |at| at.to_jiff()),
                channel: word(&row.channel)?,
                text: row.body,
                media: row.media.unwrap_or_default(),
                address: words::address(&row.number)?,
                reserved_at: row.reserved_at.map(|at| at.to_jiff()),
                submitted_at: row.submitted_at.to_jiff(),
                expires_at: row.expires_at.map(|at| at.to_jiff()),
                on_late: optional(row.on_late.as_deref())?,
                passport: document(row.passport, "passport")?,
                account: row.account,
                raised_at: row.raised_at.map(|at| at.to_jiff()),
                payload: row.payload,
                message: columns!(row).into(),
            })
        };
        match readable(read()) {
            Some(one) => all.open.push(one),
            None => all.newer.push(account),
        }
    }
    Ok(all)
}

/// Which of these texts belong to a message already: by its own row, or because a list gave them to
/// it. `sids` are texts of the account to this person.
pub async fn known_sids(
    tx: &mut Scoped,
    (tenant, account): (&TenantId, &str),
    contact: ContactId,
    sids: &[&str],
) -> Result<HashSet<String>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select m.carrier_sid as "sid!" from messages m
           where m.tenant_id = $1 and m.contact_id = $3 and m.carrier_sid = any($4)
           union all
           select t.sid from taken_sids t
           where t.tenant_id = $1 and t.account = $2 and t.sid = any($4)"#,
        tenant.as_str(),
        account,
        contact.0,
        sids as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().collect())
}

/// Gives texts of an account to messages, unless they have been given before; answers which of them
/// were given now.
pub async fn take_sids(
    tx: &mut Scoped,
    (tenant, account): (&TenantId, &str),
    taken: &[(&str, MessageId)],
) -> Result<HashSet<String>, Fault> {
    let rows = sqlx::query_scalar!(
        "insert into taken_sids (tenant_id, account, sid, message_id, taken_at)
         select $1, $2, k.sid, k.message_id, clock_timestamp()
         from unnest($3::text[], $4::uuid[]) as k (sid, message_id)
         order by k.sid
         on conflict do nothing
         returning sid",
        tenant.as_str(),
        account,
        &taken.iter().map(|(sid, _)| *sid).collect::<Vec<_>>() as _,
        &taken.iter().map(|(_, message)| message.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().collect())
}

/// A text that the carrier's list has for a message.
#[derive(Debug, Clone)]
pub struct FoundText<'a> {
    /// The tenant that owns the message.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The carrier's id.
    pub sid: &'a str,
    /// What the carrier counted, and its cost, where that differs from the estimate.
    pub billed: Option<(u16, Micros)>,
    /// The stamp of the evidence.
    pub stamp: &'a Stamp,
}

/// Records messages in doubt as sent. The rows are locked; answers in the order of `texts`, none
/// where the message is not in doubt.
pub async fn found(
    tx: &mut Scoped,
    now: Timestamp,
    texts: &[FoundText<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let order = LockOrder::by(texts, |one| (one.tenant, one.message));
    let sorted = order.sorted(texts);
    let counted = sorted.iter().map(|one| Some(segments(one.billed?.0)));
    let rows = sqlx::query!(
        r#"update messages m
           set state = $8, carrier_sid = k.sid, segments = coalesce(k.segments, m.segments),
               cost_micros = coalesce(k.cost, m.cost_micros), gate = null, code = null, due = null,
               passport = add_stamp(m.passport, k.stamp::jsonb), version = m.version + 1,
               changed_at = $1
           from unnest($2::text[], $3::uuid[], $4::text[], $5::smallint[], $6::bigint[],
                       $7::text[]) with ordinality
                as k (tenant_id, message_id, sid, segments, cost, stamp, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id and m.state = $9
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!""#,
        now.to_sqlx() as _,
        &sorted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.message.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.sid).collect::<Vec<_>>() as _,
        &counted.collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| Some(one.billed?.1.0)).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| json(one.stamp)).collect::<Vec<_>>(),
        MessageState::Sent.code(),
        MessageState::InDoubt.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut stored = vec![None; texts.len()];
    for row in rows {
        stored[order.index(row.at)] = Some(columns!(row).into());
    }
    Ok(stored)
}

/// Marks doubts as ended by these versions of their messages. The rows stay until the events of
/// that are published: see [`said`].
pub async fn settled(tx: &mut Scoped, ended: &[&StoredMessage]) -> Result<(), Fault> {
    let ended = in_lock_order(ended, |message| (&message.tenant, message.id));
    sqlx::query!(
        "update doubts d set settled_version = k.version
         from unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, message_id, version)
         where d.tenant_id = k.tenant_id and d.message_id = k.message_id",
        &ended.iter().map(|message| message.tenant.as_str()).collect::<Vec<_>>() as _,
        &ended.iter().map(|message| message.id.0).collect::<Vec<_>>(),
        &ended.iter().map(|message| message.version).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Puts off the next look at doubts that a look has not settled, each for so long.
pub async fn postpone(
    tx: &mut Scoped,
    looks: &[(&TenantId, MessageId, Duration)],
) -> Result<(), Fault> {
    let looks = in_lock_order(looks, |look| (look.0, look.1));
    sqlx::query!(
        "update doubts d
         set looks = d.looks + 1, next_look = clock_timestamp() + make_interval(secs => k.wait)
         from unnest($1::text[], $2::uuid[], $3::float8[]) as k (tenant_id, message_id, wait)
         where d.tenant_id = k.tenant_id and d.message_id = k.message_id",
        &looks.iter().map(|look| look.0.as_str()).collect::<Vec<_>>() as _,
        &looks.iter().map(|look| look.1.0).collect::<Vec<_>>(),
        &looks.iter().map(|look| look.2.as_secs_f64()).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Gives back doubts that were leased and not looked at: they are due again after this wait.
pub async fn give_back(
    store: &Store,
    doubts: &[(&TenantId, MessageId)],
    wait: Duration,
) -> Result<(), Fault> {
    if doubts.is_empty() {
        return Ok(());
    }

    let doubts = in_lock_order(doubts, |key| *key);
    let mut tx = store.scoped(doubts.iter().map(|key| key.0)).await?;
    sqlx::query!(
        "update doubts d set next_look = clock_timestamp() + make_interval(secs => $3)
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
         where d.tenant_id = k.tenant_id and d.message_id = k.message_id",
        &doubts.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &doubts.iter().map(|key| key.1.0).collect::<Vec<_>>(),
        wait.as_secs_f64(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}

/// Deletes doubts whose end is published: each is named by the version that ended it, or has none
/// where somebody else ended it. One that has come back since stays. Those that were sent are
/// watched for their receipt, for the first time this long after they were found. After an outage
/// the doubts are looked at and their ends published again.
pub async fn said(
    store: &Store,
    ended: &[(TenantId, MessageId, Option<i64>)],
    watch_after: Duration,
) -> Result<(), Fault> {
    if ended.is_empty() {
        return Ok(());
    }

    let ended = in_lock_order(ended, |one| (&one.0, one.1));
    let mut tx = store.scoped(ended.iter().map(|one| &one.0)).await?;

    let gone = sqlx::query!(
        "delete from doubts d
         using unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, message_id, version),
               messages m
         where d.tenant_id = k.tenant_id and d.message_id = k.message_id
           and m.tenant_id = k.tenant_id and m.message_id = k.message_id
           and d.settled_version is not distinct from k.version and m.state <> $4
         returning d.tenant_id, d.message_id",
        &ended.iter().map(|one| one.0.as_str()).collect::<Vec<_>>() as _,
        &ended.iter().map(|one| one.1.0).collect::<Vec<_>>(),
        &ended.iter().map(|one| one.2).collect::<Vec<_>>() as _,
        MessageState::InDoubt.code(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    let gone: Vec<(TenantId, MessageId)> = gone
        .into_iter()
        .map(|row| (keyed::tenant(&row.tenant_id), MessageId(row.message_id)))
        .collect();
    let gone: Vec<(&TenantId, MessageId)> = gone.iter().map(|(of, id)| (of, *id)).collect();
    watch(&mut tx, &gone, watch_after).await?;
    tx.commit().await.map_err(fault)
}

/// The tenant's policy in force, as stored; none where it has none.
pub async fn policy(tx: &mut Scoped, tenant: &TenantId) -> Result<Option<String>, Fault> {
    sqlx::query_scalar!(
        r#"select body::text as "body!" from policies
           where tenant_id = $1 order by version desc limit 1"#,
        tenant.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}
