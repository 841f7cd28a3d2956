//! Every message of a tenant and where it stands: for whoever checks a whole run.

use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use stage::Fault;

use crate::{Scoped, core::words, fault};

/// How many messages stand in each state.
pub async fn counts(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<(MessageState, u64)>, Fault> {
    let rows = sqlx::query!(
        r#"select state, count(*) as "messages!" from messages where tenant_id = $1 group by state"#,
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let count = |messages: i64| u64::try_from(messages).unwrap_or_default();
    rows.into_iter().map(|row| Ok((words::state(row.state)?, count(row.messages)))).collect()
}

/// A page of messages in the order of their ids, behind `after`; empty at the end.
pub async fn page(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: MessageId,
    rows: i64,
) -> Result<Vec<(MessageId, MessageState)>, Fault> {
    let rows = sqlx::query!(
        "select message_id, state from messages where tenant_id = $1 and message_id > $2
          order by message_id limit $3",
        tenant.as_str(),
        after.0,
        rows,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    rows.into_iter().map(|row| Ok((MessageId(row.message_id), words::state(row.state)?))).collect()
}
