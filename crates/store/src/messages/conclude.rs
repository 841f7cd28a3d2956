//! Everything that `send` decides about a message but "sent": refused, parked, held, blocked,
//! expired, in doubt. Rare beside [`super::sent::sent`], so one statement serves them all.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    address::Address,
    gates::{Gate, LineKey},
    ids::{MessageId, TenantId},
    message::{
        class::{Channel, Lane},
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::row::{StoredMessage, columns, turn};
use crate::{
    Scoped,
    capacity::{
        lines,
        release::{self, Reservation},
    },
    core::{
        keyed::index,
        state_codes::codes,
        words::{self, word},
    },
    fault,
    parked::park::{self, Parking},
};

/// What became of one message.
#[derive(Debug, Clone)]
pub struct Conclusion<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn it was decided in.
    pub turn: u32,
    /// The claim that it was decided under, and the number of the attempt; no claim where it was
    /// decided before one was made.
    pub claim: (Option<Uuid>, i16),
    /// What it is now: `deferred`, `held`, `blocked`, `expired`, `failed`, `unknown` or `in_doubt`.
    pub state: MessageState,
    /// The gate that said so, where one did.
    pub gate: Option<Gate>,
    /// The reason, or the carrier's error code.
    pub code: Option<String>,
    /// Until when it waits.
    pub due: Option<Timestamp>,
    /// The passport so far.
    pub passport: &'a Passport,
    /// The stamp of this decision.
    pub stamp: Stamp,
    /// How it waits, for `deferred` and `held`.
    pub waiting: Option<Waiting>,
    /// What the sweep needs to know, for `in_doubt`.
    pub doubt: Option<NewDoubt>,
}

/// A call whose result is not known.
#[derive(Debug, Clone)]
pub struct NewDoubt {
    /// The account that was called.
    pub account: String,
    /// From the claim's `call_by` to the first look at the carrier's list.
    pub first_look: Duration,
    /// What to send again if the carrier turns out not to have it: `wire::Enriched` as JSON.
    pub payload: String,
}

/// A message put aside.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Stage and reason.
    pub cause: String,
    /// What wakes it, for `held`.
    pub cause_key: Option<String>,
    /// When it is of no use any more: a held message comes back then, to be ended.
    pub expires_at: Option<Timestamp>,
    /// The line for its sender's pace that it stands in: no time brings it back but that one.
    pub line: Option<LineKey>,
    /// The lane that it goes back to.
    pub lane: Lane,
    /// What goes back to the gates: `wire::Enriched` as JSON.
    pub payload: String,
}

