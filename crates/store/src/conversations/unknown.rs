//! Texts to numbers of a tenant's accounts that are none of its senders: kept, and answered by
//! nobody until somebody has looked at them.

use domain::ids::{ContactId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// A text to a number that is no sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextToUnknown {
    /// The text's id.
    pub id: Uuid,
    /// The contact who wrote it.
    pub contact: ContactId,
    /// The number that was texted, as the carrier writes it.
    pub to: String,
    /// What they wrote; empty once its retention has ended.
    pub body: String,
    /// What it asks for.
    pub meaning: String,
    /// Business time of arrival.
    pub received_at: Timestamp,
}

/// A tenant's texts of this kind before a position, the newest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TextToUnknown>, Fault> {
    let rows = sqlx::query!(
        r#"select inbound_id, contact_id, unknown_to as "to!", body, meaning, received_at
           from inbound_texts
           where tenant_id collate "C" = $1 and unknown_to is not null
             and (received_at, inbound_id) < ($2, $3)
           order by received_at desc, inbound_id desc limit $4"#,
        tenant.as_str(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let texts = rows.into_iter().map(|row| TextToUnknown {
        id: row.inbound_id,
        contact: ContactId(row.contact_id),
        to: row.to,
        body: row.body,
        meaning: row.meaning,
        received_at: row.received_at.to_jiff(),
    });
    Ok(texts.collect())
}
