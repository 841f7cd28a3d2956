//! A conversation as it is stored: read, locked, and written back whole.

use domain::{
    conversation::{Attention, ConversationOwner, ConversationStatus, Ownership},
    ids::{BrandId, ContactId, ConversationId, InboxId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::words::{optional, word, words},
    fault,
};

words! {
    ConversationStatus = "status of a conversation",
    ConversationOwner = "owner of a conversation",
    Attention = "reason to look at a conversation",
}

/// A conversation, without its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The id of the conversation.
    pub id: ConversationId,
    /// The contact who writes in it.
    pub contact: ContactId,
    /// Where they wrote from last; of a machine its code. None of what is from before.
    pub address: Option<String>,
    /// Whether a person writes, who can be answered.
    pub is_person: bool,
    /// The channel that it is on.
    pub channel: Channel,
    /// The pool of senders, or the one sender, that the contact writes to.
    pub group: Uuid,
    /// The sender that was texted last: answers leave by it.
    pub sender: SenderId,
    /// The name that the contact wrote to.
    pub brand: Option<BrandId>,
    /// Where it is looked after.
    pub inbox: Option<InboxId>,
    /// Whether somebody is to look at it.
    pub status: ConversationStatus,
    /// Of a snooze: business time of its end.
    pub snoozed_until: Option<Timestamp>,
    /// Who answers next, and in which epoch.
    pub ownership: Ownership,
    /// Why a person is to look at it.
    pub attention: Option<Attention>,
    /// Its labels, sorted.
    pub labels: Vec<String>,
    /// Texts that came since somebody has read it.
    pub unread: i32,
    /// Business time of the first text for a person to read; none: lists pass it over.
    pub opened_at: Option<Timestamp>,
    /// Business time at which the contact wrote last.
    pub last_inbound_at: Option<Timestamp>,
    /// Business time of the last text, in or out.
    pub last_text_at: Option<Timestamp>,
    /// The id of that text.
    pub last_text: Option<Uuid>,
    /// Rises with every change.
    pub version: i64,
}

/// Conversations of a tenant by their ids, in any order; those that are not there are left out.
pub async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<Vec<Conversation>, Fault> {
    let rows = sqlx::query!(
        r#"select v.conversation_id, v.contact_id, v.address, v.is_person, v.channel,
                  v.sender_group as "sender_group!", v.sender_id, v.brand_id, v.inbox_id, v.status,
                  v.snoozed_until, v.owner, v.assignee, v.epoch, v.attention, v.labels, v.unread,
                  v.opened_at, v.last_inbound_at, v.last_text_at, v.last_text_id, v.version
           from unnest($2::uuid[]) as k (conversation_id)
           cross join lateral (
               select * from conversations c
               where c.tenant_id = $1 and c.conversation_id = k.conversation_id limit 1
           ) v"#,
        tenant.as_str(),
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let read = rows.into_iter().map(|row| {
        Ok(Conversation {
            id: ConversationId(row.conversation_id),
            contact: ContactId(row.contact_id),
            address: row.address,
            is_person: row.is_person,
            channel: word(&row.channel)?,
            group: row.sender_group,
            sender: SenderId(row.sender_id),
            brand: row.brand_id.map(BrandId),
            inbox: row.inbox_id.map(InboxId),
            status: word(&row.status)?,
            snoozed_until: row.snoozed_until.map(|at| at.to_jiff()),
            ownership: Ownership {
                owner: word(&row.owner)?,
                assignee: row.assignee,
                epoch: row.epoch,
            },
            attention: optional(row.attention.as_deref())?,
            labels: row.labels,
            unread: row.unread,
            opened_at: row.opened_at.map(|at| at.to_jiff()),
            last_inbound_at: row.last_inbound_at.map(|at| at.to_jiff()),
            last_text_at: row.last_text_at.map(|at| at.to_jiff()),
            last_text: row.last_text_id,
            version: row.version,
        })
    });
    read.collect()
}

/// A conversation of a tenant, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ConversationId,
    lock: bool,
) -> Result<Option<Conversation>, Fault> {
    if lock {
        sqlx::query!(
            "select from conversations where tenant_id = $1 and conversation_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    }
    Ok(load(tx, tenant, &[id.0]).await?.pop())
}

/// Writes what people change of a conversation that is locked, and raises its version.
pub async fn save(
    tx: &mut Scoped,
    tenant: &TenantId,
    conversation: &mut Conversation,
) -> Result<(), Fault> {
    conversation.version += 1;

    sqlx::query!(
        "update conversations
         set inbox_id = $3, status = $4, snoozed_until = $5, owner = $6, assignee = $7, epoch = $8,
             attention = $9, labels = $10, unread = $11, last_text_at = $12, last_text_id = $13,
             version = $14
         where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        conversation.id.0,
        conversation.inbox.map(|inbox| inbox.0),
        conversation.status.as_str(),
        conversation.snoozed_until.map(ToSqlx::to_sqlx) as _,
        conversation.ownership.owner.as_str(),
        conversation.ownership.assignee,
        conversation.ownership.epoch,
        conversation.attention.map(Attention::as_str),
        &conversation.labels,
        conversation.unread,
        conversation.last_text_at.map(ToSqlx::to_sqlx) as _,
        conversation.last_text,
        conversation.version,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