/// Records conclusions about messages that are queued or in doubt, under the claim they name, and
/// gives their reservations back. `in_doubt` keeps claim and reservation, `unknown` the
/// reservation: a text may have gone out. A doubt is raised once. Locks in the gates' order:
/// recipient statuses, counters, messages, lines. Answers in the order of `decided`; none for one
/// that has moved on.
pub async fn conclude(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[Conclusion<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let held = held(tx, decided).await?;
    let reservations: Vec<Option<Reservation<'_>>> =
        decided.iter().zip(&held).map(|(one, held)| freed(one, held.as_ref()?)).collect();
    release::lock(tx, &reservations.iter().flatten().cloned().collect::<Vec<_>>()).await?;

    let concluded = update(tx, now, decided).await?;
    let recorded = reservations.into_iter().zip(&concluded).filter(|(_, done)| done.is_some());
    let freed: Vec<Reservation<'_>> = recorded.filter_map(|(freed, _)| freed).collect();
    if !freed.is_empty() {
        release::release(tx, now, &freed).await?;
    }

    park(tx, now, decided, &concluded).await?;
    doubt(tx, now, decided, &concluded).await?;
    join_lines(tx, now, decided, &concluded).await?;
    Ok(concluded)
}

/// What the counters hold for a message, as it is found without a lock.
struct Held {
    message: StoredMessage,
    address: Option<Address>,
    channel: Channel,
    reserved_at: Option<Timestamp>,
}

/// What a conclusion gives back. It is what was found, or the conclusion is not recorded: nothing
/// changes what is reserved but the end of a turn.
fn freed<'a>(one: &Conclusion<'_>, held: &'a Held) -> Option<Reservation<'a>> {
    if one.state.may_be_at_carrier() {
        return None;
    }
    let person = (held.address.as_ref()?, held.channel);
    let whole = Reservation::whole(&held.message, held.reserved_at, one.claim.0.is_some(), person)?;
    Some(Reservation { over: one.state.is_final(), ..whole })
}

async fn held(tx: &mut Scoped, decided: &[Conclusion<'_>]) -> Result<Vec<Option<Held>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id,
                  m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due,
                  m.version, m.changed_at, m.carrier_sid is not null as "billed!",
                  m.number, m.channel, m.reserved_at
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &decided.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &decided.iter().map(|one| one.message.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found: Vec<Option<Held>> = decided.iter().map(|_| None).collect();
    for row in rows {
        let (channel, at) = (word(&row.channel)?, index(row.at));
        let reserved_at = row.reserved_at.map(jiff_sqlx::Timestamp::to_jiff);
        let address = words::address(&row.number)?;
        found[at] = Some(Held { address, channel, reserved_at, message: columns!(row).into() });
    }
    Ok(found)
}

/// Writes the conclusions into the rows of their messages.
async fn update(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[Conclusion<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let tenants: Vec<&str> = decided.iter().map(|one| one.tenant.as_str()).collect();
    let messages: Vec<Uuid> = decided.iter().map(|one| one.message.0).collect();
    let turns: Vec<i32> = decided.iter().map(|one| turn(one.turn)).collect();
    let owners: Vec<Option<Uuid>> = decided.iter().map(|one| one.claim.0).collect();
    let attempts: Vec<i16> = decided.iter().map(|one| one.claim.1).collect();
    let states: Vec<i16> = decided.iter().map(|one| one.state.code()).collect();
    let gates: Vec<Option<&str>> = decided.iter().map(|one| one.gate.map(Gate::as_str)).collect();
    let reasons: Vec<Option<&str>> = decided.iter().map(|one| one.code.as_deref()).collect();
    let dues = decided.iter().map(|one| one.due.map(|due| due.to_sqlx()));
    let passports = decided.iter().map(|one| super::sent::stamped(one.passport, &one.stamp));

    let rows = sqlx::query!(
        r#"with k as (
               select * from unnest($2::text[], $3::uuid[], $4::int[], $5::uuid[], $6::smallint[],
                                    $7::smallint[], $8::text[], $9::text[], $10::timestamptz[],
                                    $11::text[]) with ordinality
               as k (tenant_id, message_id, turn, owner, attempt, state, gate, code, due, passport,
                     at)
           ), old as (
               select m.tenant_id, m.message_id, k.at, k.state, k.gate, k.code,
                      k.due, k.passport
               from k join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id
               where m.turn = k.turn and m.attempt = k.attempt
                 and (m.state = $12 or m.state = $13 and k.state <> $13)
                 and m.claim_owner is not distinct from k.owner
               order by m.tenant_id, m.message_id
               for update of m
           )
           update messages m
           set state = old.state, gate = old.gate, code = old.code, due = old.due,
               passport = old.passport::jsonb, version = m.version + 1, changed_at = $1,
               claim_owner = case when old.state = $13 then m.claim_owner end,
               call_by = case when old.state = $13 then m.call_by end,
               reserved_at = case when old.state = any ($14) then m.reserved_at end
           from old
           where m.tenant_id = old.tenant_id and m.message_id = old.message_id
           returning old.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at, m.carrier_sid is not null as "billed!""#,
        now.to_sqlx() as _,
        &tenants as _,
        &messages,
        &turns,
        &owners as _,
        &attempts,
        &states,
        &gates as _,
        &reasons as _,
        &dues.collect::<Vec<_>>() as _,
        &passports.collect::<Vec<_>>(),
        MessageState::Queued.code(),
        MessageState::InDoubt.code(),
        &codes(MessageState::may_be_at_carrier),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut concluded = vec![None; decided.len()];
    for row in rows {
        concluded[index(row.at)] = Some(columns!(row).into());
    }
    Ok(concluded)
}

/// Inserts the rows by which the sweep finds messages in doubt.
async fn doubt(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[Conclusion<'_>],
    concluded: &[Option<StoredMessage>],
) -> Result<(), Fault> {
    let recorded = decided.iter().zip(concluded).filter(|(_, done)| done.is_some());
    let doubts: Vec<(&Conclusion<'_>, &NewDoubt)> =
        recorded.filter_map(|(one, _)| Some((one, one.doubt.as_ref()?))).collect();
    if doubts.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "insert into doubts (tenant_id, message_id, account, raised_at, next_look, payload)
         select k.tenant_id, k.message_id, k.account, $1,
                m.call_by + make_interval(secs => k.first_look), k.payload::jsonb
         from unnest($2::text[], $3::uuid[], $4::text[], $5::float8[], $6::text[])
              as k (tenant_id, message_id, account, first_look, payload)
         cross join lateral (
             select coalesce(r.call_by, clock_timestamp()) as call_by from messages r
             where r.tenant_id = k.tenant_id and r.message_id = k.message_id limit 1
         ) m
         order by k.tenant_id, k.message_id
         on conflict (tenant_id, message_id) do update
         set account = excluded.account, raised_at = excluded.raised_at,
             next_look = excluded.next_look, looks = 0, payload = excluded.payload,
             settled_version = null",
        now.to_sqlx(),
        &doubts.iter().map(|(one, _)| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &doubts.iter().map(|(one, _)| one.message.0).collect::<Vec<_>>(),
        &doubts.iter().map(|(_, doubt)| doubt.account.as_str()).collect::<Vec<_>>() as _,
        &doubts.iter().map(|(_, doubt)| doubt.first_look.as_secs_f64()).collect::<Vec<_>>(),
        &doubts.iter().map(|(_, doubt)| doubt.payload.as_str()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Inserts the rows that bring deferred and held messages back to the gates.
async fn park(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[Conclusion<'_>],
    concluded: &[Option<StoredMessage>],
) -> Result<(), Fault> {
    let recorded = decided.iter().zip(concluded).filter(|(_, done)| done.is_some());
    let parked = recorded.filter_map(|(one, _)| {
        let Waiting { cause, cause_key, expires_at, line, lane, payload } = one.waiting.clone()?;
        let (tenant, message, turn) = (one.tenant, one.message, one.turn);
        let held = one.state == MessageState::Held || line.is_some();
        let due = if held { expires_at } else { one.due };
        Some(Parking { tenant, message, turn, due, cause, cause_key, held, lane, payload })
    });

    park::insert(tx, now, &parked.collect::<Vec<_>>()).await
}

/// Has schedule look after the lines that messages stand in now.
async fn join_lines(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[Conclusion<'_>],
    concluded: &[Option<StoredMessage>],
) -> Result<(), Fault> {
    let recorded = decided.iter().zip(concluded).filter(|(_, done)| done.is_some());
    let joined = recorded.filter_map(|(one, _)| {
        let line = one.waiting.as_ref()?.line?;
        Some(((one.tenant, line), one.due.unwrap_or(now)))
    });

    let mut lines: BTreeMap<(&TenantId, LineKey), Timestamp> = BTreeMap::new();
    for (key, due) in joined {
        let last = lines.entry(key).or_insert(due);
        *last = due.max(*last);
    }
    let lines: Vec<_> = lines.into_iter().map(|((tenant, key), due)| (tenant, key, due)).collect();
    lines::move_on(tx, &lines, now).await
}
