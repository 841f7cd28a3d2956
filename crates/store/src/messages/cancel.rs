//! Withdrawing messages: in the row where enrich has stored one, by a mark for enrich where it has
//! not. Locks are taken in the gates' order: recipient statuses, counters, messages.

use std::collections::HashSet;

use domain::{
    address::Address,
    ids::{MessageId, TenantId},
    message::{
        class::Channel,
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::{Json, Uuid};
use stage::{Dependency, Fault};
use wire::Event;

use crate::{
    Scoped, Store,
    capacity::release::{self, Reservation},
    core::{
        keyed,
        state_codes::codes,
        words::{self, word},
    },
    fault,
    messages::{
        row::{StoredMessage, columns, turn},
        sent::stamped,
    },
    outbox,
};

/// How long a mark is kept for a message that does not come, where the tenant has as many as it
/// may: as long as dead letters are. Otherwise it is kept as long as messages are (`retention`).
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many marks a tenant may have.
pub const MOST_MARKS: i64 = 10_000;

/// How often a message may move on between our look and our write.
const TRIES: usize = 8;

/// How a cancel has ended.
#[derive(Debug, Clone)]
pub enum CancelOutcome {
    /// It is withdrawn now; the event of that waits in the outbox.
    Cancelled(Box<Event>),
    /// It was withdrawn before.
    Before,
    /// It stays as it is.
    TooLate {
        /// Where it stands.
        state: MessageState,
        /// Whether a carrier call has been begun.
        claimed: bool,
    },
}

/// What became of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It is left; enrich will find it.
    Left,
    /// The row is there by now, so no mark was left.
    RowIsThere,
    /// The tenant has [`MOST_MARKS`] already.
    TooMany,
}

/// A message as the cancel finds it, without a lock.
struct Found {
    message: StoredMessage,
    /// None where the letter that made the row did not say it.
    address: Option<Address>,
    channel: Channel,
    claimed: bool,
    reserved_at: Option<Timestamp>,
    passport: Passport,
}

/// Withdraws a message that no carrier call has been begun for: gives its reservation back, deletes
/// its parked rows and inserts the event into the outbox. None where there is no row.
pub async fn cancel(
    store: &Store,
    tenant: &TenantId,
    id: MessageId,
    now: Timestamp,
    stamp: &Stamp,
) -> Result<Option<CancelOutcome>, Fault> {
    for _ in 0..TRIES {
        let mut tx = store.scoped([tenant]).await?;
        let Some(found) = find(&mut tx, tenant, id).await? else { return Ok(None) };
        if let Some(outcome) = decided(found.message.state, found.claimed) {
            return Ok(Some(outcome));
        }

        // Without a row that is still as it was found, the transaction is rolled back.
        if let Some(event) = withdraw(&mut tx, &found, now, stamp).await? {
            tx.commit().await.map_err(fault)?;
            return Ok(Some(CancelOutcome::Cancelled(Box::new(event))));
        }
    }
    let source = "the message moved on each time it was about to be cancelled".into();
    Err(Fault::Unavailable { what: Dependency::Database, source })
}

/// The answer that the row gives as it is; none where the message can be withdrawn.
fn decided(state: MessageState, claimed: bool) -> Option<CancelOutcome> {
    match state {
        MessageState::Accepted | MessageState::Deferred | MessageState::Held => None,
        MessageState::Queued if !claimed => None,
        MessageState::Cancelled => Some(CancelOutcome::Before),
        MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => Some(CancelOutcome::TooLate { state, claimed }),
    }
}

async fn find(tx: &mut Scoped, tenant: &TenantId, id: MessageId) -> Result<Option<Found>, Fault> {
    let row = sqlx::query!(
        r#"select tenant_id, message_id, turn, state, class, contact_id, campaign_id, sender_id,
                  segments, cost_micros, gate, code, due, version, changed_at,
                  carrier_sid is not null as "billed!", number, channel,
                  claim_owner is not null as "claimed!", reserved_at,
                  passport as "passport: Json<Passport>"
           from messages where tenant_id = $1 and message_id = $2"#,
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        address: words::address(&row.number)?,
        channel: word(&row.channel)?,
        claimed: row.claimed,
        reserved_at: row.reserved_at.map(|at| at.to_jiff()),
        passport: row.passport.0,
        message: columns!(row).into(),
    }))
}

