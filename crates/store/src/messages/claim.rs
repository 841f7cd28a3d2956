//! What the claim of `send` reads and writes. One transaction, locks in this order: standings,
//! pace, messages. Whoever has a sender's pace row is alone with the claims of its messages.

mod senders;

use std::time::Duration;

use domain::{
    ids::{MessageId, SenderId, TenantId},
    message::class::Lane,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

pub use senders::{ClaimSender, senders};

use crate::{
    Scoped,
    capacity::pace::{self, PaceLocks},
    core::keyed::{LockOrder, in_lock_order, index},
    fault,
    messages::row::{StoredMessage, columns, turn},
};

/// A claim as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Who made it.
    pub owner: Uuid,
    /// Database time; no call begins after it.
    pub call_by: Timestamp,
}

/// A message as the claim finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// Where it stands.
    pub message: StoredMessage,
    /// Who has it.
    pub claim: Option<Claim>,
    /// Carrier calls begun.
    pub attempt: i16,
}

/// Reads messages in the order of the keys, without locking them: see the head of this file.
pub async fn current(
    tx: &mut Scoped,
    keys: &[(&TenantId, MessageId)],
) -> Result<Vec<Option<Current>>, Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let messages: Vec<Uuid> = keys.iter().map(|key| key.1.0).collect();

    let rows = sqlx::query!(
        r#"select k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id,
                  m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due,
                  m.version, m.changed_at, m.carrier_sid is not null as "billed!",
                  m.claim_owner, m.call_by, m.attempt
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; keys.len()];
    for row in rows {
        let claim = row.claim_owner.zip(row.call_by);
        found[index(row.at)] = Some(Current {
            claim: claim.map(|(owner, call_by)| Claim { owner, call_by: call_by.to_jiff() }),
            attempt: row.attempt,
            message: columns!(row).into(),
        });
    }
    Ok(found)
}

/// One message to claim.
#[derive(Debug, Clone, Copy)]
pub struct ToClaim<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn that was admitted.
    pub turn: u32,
    /// The sender whose meter it leaves, and in which lane.
    pub meter: (SenderId, Lane),
    /// How many segments it takes of it.
    pub segments: u16,
}

/// The process that claims.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    /// The process's id, new at each start.
    pub owner: Uuid,
    /// Its number of this chunk, never used before.
    pub chunk: i64,
    /// How long after the claim a call may begin.
    pub call_by: Duration,
}

/// A claim as it was made. Its time tells it from a later claim of the same process, which may have
/// the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeClaim {
    /// The number of the call that it allows.
    pub attempt: i16,
    /// Database time; no call begins after it.
    pub call_by: Timestamp,
}

/// Claims messages that are queued in their turn and without a claim, for calls that begin within
/// `call_by` of the database's clock. The same statement moves pace rows, and leaves a row per
/// tenant by which the sweep finds the claims if nobody ends them. Answers the claims in the
/// caller's order; none for a message that has moved on since it was read.
pub async fn take(
    tx: &mut Scoped,
    claimant: Claimant,
    wanted: &[ToClaim<'_>],
    moved: &PaceLocks,
) -> Result<Vec<Option<MadeClaim>>, Fault> {
    let order = LockOrder::by(wanted, |one| (one.tenant, one.message));
    let claimed = write_claims(tx, claimant, &order.sorted(wanted), moved).await?;

    let mut made = vec![None; wanted.len()];
    for (at, claim) in claimed {
        made[order.index(at)] = Some(claim);
    }
    Ok(made)
}

/// Claims messages that come in lock order. Answers their places and the claims.
async fn write_claims(
    tx: &mut Scoped,
    claimant: Claimant,
    wanted: &[&ToClaim<'_>],
    moved: &PaceLocks,
) -> Result<Vec<(i64, MadeClaim)>, Fault> {
    let PaceLocks { senders, accounts, turns, .. } = moved;
    let meters = MeterColumns::of(wanted);

    let rows = sqlx::query!(
        r#"with account_paced as (
               update account_pace p set next_free = k.next_free
               from unnest($10::text[], $11::timestamptz[]) as k (account, next_free)
               where p.account = k.account
           ), turns_taken as (
               update account_turns t set next_free = k.next_free, weight = k.weight
               from unnest($15::text[], $16::text[], $17::timestamptz[], $18::int[])
                    as k (account, tenant_id, next_free, weight)
               where t.account = k.account and t.tenant_id = k.tenant_id
           ), claimed as (
               update messages m
               set claim_owner = $1, attempt = m.attempt + 1,
                   call_by = clock_timestamp() + make_interval(secs => $2)
               from unnest($3::text[], $4::uuid[], $5::int[], $12::text[], $13::bool[],
                           $14::bigint[])
                    with ordinality as k (tenant_id, message_id, turn, meter, urgent, segments, at)
               where m.tenant_id = k.tenant_id and m.message_id = k.message_id
                 and m.turn = k.turn and m.state = 3 and m.claim_owner is null
               returning k.at, m.attempt, m.tenant_id, m.message_id, m.call_by, k.meter, k.urgent,
                         k.segments
           ), metered as (
               select tenant_id, meter, sum(segments) filter (where urgent) as urgent,
                      sum(segments) filter (where not urgent) as bulk
               from claimed group by tenant_id, meter
           ), paced as (
               update pace p
               set next_free = k.next_free, claimed_bulk = p.claimed_bulk + coalesce(c.bulk, 0),
                   claimed_urgent = p.claimed_urgent + coalesce(c.urgent, 0)
               from unnest($6::text[], $7::text[], $8::timestamptz[])
                    as k (tenant_id, key, next_free)
               left join metered c on c.tenant_id = k.tenant_id and c.meter = k.key
               where p.tenant_id = k.tenant_id and p.key = k.key
           ), opened as (
               insert into open_claims (tenant_id, owner, chunk, call_by, messages)
               select tenant_id, $1, $9, max(call_by), array_agg(message_id) from claimed group by 1
           )
           select at as "at!", attempt, call_by as "call_by!" from claimed"#,
        claimant.owner,
        claimant.call_by.as_secs_f64(),
        &wanted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.message.0).collect::<Vec<_>>(),
        &wanted.iter().map(|one| turn(one.turn)).collect::<Vec<_>>(),
        &senders.iter().map(|lock| lock.tenant.as_str()).collect::<Vec<_>>() as _,
        &senders.iter().map(|lock| pace::key_of(lock.sender)).collect::<Vec<_>>(),
        &senders.iter().map(|lock| lock.next_free.to_sqlx()).collect::<Vec<_>>() as _,
        claimant.chunk,
        &accounts.iter().map(|lock| lock.account.as_str()).collect::<Vec<_>>() as _,
        &accounts.iter().map(|lock| lock.next_free.to_sqlx()).collect::<Vec<_>>() as _,
        &meters.keys,
        &meters.urgent,
        &meters.segments,
        &turns.iter().map(|lock| lock.account.as_str()).collect::<Vec<_>>() as _,
        &turns.iter().map(|lock| lock.tenant.as_str()).collect::<Vec<_>>() as _,
        &turns.iter().map(|lock| lock.next_free.to_sqlx()).collect::<Vec<_>>() as _,
        &turns.iter().map(|lock| lock.weight).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (row.at, made(row.attempt, row.call_by))).collect())
}

