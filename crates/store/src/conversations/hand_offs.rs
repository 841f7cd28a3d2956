//! Conversations that the assistant gives to people: whoever is to go on is told, once, and the
//! assistant is quiet until somebody hands the conversation back.

use domain::{
    conversation::{Act, Attention, ConversationOwner},
    ids::{ContactId, ConversationId, InboxId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{Event, EventKind, event::ConversationData};

use super::replies::{Ask, ReplyReason};
use crate::{
    Scoped,
    core::{keyed, words::word},
    fault, outbox,
};

/// Who does it, as entries and events name it.
const STAGE: &str = "stage:reply";

/// Gives conversations to people, each with the reason of the text that made it necessary: the
/// epoch rises, so that whatever else was begun is void; an entry stands in the conversation, and
/// its event in the outbox. One that is no longer the assistant's stays as it is.
pub async fn record(
    tx: &mut Scoped,
    asks: &[(&Ask, ReplyReason)],
    at: Timestamp,
) -> Result<(), Fault> {
    if asks.is_empty() {
        return Ok(());
    }

    let rows = sqlx::query!(
        r#"with given as (
             update conversations v
             set owner = $6, assignee = null, attention = $7, epoch = v.epoch + 1,
                 version = v.version + 1
             from (select distinct on (tenant_id, conversation_id) *
                   from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[])
                        as u (tenant_id, conversation_id, entry_id, reason)
                   order by tenant_id, conversation_id, entry_id) k
             where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
               and v.owner = $8
             returning v.tenant_id, v.conversation_id, v.contact_id, v.inbox_id, v.status,
                       v.version, k.entry_id, k.reason
         ), noted as (
             insert into conversation_entries (tenant_id, entry_id, conversation_id, kind, author,
                                               what, body, at)
             select tenant_id, entry_id, conversation_id, 'act', $9, $10, reason, $5 from given
             on conflict do nothing
         )
         select tenant_id as "tenant_id!", conversation_id as "conversation_id!",
                contact_id as "contact_id!", inbox_id, status as "status!",
                version as "version!"
         from given"#,
        &asks.iter().map(|(ask, _)| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &asks.iter().map(|(ask, _)| ask.conversation.0).collect::<Vec<_>>(),
        &asks.iter().map(|(ask, _)| entry(ask)).collect::<Vec<_>>(),
        &asks.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>() as _,
        at.to_sqlx() as _,
        ConversationOwner::Nobody.as_str(),
        Attention::Handoff.as_str(),
        ConversationOwner::Assistant.as_str(),
        STAGE,
        Act::HandedOff.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut events = Vec::new();
    for row in rows {
        let data = ConversationData {
            conversation: ConversationId(row.conversation_id),
            contact: ContactId(row.contact_id),
            inbox: row.inbox_id.map(InboxId),
            status: word(&row.status)?,
            owner: ConversationOwner::Nobody,
            assignee: None,
            by: Some(STAGE.to_owned()),
        };
        let kind = EventKind::ConversationHandedOff;
        let tenant = keyed::tenant(&row.tenant_id);
        events.push(Event::new(kind, &tenant, row.conversation_id, row.version, at, &data));
    }
    outbox::insert(tx, &events).await
}

/// The entry of a hand-off: the answer that is not given names it.
fn entry(ask: &Ask) -> Uuid {
    ask.message.0
}