/// Withdraws the message if it is as it was found, by its turn and version. None where it has moved
/// on.
async fn withdraw(
    tx: &mut Scoped,
    found: &Found,
    now: Timestamp,
    stamp: &Stamp,
) -> Result<Option<Event>, Fault> {
    let message = &found.message;
    // What is put aside holds nothing, whatever sender its row still names.
    let address = found.address.as_ref().filter(|_| !message.state.is_parked());
    let person = address.map(|address| (address, found.channel));
    let freed =
        person.and_then(|person| Reservation::whole(message, found.reserved_at, false, person));
    if let Some(freed) = freed {
        release::release(tx, now, &[Reservation { over: true, ..freed }]).await?;
    }

    let row = sqlx::query!(
        r#"update messages
           set state = $7, gate = null, code = null, due = null, reserved_at = null,
               passport = $5::text::jsonb, version = version + 1, changed_at = $6
           where tenant_id = $1 and message_id = $2 and turn = $3 and version = $4
             and state = any ($8) and claim_owner is null
           returning tenant_id, message_id, turn, state, class, contact_id, campaign_id, sender_id,
                     segments, cost_micros, gate, code, due, version, changed_at,
                     carrier_sid is not null as "billed!""#,
        message.tenant.as_str(),
        message.id.0,
        turn(message.turn),
        message.version,
        stamped(&found.passport, stamp),
        now.to_sqlx(),
        MessageState::Cancelled.code(),
        &codes(|state| decided(state, false).is_none()),
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        "delete from parked where tenant_id = $1 and message_id = $2",
        message.tenant.as_str(),
        message.id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let cancelled: StoredMessage = columns!(row).into();
    let event = cancelled.event().expect("`kind_of` has a kind for the state that was written");
    outbox::insert(tx, std::slice::from_ref(&event)).await?;
    Ok(Some(event))
}

/// Leaves a mark for enrich, unless the row is there by now. Where the tenant has as many as it
/// may, old ones make room.
pub async fn mark(
    store: &Store,
    tenant: &TenantId,
    id: MessageId,
    machine: Timestamp,
) -> Result<Marked, Fault> {
    let mut tx = store.scoped([tenant]).await?;

    // enrich waits for whoever has this lock: they must not keep it, nor queue for it for long.
    sqlx::query!(
        r#"select set_config('lock_timeout', '1s', true) as "lock!",
                  set_config('idle_in_transaction_session_timeout', '2s', true) as "idle!""#
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;

    // The key of take_cancel_marks (0017).
    sqlx::query!("select pg_advisory_xact_lock(17, hashtext($1))", tenant.as_str())
        .execute(&mut *tx)
        .await
        .map_err(fault)?;

    let row = sqlx::query_scalar!(
        r#"select exists (select from messages where tenant_id = $1 and message_id = $2) as "is!""#,
        tenant.as_str(),
        id.0,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;

    if row {
        return Ok(Marked::RowIsThere);
    }

    let left = leave(&mut tx, tenant, id, machine).await?;
    tx.commit().await.map_err(fault)?;
    Ok(if left { Marked::Left } else { Marked::TooMany })
}

async fn leave(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: MessageId,
    machine: Timestamp,
) -> Result<bool, Fault> {
    sqlx::query!(
        "delete from cancel_marks where tenant_id = $1 and at < $2
             and (select count(*) from cancel_marks where tenant_id = $1) >= $3",
        tenant.as_str(),
        (machine - KEPT).to_sqlx(),
        MOST_MARKS,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let left = sqlx::query!(
        "insert into cancel_marks (tenant_id, message_id, at)
         select $1, $2, $3
         where (select count(*) from cancel_marks where tenant_id = $1 and message_id <> $2) < $4
         on conflict (tenant_id, message_id) do update set at = excluded.at",
        tenant.as_str(),
        id.0,
        machine.to_sqlx(),
        MOST_MARKS,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(left.rows_affected() == 1)
}

/// Takes the marks of messages that are about to be stored, in the transaction that stores them.
/// Answers which of them were cancelled before. Nobody can leave a mark of these tenants until it
/// ends.
pub async fn take_marks(
    tx: &mut Scoped,
    keys: &[(&TenantId, MessageId)],
) -> Result<HashSet<(TenantId, MessageId)>, Fault> {
    let (tenants, messages): (Vec<String>, Vec<Uuid>) =
        keys.iter().map(|(tenant, id)| (tenant.to_string(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", message_id as "message_id!"
           from take_cancel_marks($1, $2)"#,
        &tenants,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let keys = rows.iter().map(|row| (keyed::tenant(&row.tenant_id), MessageId(row.message_id)));
    Ok(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_carrier_may_have_is_withdrawn() {
        for state in MessageState::ALL {
            let open = !state.is_final() && !state.is_at_carrier();
            let withdrawn = decided(state, false).is_none();
            assert_eq!(withdrawn, open && state != MessageState::InDoubt, "{state:?}");
            let queued = state == MessageState::Queued;
            let claimed = matches!(decided(state, true), Some(CancelOutcome::TooLate { .. }));
            assert!(!queued || claimed, "{state:?}");
        }
    }
}
