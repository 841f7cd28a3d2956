//! Bursts: texts of one conversation that get one answer. A burst takes in what its person writes
//! until nothing more came for a few seconds, or it is 30 s old; then a process takes it under a
//! short lease. It stays until its answer is at the broker, so that a crash repeats, and skips
//! nothing. All times are the machine's.

use std::collections::{HashMap, HashSet};

use domain::{
    address::Address,
    ids::{ContactId, ConversationId, MessageId, SenderId, TenantId},
    lexicon::wording,
    message::class::Channel,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::replies::Ask;
use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        words::{self, word},
    },
    fault,
};

/// How long a burst takes texts in at most, from its first one.
pub const LONGEST: SignedDuration = SignedDuration::from_secs(30);

/// How long a process that has taken a burst has for it: longer than a call of the model.
pub const LEASE: SignedDuration = SignedDuration::from_secs(45);

/// A text that joins the burst of its conversation.
#[derive(Debug, Clone)]
pub struct Joining<'a> {
    /// The text, and who wrote it.
    pub ask: &'a Ask,
    /// The sender that was texted.
    pub sender: SenderId,
    /// Business time of the text.
    pub received_at: Timestamp,
    /// The trace that it goes on.
    pub trace: Option<&'a str>,
    /// For how long nothing more must come.
    pub quiet: SignedDuration,
}

/// A burst that this process has taken.
#[derive(Debug, Clone)]
pub struct Burst {
    /// Its last text, which names the answer.
    pub ask: Ask,
    /// The id of the burst.
    pub id: Uuid,
    /// The sender that was texted.
    pub sender: SenderId,
    /// What the person wrote last.
    pub body: String,
    /// When its first text came.
    pub began_at: Timestamp,
    /// Business time of its last text.
    pub received_at: Timestamp,
    /// The trace that it goes on.
    pub trace: Option<String>,
    /// How often a process has taken it without an answer, this time among them.
    pub tries: i16,
}

