//! Rows whose message this version cannot read, because a newer one has written it: they are set
//! aside with an event, so that they are not tried again and again before their tenant's others,
//! and come back when `schedule` starts the next time, which may be a version that can.

use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::wake::{self, What};
use crate::{
    Scoped, Store,
    core::{keyed::in_lock_order, words},
    fault,
    messages::row::{StoredMessage, columns},
    outbox,
};

/// What such a message waits for, and its code.
pub const UNREADABLE: &str = "unreadable";

/// A due row that this version cannot read.
#[derive(Debug)]
pub(super) struct UnreadableRow {
    pub(super) tenant: TenantId,
    pub(super) message: MessageId,
    /// The turn that was parked.
    pub(super) turn: i32,
    pub(super) what: Unreadable,
}

/// What this version cannot read of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// What goes back to the gates. The message's turn has been raised.
    Payload,
    /// The state of its message, which stays in its turn.
    State,
}

/// Sets such rows aside.
pub(super) async fn set_aside(
    tx: &mut Scoped,
    now: Timestamp,
    rows: &[UnreadableRow],
) -> Result<(), Fault> {
    let of = |what| rows.iter().filter(move |row| row.what == what).collect::<Vec<_>>();
    hold(tx, now, &of(Unreadable::Payload)).await?;
    leave(tx, now, &of(Unreadable::State)).await
}

/// Leaves messages as they are, and only their rows wait.
async fn leave(tx: &mut Scoped, now: Timestamp, rows: &[&UnreadableRow]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }

    let rows = in_lock_order(rows, |row| (&row.tenant, row.message));
    sqlx::query!(
        "update parked p
         set due = null, rank = 1, parked_at = $4, cause = 'schedule:unreadable', cause_key = $5
         from unnest($1::text[], $2::uuid[], $3::int[]) as k (tenant_id, message_id, turn)
         where p.tenant_id = k.tenant_id and p.message_id = k.message_id and p.turn = k.turn",
        &rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.message.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.turn).collect::<Vec<_>>(),
        now.to_sqlx(),
        UNREADABLE,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Holds messages in the turn that was raised for them, without a place in any sender's meter, and
/// owes the event of it.
async fn hold(tx: &mut Scoped, now: Timestamp, rows: &[&UnreadableRow]) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }

    let held = sqlx::query!(
        r#"with back as (
               select m.tenant_id, m.message_id, k.turn from messages m
               join unnest($1::text[], $2::uuid[], $3::int[]) as k (tenant_id, message_id, turn)
                 on m.tenant_id = k.tenant_id and m.message_id = k.message_id
                and m.turn = k.turn + 1
               where m.state = $4
               order by m.tenant_id, m.message_id
               for update of m
           ), waiting as (
               update parked p
               set turn = p.turn + 1, due = null, rank = 1, parked_at = $6,
                   cause = 'schedule:unreadable', cause_key = $7
               from back
               where p.tenant_id = back.tenant_id and p.message_id = back.message_id
                 and p.turn = back.turn
           )
           update messages m
           set state = $5, code = $7, sender_id = null, version = m.version + 1, changed_at = $6
           from back
           where m.tenant_id = back.tenant_id and m.message_id = back.message_id
           returning m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id,
                     m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due,
                     m.version, m.changed_at, m.carrier_sid is not null as "billed!""#,
        &rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.message.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.turn).collect::<Vec<_>>(),
        MessageState::Accepted.code(),
        MessageState::Held.code(),
        now.to_sqlx(),
        UNREADABLE,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut events = Vec::with_capacity(held.len());
    for row in held {
        // Without an event for a word that this version does not know: the hold itself stands.
        let read = (|| Ok(StoredMessage::from(columns!(row))))();
        events.extend(words::readable(read).and_then(|message| message.event()));
    }
    outbox::insert(tx, &events).await
}

/// Wakes everything that was set aside before `now`.
///
/// # Errors
/// An outage.
pub async fn try_again(store: &Store, now: Timestamp) -> Result<(), Fault> {
    let tenants = sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_parked($1)"#,
        UNREADABLE,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    for tenant in tenants.iter().filter_map(|key| words::readable(words::tenant(key))) {
        let mut tx = store.scoped([&tenant]).await?;
        wake::wake_parked_before(&mut tx, &tenant, &What::Cause(UNREADABLE), now).await?;
        tx.commit().await.map_err(fault)?;
    }
    Ok(())
}
