//! Putting messages aside. `schedule` releases them.

use domain::{
    address::Address,
    gates::{LineKey, Wake},
    ids::{MessageId, TenantId},
    message::class::{Channel, Lane},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault, messages::row::turn};

/// One message put aside.
#[derive(Debug, Clone)]
pub struct Parking<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn that is parked.
    pub turn: u32,
    /// When it is due. Of a held message: when it is of no use any more, if ever.
    pub due: Option<Timestamp>,
    /// Gate and reason code.
    pub cause: String,
    /// What wakes it before its time.
    pub cause_key: Option<String>,
    /// Held: no time frees it, only its cause.
    pub held: bool,
    /// The lane that it goes back to.
    pub lane: Lane,
    /// What goes back to the gates: the JSON of a `wire::Enriched`.
    pub payload: String,
}

/// Adds parked rows, in the transaction that records why. One that exists stays as it is.
pub async fn insert(tx: &mut Scoped, now: Timestamp, rows: &[Parking<'_>]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }

    let messages: Vec<Uuid> = rows.iter().map(|row| row.message.0).collect();
    let turns: Vec<i32> = rows.iter().map(|row| turn(row.turn)).collect();
    let dues: Vec<_> = rows.iter().map(|row| row.due.map(|due| due.to_sqlx())).collect();
    let causes: Vec<&str> = rows.iter().map(|row| row.cause.as_str()).collect();
    let keys: Vec<Option<&str>> = rows.iter().map(|row| row.cause_key.as_deref()).collect();
    let lanes: Vec<&str> = rows.iter().map(|row| row.lane.as_str()).collect();
    let payloads: Vec<&str> = rows.iter().map(|row| row.payload.as_str()).collect();
    let ranks: Vec<i16> = rows.iter().map(rank).collect();

    sqlx::query!(
        "insert into parked (tenant_id, message_id, turn, due, cause, cause_key, lane, payload,
                             rank, parked_at)
         select tenant_id, message_id, turn, due, cause, cause_key, lane, payload::jsonb, rank, $10
         from unnest($1::text[], $2::uuid[], $3::int[], $4::timestamptz[], $5::text[],
                     $6::text[], $7::text[], $8::text[], $9::smallint[])
              as k (tenant_id, message_id, turn, due, cause, cause_key, lane, payload, rank)
         order by tenant_id, message_id, turn
         on conflict do nothing",
        &rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &messages,
        &turns,
        &dues as _,
        &causes as _,
        &keys as _,
        &lanes as _,
        &payloads as _,
        &ranks,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Which due rows go first (migration 0018): 0 somebody waits for it, 1 held, 2 paced.
fn rank(row: &Parking<'_>) -> i16 {
    match (row.held, row.lane) {
        (true, Lane::Urgent | Lane::Bulk) => 1,
        (false, Lane::Urgent) => 0,
        (false, Lane::Bulk) => 2,
    }
}

/// Makes everything due that is parked for these addresses, so that the gates decide again now:
/// after an opt-out they block it.
pub async fn wake_addresses(
    tx: &mut Scoped,
    now: Timestamp,
    addresses: &[(&TenantId, &Address, Channel)],
) -> Result<(), Fault> {
    if addresses.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "with found as (
             select p.tenant_id, p.message_id, p.turn
             from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, address, channel)
             cross join lateral (
                 select * from parked r
                 where r.tenant_id = k.tenant_id and r.address = k.address
                   and r.payload -> 'head' ->> 'channel' = k.channel
                   and (r.due is null or r.due > $4 or r.rank = 2)
             ) p
             order by p.tenant_id, p.message_id, p.turn
         ), locked as (
             select p.tenant_id, p.message_id, p.turn
             from found f
             join parked p on p.tenant_id = f.tenant_id and p.message_id = f.message_id
                          and p.turn = f.turn
             order by p.tenant_id, p.message_id, p.turn
             for update of p
         )
         update parked p set due = $4, cause_key = null, rank = least(p.rank, 1::smallint)
         from locked l
         where p.tenant_id = l.tenant_id and p.message_id = l.message_id and p.turn = l.turn",
        &addresses.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &addresses.iter().map(|key| key.1.as_str()).collect::<Vec<_>>() as _,
        &addresses.iter().map(|key| key.2.as_str()).collect::<Vec<_>>() as _,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Makes the oldest of those due who stand in these lines, as many of each line as there is room
/// for. One that somebody else has locked is passed over.
pub(crate) async fn admit_more(
    tx: &mut Scoped,
    now: Timestamp,
    room: &[((&TenantId, LineKey), i64)],
) -> Result<(), Fault> {
    if room.is_empty() {
        return Ok(());
    }
    let cause = |line: LineKey| Wake::Line(line).to_string();

    sqlx::query!(
        "with found as (
             select p.tenant_id, p.message_id, p.turn
             from unnest($1::text[], $2::text[], $3::bigint[]) as k (tenant_id, cause, room)
             cross join lateral (
                 select * from parked r where r.tenant_id = k.tenant_id and r.cause_key = k.cause
                    and r.due > $4
                 order by r.parked_at, r.message_id limit k.room for update skip locked
             ) p
         )
         update parked p set due = $4, cause_key = null
         from found f
         where p.tenant_id = f.tenant_id and p.message_id = f.message_id and p.turn = f.turn",
        &room.iter().map(|one| one.0.0.as_str()).collect::<Vec<_>>() as _,
        &room.iter().map(|one| cause(one.0.1)).collect::<Vec<_>>(),
        &room.iter().map(|one| one.1).collect::<Vec<_>>(),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
