//! Who answers a conversation next. Every change raises its epoch, and an answer that was begun in
//! an earlier epoch is thrown away: whoever records one reads [`owner`] under the row's lock, in
//! the transaction that records it.

use domain::{
    conversation::{Attention, Ownership},
    ids::{ConversationId, TenantId},
};
use stage::Fault;

use super::row::{self, Conversation};
use crate::{Scoped, core::words::word, fault};

/// Who answers a conversation next, its row locked until the transaction ends. None where there is
/// no such conversation.
pub async fn owner(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
) -> Result<Option<Ownership>, Fault> {
    let row = sqlx::query!(
        "select owner, assignee, epoch from conversations
         where tenant_id = $1 and conversation_id = $2 for update",
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let read = |row: (String, Option<sqlx::types::Uuid>, i32)| {
        Ok(Ownership { owner: word(&row.0)?, assignee: row.1, epoch: row.2 })
    };
    row.map(|row| read((row.owner, row.assignee, row.epoch))).transpose()
}

/// Changes who answers, and gives the conversation as it is since. None where there is none.
async fn change(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
    change: impl FnOnce(&mut Conversation),
) -> Result<Option<Conversation>, Fault> {
    let Some(mut conversation) = row::get(tx, tenant, id, true).await? else { return Ok(None) };
    change(&mut conversation);
    row::save(tx, tenant, &mut conversation).await?;
    Ok(Some(conversation))
}

/// A person answers from now on; none: somebody with an API key, or the phone itself.
pub async fn take_over(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
    person: Option<sqlx::types::Uuid>,
) -> Result<Option<Conversation>, Fault> {
    change(tx, tenant, id, |conversation| {
        conversation.ownership.take_over(person);
        conversation.attention = None;
    })
    .await
}

/// The assistant answers from now on, beginning with the next text.
pub async fn hand_back(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    change(tx, tenant, id, |conversation| {
        conversation.ownership.hand_back();
        conversation.attention = None;
    })
    .await
}

/// The assistant gives the conversation to people, who are told to look at it.
pub async fn hand_off(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    change(tx, tenant, id, |conversation| {
        conversation.ownership.hand_off();
        conversation.attention = Some(Attention::Handoff);
    })
    .await
}

/// Voids what the assistant has begun: a person has answered. They answer from now on.
pub async fn bump_epoch(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    take_over(tx, tenant, id, None).await
}
