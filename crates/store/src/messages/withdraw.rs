//! Withdrawing what is on its way and must not go out any more, for a reason that nobody asked for
//! by the message's id: an erasure, a person who answers in the assistant's place.

use domain::{
    ids::{ConversationId, MessageId, TenantId},
    message::passport::Stamp,
};
use jiff::Timestamp;
use stage::Fault;
use wire::Event;

use super::cancel::{self, CancelOutcome, Marked};
use crate::{Store, conversations::replies};

/// Why an answer of the assistant is withdrawn, in its passport.
pub const PERSON_ANSWERS: &str = "a person has the conversation";

/// What became of a message that is to be withdrawn.
#[derive(Debug, Clone)]
pub enum WithdrawOutcome {
    /// It is not sent any more, and this says so; the event waits in the outbox.
    Withdrawn(Box<Event>),
    /// It has no row yet: a mark is left, by which it will not be sent.
    Marked,
    /// It was withdrawn before, or a carrier may have it.
    Over,
    /// It has no row yet, and its tenant has as many marks as it may.
    TooMany,
}

/// Withdraws one message, or leaves a mark for one that has no row yet. `machine` is the machine's
/// time, and `stamp` says in the passport who withdraws it and why.
pub async fn withdraw(
    store: &Store,
    tenant: &TenantId,
    id: MessageId,
    (now, machine): (Timestamp, Timestamp),
    stamp: &Stamp,
) -> Result<WithdrawOutcome, Fault> {
    for _ in 0..2 {
        match cancel::cancel(store, tenant, id, now, stamp).await? {
            Some(CancelOutcome::Cancelled(event)) => {
                return Ok(WithdrawOutcome::Withdrawn(event));
            }
            Some(CancelOutcome::Before | CancelOutcome::TooLate { .. }) => {
                return Ok(WithdrawOutcome::Over);
            }
            None => {}
        }

        match cancel::mark(store, tenant, id, machine).await? {
            Marked::Left => return Ok(WithdrawOutcome::Marked),
            Marked::RowIsThere => {}
            Marked::TooMany => return Ok(WithdrawOutcome::TooMany),
        }
    }
    Ok(WithdrawOutcome::Over)
}

/// Withdraws what the assistant has answered in those of these conversations that a person has, as
/// far as it has not gone out. Who has each is read with what waits there: one that was handed back
/// keeps the answers that it has had since. Repeated, it does what a fault has left undone. Gives
/// how each message ended.
pub async fn answers(
    store: &Store,
    conversations: &[(&TenantId, ConversationId)],
    times: (Timestamp, Timestamp),
    stamp: &Stamp,
) -> Result<Vec<(TenantId, WithdrawOutcome)>, Fault> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.scoped(conversations.iter().map(|(tenant, _)| *tenant)).await?;
    let waiting = replies::waiting(&mut tx, conversations).await?;
    drop(tx);

    let mut ended = Vec::with_capacity(waiting.len());
    for (tenant, message) in waiting {
        let outcome = withdraw(store, &tenant, message, times, stamp).await?;
        ended.push((tenant, outcome));
    }
    Ok(ended)
}
