//! What stands between the texts of a conversation: notes of people, what was done with it, and
//! whose a reply is.

use domain::{
    conversation::Act,
    ids::{ConversationId, MessageId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// How many notes and acts a conversation keeps at most; one more is refused.
pub const MOST: i64 = 10_000;

/// Who has done something, when, and in which conversation.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Whose conversation it is.
    pub tenant: &'a TenantId,
    /// The conversation that it stands in.
    pub conversation: ConversationId,
    /// API key, user or stage, as the audit trail names them.
    pub author: &'a str,
    /// Business time of the entry.
    pub at: Timestamp,
}

/// Writes a note. False where the conversation has [`MOST`] notes and acts.
pub async fn note(tx: &mut Scoped, by: By<'_>, id: Uuid, body: &str) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into conversation_entries
             (tenant_id, entry_id, conversation_id, kind, author, body, at)
         select $1, $2, $3, 'note', $4, $5, $6
         where (select count(*) from (
                    select from conversation_entries
                    where conversation_id = $3 and kind in ('note', 'act') limit $7) counted) < $7",
        by.tenant.as_str(),
        id,
        by.conversation.0,
        by.author,
        body,
        by.at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Writes what was done. Where the conversation has [`MOST`] of them and of notes it is in the
/// audit trail alone.
pub async fn act(tx: &mut Scoped, by: By<'_>, id: Uuid, act: Act) -> Result<(), Fault> {
    sqlx::query!(
        "insert into conversation_entries
             (tenant_id, entry_id, conversation_id, kind, author, what, at)
         select $1, $2, $3, 'act', $4, $5, $6
         where (select count(*) from (
                    select from conversation_entries
                    where conversation_id = $3 and kind in ('note', 'act') limit $7) counted) < $7",
        by.tenant.as_str(),
        id,
        by.conversation.0,
        by.author,
        act.as_str(),
        by.at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Notes whose a reply is. False where it was noted before: the request is repeated.
pub async fn reply(tx: &mut Scoped, by: By<'_>, message: MessageId) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into conversation_entries (tenant_id, entry_id, conversation_id, kind, author, at)
         values ($1, $2, $3, 'reply', $4, $5) on conflict do nothing",
        by.tenant.as_str(),
        message.0,
        by.conversation.0,
        by.author,
        by.at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}
