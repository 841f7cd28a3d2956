//! Answers that the assistant has given, and that may not have gone out yet.

use domain::{
    conversation::ConversationOwner,
    ids::{ConversationId, MessageId, TenantId},
    message::state::MessageState,
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{keyed, state_codes::codes},
    fault,
};

/// How many of a conversation's last answers are looked at: more than go out in an hour.
const LOOKED_AT: i64 = 64;

/// The answers that wait for the gates or for their call, or have no row yet, of those of these
/// conversations that a person has now. What the assistant says in one that was handed back stands.
pub async fn waiting(
    tx: &mut Scoped,
    conversations: &[(&TenantId, ConversationId)],
) -> Result<Vec<(TenantId, MessageId)>, Fault> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        conversations.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", a.message_id as "message_id!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
           cross join lateral (
               select c.owner from conversations c
               where c.tenant_id = k.tenant_id and c.conversation_id = k.conversation_id limit 1
           ) v
           cross join lateral (
               select r.message_id from ai_replies r
               where r.conversation_id = k.conversation_id and r.tenant_id = k.tenant_id
                 and r.body is not null
               order by r.at desc limit $5
           ) a
           left join lateral (
               select m.state from messages m
               where m.tenant_id = k.tenant_id and m.message_id = a.message_id limit 1
           ) m on true
           where v.owner = $3 and (m.state is null or m.state = any ($4))"#,
        &tenants as _,
        &ids,
        ConversationOwner::Person.as_str(),
        &codes(|state| state.awaits_gates() || state == MessageState::Queued),
        LOOKED_AT,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let waiting =
        rows.into_iter().map(|row| (keyed::tenant(&row.tenant_id), MessageId(row.message_id)));
    Ok(waiting.collect())
}