fn made(attempt: i16, call_by: jiff_sqlx::Timestamp) -> MadeClaim {
    MadeClaim { attempt, call_by: call_by.to_jiff() }
}

/// The meters that messages leave, as columns in the messages' order.
struct MeterColumns {
    keys: Vec<String>,
    urgent: Vec<bool>,
    segments: Vec<i64>,
}

impl MeterColumns {
    fn of(messages: &[&ToClaim<'_>]) -> Self {
        Self {
            keys: messages.iter().map(|one| pace::key_of(one.meter.0)).collect(),
            urgent: messages.iter().map(|one| one.meter.1 == Lane::Urgent).collect(),
            segments: messages.iter().map(|one| i64::from(one.segments.max(1))).collect(),
        }
    }
}

/// Gives claims back whose calls did not begin in time: the messages are queued as before, and in
/// their senders' meters. A repeat frees no later claim. To be called before anything else is
/// locked: pace rows, then messages.
///
/// # Errors
/// An outage; the claims then run out and are in doubt.
pub async fn give_back(
    tx: &mut Scoped,
    owner: Uuid,
    claims: &[(ToClaim<'_>, MadeClaim)],
) -> Result<(), Fault> {
    let claims = in_lock_order(claims, |(one, _)| (one.tenant, one.message));
    let meters = MeterColumns::of(&claims.iter().map(|claim| &claim.0).collect::<Vec<_>>());

    sqlx::query!(
        "with wanted as (
             select * from unnest($2::text[], $3::uuid[], $4::timestamptz[], $5::text[], $6::bool[],
                                  $7::bigint[])
                  as k (tenant_id, message_id, call_by, meter, urgent, segments)
         ), meters as materialized (
             select p.tenant_id, p.key from pace p
             where (p.tenant_id, p.key) in (select tenant_id, meter from wanted)
             order by p.tenant_id, p.key for update
         ), back as (
             update messages m set claim_owner = null, call_by = null, attempt = m.attempt - 1
             from wanted k
             join meters r on r.tenant_id = k.tenant_id and r.key = k.meter
             where m.tenant_id = k.tenant_id and m.message_id = k.message_id
               and m.claim_owner = $1 and m.call_by = k.call_by and m.state = 3
             returning k.tenant_id, k.meter, k.urgent, k.segments
         ), metered as (
             select tenant_id, meter,
                    coalesce(sum(segments) filter (where urgent), 0)::bigint as urgent,
                    coalesce(sum(segments) filter (where not urgent), 0)::bigint as bulk
             from back group by tenant_id, meter
         )
         update pace p
         set claimed_urgent = p.claimed_urgent - c.urgent, claimed_bulk = p.claimed_bulk - c.bulk
         from metered c where p.tenant_id = c.tenant_id and p.key = c.meter",
        owner,
        &claims.iter().map(|(one, _)| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &claims.iter().map(|(one, _)| one.message.0).collect::<Vec<_>>(),
        &claims.iter().map(|(_, made)| made.call_by.to_sqlx()).collect::<Vec<_>>() as _,
        &meters.keys,
        &meters.urgent,
        &meters.segments,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
