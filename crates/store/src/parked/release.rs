//! Parked rows on their way back: due ones are released into the pipe with the next turn.

use domain::{
    draft,
    ids::{MessageId, SenderId, TenantId},
    message::{class::Lane, state::MessageState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;
use wire::Enriched;

use super::aside::{self, Unreadable, UnreadableRow};
use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order, index},
        state_codes::codes,
        words,
    },
    drafts::{self, ContactKey},
    fault,
};

/// One parked row that is due.
#[derive(Debug, Clone)]
pub struct DueMessage {
    /// The tenant that owns the message.
    pub tenant: TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn that was parked.
    pub turn: i32,
    /// What goes back to the gates, with the next turn, and the lane it travels in; none when the
    /// message has moved on and the row is only to be deleted.
    pub payload: Option<(Lane, Enriched)>,
}

/// A due row that has not been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The tenant that owns the message.
    pub tenant: TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn that was parked.
    pub turn: i32,
    /// Whether it comes back at the tenant's pace. False for what somebody waits for, and for what
    /// comes back to be ended.
    pub paced: bool,
}

/// Due rows: what somebody waits for, then the oldest; fair between tenants. Paced rows of the
/// tenants in `waiting` are left out.
pub async fn find(
    store: &Store,
    now: Timestamp,
    per_tenant: i64,
    at_most: i64,
    waiting: &[&TenantId],
) -> Result<Vec<DueRow>, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", message_id as "message_id!", turn as "turn!",
                  rank as "rank!"
           from due_parked($1, $2, $3, $4)"#,
        now.to_sqlx(),
        per_tenant,
        at_most,
        &waiting.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let row = found.into_iter().filter_map(|row| {
        let tenant = words::readable(words::tenant(&row.tenant_id))?;
        let message = MessageId(row.message_id);
        Some(DueRow { tenant, message, turn: row.turn, paced: row.rank == 2 })
    });
    Ok(row.collect())
}

/// Messages a second that the usable senders of these tenants carry, at one segment each.
pub async fn paces(store: &Store, tenants: &[&TenantId]) -> Result<Vec<(TenantId, i64)>, Fault> {
    let mut tx = store.scoped(tenants.iter().copied()).await?;
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();

    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", coalesce(sum(s.pace), 0) as "pace!"
           from unnest($1::text[]) as k (tenant_id)
           left join senders s on s.tenant_id = k.tenant_id and s.usable
           group by k.tenant_id"#,
        &names as _,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (keyed::tenant(&row.tenant_id), row.pace)).collect())
}

/// Raises the turns of the messages of due rows, and gives what goes back to the gates. The rows
/// stay until [`released`]: a crash in between repeats the release, which changes nothing. A row
/// that this version cannot read is set aside, and the others are released.
pub async fn release(
    store: &Store,
    found: &[DueRow],
    now: Timestamp,
) -> Result<Vec<DueMessage>, Fault> {
    if found.is_empty() {
        return Ok(Vec::new());
    }

    let mut tx = store.scoped(found.iter().map(|row| &row.tenant)).await?;
    let rows: Vec<Raise<'_>> = found
        .iter()
        .map(|row| Raise {
            tenant: &row.tenant,
            message: row.message,
            turn: row.turn,
            placed: None,
        })
        .collect();
    raise_turns(&mut tx, &rows).await?;
    let (due, unreadable) = due(&mut tx, &rows).await?;
    aside::set_aside(&mut tx, now, &unreadable).await?;
    tx.commit().await.map_err(fault)?;
    Ok(due)
}