/// Has texts join the bursts of their conversations, or begin them: each text once, however often
/// it is delivered. The last text of a burst is the one that came last, whichever process is first
/// here: a text that is late joins those after it. A burst of an earlier epoch is begun anew.
pub async fn join(tx: &mut Scoped, texts: &[Joining<'_>], machine: Timestamp) -> Result<(), Fault> {
    if texts.is_empty() {
        return Ok(());
    }
    let new = mark(tx, texts, machine).await?;
    let last = last_of_each(texts, &new);

    sqlx::query!(
        "insert into reply_bursts as b
             (tenant_id, burst_id, conversation_id, epoch, inbound_id, contact_id, sender_id,
              number, channel, received_at, trace, began_at, due)
         select tenant_id, inbound_id, conversation_id, epoch, inbound_id, contact_id, sender_id,
                number, channel, received_at, trace, $1::timestamptz,
                $1 + make_interval(secs => quiet)
         from unnest($2::text[], $3::uuid[], $4::uuid[], $5::integer[], $6::uuid[], $7::uuid[],
                     $8::text[], $9::text[], $10::timestamptz[], $11::text[],
                     $12::double precision[])
              as k (tenant_id, inbound_id, conversation_id, epoch, contact_id, sender_id, number,
                    channel, received_at, trace, quiet)
         order by tenant_id, conversation_id
         on conflict (tenant_id, conversation_id) where not closed do update
         set (inbound_id, epoch, sender_id, number, channel, received_at, trace) = (
                 select inbound_id, epoch, sender_id, number, channel, received_at, trace
                 from (values
                     (true, excluded.inbound_id, excluded.epoch, excluded.sender_id,
                      excluded.number, excluded.channel, excluded.received_at, excluded.trace),
                     (false, b.inbound_id, b.epoch, b.sender_id, b.number, b.channel,
                      b.received_at, b.trace)
                 ) as l (is_new, inbound_id, epoch, sender_id, number, channel, received_at, trace)
                 order by l.epoch desc, l.received_at desc, l.is_new desc limit 1),
             tries = 0,
             began_at = case when excluded.epoch > b.epoch then excluded.began_at
                             else b.began_at end,
             due = case when excluded.epoch > b.epoch then excluded.due
                        else least(excluded.due, b.began_at + make_interval(secs => $13)) end",
        machine.to_sqlx() as _,
        &last.iter().map(|text| text.ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &last.iter().map(|text| text.ask.inbound).collect::<Vec<_>>(),
        &last.iter().map(|text| text.ask.conversation.0).collect::<Vec<_>>(),
        &last.iter().map(|text| text.ask.epoch).collect::<Vec<_>>(),
        &last.iter().map(|text| text.ask.contact.0).collect::<Vec<_>>(),
        &last.iter().map(|text| text.sender.0).collect::<Vec<_>>(),
        &last.iter().map(|text| text.ask.address.as_str()).collect::<Vec<_>>() as _,
        &last.iter().map(|text| text.ask.channel.as_str()).collect::<Vec<_>>() as _,
        &last.iter().map(|text| text.received_at.to_sqlx()).collect::<Vec<_>>() as _,
        &last.iter().map(|text| text.trace).collect::<Vec<_>>() as _,
        &last.iter().map(|text| text.quiet.as_secs_f64()).collect::<Vec<_>>(),
        LONGEST.as_secs_f64(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Notes which texts join a burst now, and gives those that had not.
async fn mark(
    tx: &mut Scoped,
    texts: &[Joining<'_>],
    machine: Timestamp,
) -> Result<HashSet<Uuid>, Fault> {
    let sorted = in_lock_order(texts, |text| (&text.ask.tenant, text.ask.inbound));
    let new = sqlx::query_scalar!(
        "update inbound_texts t set burst_at = $3
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, inbound_id)
         where t.tenant_id = k.tenant_id and t.inbound_id = k.inbound_id and t.burst_at is null
         returning t.inbound_id",
        &sorted.iter().map(|text| text.ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|text| text.ask.inbound).collect::<Vec<_>>(),
        machine.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(new.into_iter().collect())
}

/// Of each conversation the last of its new texts: it stands for those before it. Of texts that
/// came at one instant it is the one that was handed over last.
fn last_of_each<'t, 'a>(texts: &'t [Joining<'a>], new: &HashSet<Uuid>) -> Vec<&'t Joining<'a>> {
    let mut last: HashMap<ConversationId, &Joining<'_>> = HashMap::new();
    for text in texts.iter().filter(|text| new.contains(&text.ask.inbound)) {
        let known = last.entry(text.ask.conversation).or_insert(text);
        if (text.ask.epoch, text.received_at) >= (known.ask.epoch, known.received_at) {
            *known = text;
        }
    }
    last.into_values().collect()
}

/// Takes bursts that are due, the longest waiting first, at most so many of one tenant over all
/// processes: nobody else gets them until their lease ends. Says also whether more may be due.
pub async fn take(
    store: &Store,
    machine: Timestamp,
    per_tenant: i64,
    at_most: i64,
) -> Result<(Vec<Burst>, bool), Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", burst_id as "burst_id!" from due_bursts($1, $2, $3)"#,
        machine.to_sqlx() as _,
        per_tenant,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = |key: &str| words::readable(words::tenant(key));
    let is_full = found.len() as i64 >= at_most;
    let keys: Vec<(TenantId, Uuid)> = found
        .into_iter()
        .filter_map(|row| Some((readable(&row.tenant_id)?, row.burst_id)))
        .collect();
    if keys.is_empty() {
        return Ok((Vec::new(), false));
    }

    let mut tx = store.scoped(keys.iter().map(|key| &key.0)).await?;
    let taken = lease(&mut tx, machine, &keys).await?;
    tx.commit().await.map_err(fault)?;
    Ok((taken, is_full))
}

/// How many bursts [`take`] would take now, 10,000 at most.
pub async fn waiting(store: &Store, machine: Timestamp, per_tenant: i64) -> Result<i64, Fault> {
    sqlx::query_scalar!(
        r#"select count(*) as "waiting!" from due_bursts($1, $2, 10000)"#,
        machine.to_sqlx() as _,
        per_tenant,
    )
    .fetch_one(store.pool())
    .await
    .map_err(fault)
}

/// Takes those of these that nobody else has taken since. One that is as old as bursts become takes
/// nothing more in: its answer is not overtaken.
async fn lease(
    tx: &mut Scoped,
    machine: Timestamp,
    keys: &[(TenantId, Uuid)],
) -> Result<Vec<Burst>, Fault> {
    let rows = sqlx::query!(
        r#"with taken as (
               update reply_bursts b
               set leased_until = $1::timestamptz + make_interval(secs => $2),
                   tries = least(b.tries, 1000) + 1,
                   closed = b.closed or b.began_at + make_interval(secs => $3) <= $1
               where (b.tenant_id, b.burst_id) in (
                   select d.tenant_id, d.burst_id
                   from unnest($4::text[], $5::uuid[]) as k (tenant_id, burst_id)
                   join reply_bursts d on d.tenant_id = k.tenant_id and d.burst_id = k.burst_id
                   where d.due <= $1 and (d.leased_until is null or d.leased_until <= $1)
                   order by d.tenant_id, d.burst_id for update of d skip locked)
               returning b.*
           )
           select t.tenant_id as "tenant_id!", t.burst_id as "burst_id!",
                  t.conversation_id as "conversation_id!", t.epoch as "epoch!",
                  t.inbound_id as "inbound_id!", t.contact_id as "contact_id!",
                  t.sender_id as "sender_id!", t.number as "number!", t.channel as "channel!",
                  t.received_at as "received_at!", t.trace, t.began_at as "began_at!",
                  t.tries as "tries!", coalesce(i.body, '') as "body!"
           from taken t
           left join inbound_texts i
             on i.tenant_id = t.tenant_id and i.inbound_id = t.inbound_id
           order by t.began_at"#,
        machine.to_sqlx() as _,
        LEASE.as_secs_f64(),
        LONGEST.as_secs_f64(),
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        let channel: Channel = word(&row.channel)?;
        let Ok(address) = row.number.parse::<Address>() else { continue };
        let conversation = ConversationId(row.conversation_id);
        let epoch = u32::try_from(row.epoch).unwrap_or(1);
        let ask = Ask {
            tenant: keyed::tenant(&row.tenant_id),
            inbound: row.inbound_id,
            conversation,
            epoch: row.epoch,
            message: MessageId::from_burst(conversation, epoch, row.inbound_id),
            address,
            channel,
            contact: ContactId(row.contact_id),
            wording: wording(&row.body),
            burst: Some(row.burst_id),
        };
        taken.push(Burst {
            ask,
            id: row.burst_id,
            sender: SenderId(row.sender_id),
            body: row.body,
            received_at: row.received_at.to_jiff(),
            trace: row.trace,
            began_at: row.began_at.to_jiff(),
            tries: row.tries,
        });
    }
    Ok(taken)
}

/// Those texts, of the last ones of bursts, after which more was written: their bursts have another
/// last text now. So may a burst that is gone have had: whoever took it when this process's lease
/// had ended has answered it. The bursts are locked until the transaction ends.
pub(super) async fn overtaken(tx: &mut Scoped, asks: &[Ask]) -> Result<HashSet<Uuid>, Fault> {
    let of_bursts: Vec<&Ask> = asks.iter().filter(|ask| ask.burst.is_some()).collect();
    if of_bursts.is_empty() {
        return Ok(HashSet::new());
    }

    let sorted = in_lock_order(&of_bursts, |ask| (&ask.tenant, ask.burst));
    let rows = sqlx::query!(
        r#"select k.inbound_id as "asked!", b.inbound_id as "last!"
           from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, burst_id, inbound_id)
           join reply_bursts b on b.tenant_id = k.tenant_id and b.burst_id = k.burst_id
           order by b.tenant_id, b.burst_id for update of b"#,
        &sorted.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().filter_map(|ask| ask.burst).collect::<Vec<_>>(),
        &sorted.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let last: HashSet<Uuid> =
        rows.into_iter().filter(|row| row.asked == row.last).map(|row| row.asked).collect();
    Ok(of_bursts.iter().map(|ask| ask.inbound).filter(|asked| !last.contains(asked)).collect())
}

/// Has these bursts take nothing more in: something was decided about them. They are locked by
/// [`overtaken`].
pub(super) async fn close<'a>(
    tx: &mut Scoped,
    asks: impl Iterator<Item = &'a Ask>,
) -> Result<(), Fault> {
    let of_bursts: Vec<&Ask> = asks.filter(|ask| ask.burst.is_some()).collect();
    if of_bursts.is_empty() {
        return Ok(());
    }

    let sorted = in_lock_order(&of_bursts, |ask| (&ask.tenant, ask.burst));
    sqlx::query!(
        "update reply_bursts b set closed = true
         from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, burst_id, inbound_id)
         where b.tenant_id = k.tenant_id and b.burst_id = k.burst_id
           and b.inbound_id = k.inbound_id and not b.closed",
        &sorted.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().filter_map(|ask| ask.burst).collect::<Vec<_>>(),
        &sorted.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Gives a burst back, whose answer was overtaken: it is answered when it is due again.
pub async fn give_back(store: &Store, burst: &Burst) -> Result<(), Fault> {
    let mut tx = store.scoped([&burst.ask.tenant]).await?;
    sqlx::query!(
        "update reply_bursts set leased_until = null, tries = greatest(tries - 1, 0)
         where tenant_id = $1 and burst_id = $2 and not closed",
        burst.ask.tenant.as_str(),
        burst.id,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}

/// Gives a burst back, for which the model had no answer: it is answered at this instant, unless
/// more was written since.
pub async fn put_off(store: &Store, burst: &Burst, due: Timestamp) -> Result<(), Fault> {
    let mut tx = store.scoped([&burst.ask.tenant]).await?;
    sqlx::query!(
        "update reply_bursts
         set leased_until = null, due = case when inbound_id = $4 then $3 else due end
         where tenant_id = $1 and burst_id = $2",
        burst.ask.tenant.as_str(),
        burst.id,
        due.to_sqlx() as _,
        burst.ask.inbound,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}

/// Removes bursts whose answers are at the broker, by the texts that name these: a burst that has
/// another last text since waits for the answer to that.
pub async fn remove(store: &Store, said: &[Ask]) -> Result<(), Fault> {
    if said.is_empty() {
        return Ok(());
    }
    let sorted = in_lock_order(said, |ask| (&ask.tenant, ask.burst));
    let mut tx = store.scoped(said.iter().map(|ask| &ask.tenant)).await?;
    sqlx::query!(
        "delete from reply_bursts b
         using unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, burst_id, inbound_id)
         where b.tenant_id = k.tenant_id and b.burst_id = k.burst_id
           and b.inbound_id = k.inbound_id and b.closed",
        &sorted.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|ask| ask.burst).collect::<Vec<_>>() as _,
        &sorted.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}
