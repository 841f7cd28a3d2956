//! Second bodies under a key: listed by enrich, which lets the first stand, and read here.

use domain::ids::{MessageId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::list::AgePosition;
use crate::{Scoped, fault};

/// Other bodies than the first that came under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The id that the key makes.
    pub message: MessageId,
    /// When they were seen.
    pub at: Timestamp,
    /// Whether a message is stored under the id: its body stands. Else the whole batch of the
    /// other body was refused, because another batch has its key.
    pub has_message: bool,
}

/// A tenant's conflicts before a position, the newest first. Bodies of one id that were seen at
/// once are one.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    before: AgePosition,
    limit: i64,
) -> Result<Vec<Conflict>, Fault> {
    let rows = sqlx::query!(
        r#"select c.at as "at!", c.message_id as "message_id!",
                  m.message_id is not null as "has_message!"
           from (
               select distinct at, message_id from message_conflicts
               where tenant_id = $1 and (at, message_id) < ($2, $3)
               order by at desc, message_id desc limit $4
           ) c
           left join lateral (
               select n.message_id from messages n
               where n.tenant_id = $1 and n.message_id = c.message_id limit 1
           ) m on true
           order by c.at desc, c.message_id desc"#,
        tenant.as_str(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let conflict = |at: jiff_sqlx::Timestamp, message, has_message| Conflict {
        message: MessageId(message),
        at: at.to_jiff(),
        has_message,
    };
    Ok(rows.into_iter().map(|row| conflict(row.at, row.message_id, row.has_message)).collect())
}

/// When a body came under this id first, that no message is stored of.
pub async fn first(
    tx: &mut Scoped,
    tenant: &TenantId,
    message: MessageId,
) -> Result<Option<Timestamp>, Fault> {
    let found = sqlx::query_scalar!(
        "select at from message_conflicts
         where tenant_id = $1 and message_id = $2 order by at limit 1",
        tenant.as_str(),
        message.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(found.map(jiff_sqlx::Timestamp::to_jiff))
}