/// What goes back to the gates of these rows, and which of them this version cannot read.
pub(super) async fn due(
    tx: &mut Scoped,
    rows: &[Raise<'_>],
) -> Result<(Vec<DueMessage>, Vec<UnreadableRow>), Fault> {
    let rows = sqlx::query!(
        r#"select p.tenant_id, p.message_id, p.turn, p.lane, p.payload, m.sender_id,
                  (m.turn = p.turn + 1 and m.state = $4) as "released!",
                  (m.turn = p.turn and m.state <> all ($5)) as "newer!"
           from unnest($1::text[], $2::uuid[], $3::int[]) as k (tenant_id, message_id, turn)
           join parked p
             on p.tenant_id = k.tenant_id and p.message_id = k.message_id and p.turn = k.turn
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.message.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.turn).collect::<Vec<_>>(),
        MessageState::Accepted.code(),
        &codes(|_| true),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let (mut due, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let (tenant, message) = (keyed::tenant(&row.tenant_id), MessageId(row.message_id));
        let turn = row.turn;
        if row.newer {
            unreadable.push(UnreadableRow { tenant, message, turn, what: Unreadable::State });
            continue;
        }
        if !row.released {
            due.push(DueMessage { tenant, message, turn, payload: None });
            continue;
        }

        let lane = words::readable(words::word(&row.lane));
        let read = next_turn(row.payload, turn, row.sender_id.map(SenderId));
        match lane.zip(read) {
            Some(payload) => {
                due.push(DueMessage { tenant, message, turn, payload: Some(payload) });
            }
            None => {
                let what = Unreadable::Payload;
                unreadable.push(UnreadableRow { tenant, message, turn, what });
            }
        }
    }

    find_places(tx, &mut due).await?;
    Ok((due, unreadable))
}

/// Looks up where the people may be by now: a message may have waited for weeks.
async fn find_places(tx: &mut Scoped, due: &mut [DueMessage]) -> Result<(), Fault> {
    let mut released: Vec<&mut Enriched> =
        due.iter_mut().filter_map(|row| Some(&mut row.payload.as_mut()?.1)).collect();
    let heads: Vec<_> = released.iter().map(|one| (one.head.clone(), one.contact)).collect();
    let keys: Vec<ContactKey<'_>> = heads
        .iter()
        .map(|(head, contact)| ContactKey {
            tenant: &head.tenant,
            contact: *contact,
            address: &head.to,
            channel: head.channel,
            fields: false,
        })
        .collect();

    let people = drafts::contacts(tx, &keys).await?;
    let tenants = drafts::tenants(tx, &keys.iter().map(|key| key.tenant).collect()).await?;

    for ((message, key), person) in released.iter_mut().zip(&keys).zip(people) {
        let zone = tenants.get(key.tenant).and_then(|tenant| tenant.zone);
        message.place = draft::place(key.address, &person.contact.unwrap_or_default(), zone);
    }
    Ok(())
}

/// The row's message in its next turn. None for a payload that this version cannot read.
fn next_turn(payload: serde_json::Value, turn: i32, placed: Option<SenderId>) -> Option<Enriched> {
    let read = serde_json::from_value::<Enriched>(payload);
    let mut enriched =
        read.inspect_err(|why| tracing::error!(%why, "a parked payload cannot be read")).ok()?;
    enriched.head.turn = u32::try_from(turn).ok()? + 1;
    enriched.placed = placed;
    Some(enriched)
}

/// A parked row whose message goes back to the gates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raise<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) message: MessageId,
    /// The turn that was parked.
    pub(super) turn: i32,
    /// The sender in whose meter the message has a place from now on.
    pub(super) placed: Option<SenderId>,
}

/// Raises the turns of messages that are still parked. Says which of the rows they are.
pub(super) async fn raise_turns(tx: &mut Scoped, rows: &[Raise<'_>]) -> Result<Vec<usize>, Fault> {
    let raised = sqlx::query_scalar!(
        r#"with due as (
             select m.tenant_id, m.message_id, k.placed, k.at from messages m
             join unnest($1::text[], $2::uuid[], $3::int[], $6::uuid[]) with ordinality
                  as k (tenant_id, message_id, turn, placed, at)
               on m.tenant_id = k.tenant_id and m.message_id = k.message_id and m.turn = k.turn
             where m.state = any ($4)
             order by m.tenant_id, m.message_id
             for update of m
         )
         update messages m
         set turn = m.turn + 1, state = $5, gate = null, code = null, due = null,
             sender_id = due.placed, policy_version = null, sendable_until = null,
             reserved_at = null, claim_owner = null, call_by = null
         from due where m.tenant_id = due.tenant_id and m.message_id = due.message_id
         returning due.at as "at!""#,
        &rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.message.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.turn).collect::<Vec<_>>(),
        &codes(MessageState::is_parked),
        MessageState::Accepted.code(),
        &rows.iter().map(|row| row.placed.map(|sender| sender.0)).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(raised.into_iter().map(index).collect())
}

/// Deletes rows whose release the broker has stored. After an outage they are released again, which
/// changes nothing.
pub async fn released(store: &Store, due: &[DueMessage]) -> Result<(), Fault> {
    let mut tx = store.scoped(due.iter().map(|row| row.tenant.clone())).await?;

    let due = in_lock_order(due, |row| (&row.tenant, row.message, row.turn));
    sqlx::query!(
        "delete from parked p
         using unnest($1::text[], $2::uuid[], $3::int[]) as k (tenant_id, message_id, turn)
         where p.tenant_id = k.tenant_id and p.message_id = k.message_id and p.turn = k.turn",
        &due.iter().map(|row| row.tenant.to_string()).collect::<Vec<_>>(),
        &due.iter().map(|row| row.message.0).collect::<Vec<_>>(),
        &due.iter().map(|row| row.turn).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}

/// How many rows are parked, for the gauge: waiting for a time, and held for a cause.
pub async fn parked(store: &Store) -> Result<(i64, i64), Fault> {
    let row = sqlx::query!(r#"select due as "due!", held as "held!" from parked_count()"#)
        .fetch_one(store.pool())
        .await
        .map_err(fault)?;

    Ok((row.due, row.held))
}
