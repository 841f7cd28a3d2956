//! Answers that the assistant has given, and that may not have gone out yet.

use domain::{
    ids::{ConversationId, MessageId, TenantId},
    message::state::MessageState,
};
use stage::Fault;

use crate::{Scoped, core::state_codes::codes, fault};

/// How many of a conversation's last answers are looked at: more than go out in an hour.
const LOOKED_AT: i64 = 64;

/// The answers of a conversation that wait for the gates or for their call, or have no row yet.
pub async fn waiting(
    tx: &mut Scoped,
    tenant: &TenantId,
    conversation: ConversationId,
) -> Result<Vec<MessageId>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select a.message_id as "message_id!"
           from (select r.message_id from ai_replies r
                 where r.conversation_id = $2 and r.tenant_id = $1
                   and r.body is not null
                 order by r.at desc limit $4) a
           left join lateral (
               select m.state from messages m
               where m.tenant_id = $1 and m.message_id = a.message_id limit 1
           ) m on true
           where m.state is null or m.state = any ($3)"#,
        tenant.as_str(),
        conversation.0,
        &codes(|state| state.awaits_gates() || state == MessageState::Queued),
        LOOKED_AT,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(MessageId).collect())
}
