//! How many of an audience have had a promotion lately.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use super::audience::tags_of;
use crate::{Scoped, fault};

/// What was found of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressedPeople {
    /// How many people were looked at.
    pub people: i64,
    /// How many of them have had a promotion since the instant.
    pub suppressed: i64,
}

/// Looks at the first `limit` people of an audience, as it is stored with a campaign.
pub async fn count(
    tx: &mut Scoped,
    tenant: &TenantId,
    audience: &Value,
    since: Timestamp,
    limit: i64,
) -> Result<SuppressedPeople, Fault> {
    let found = sqlx::query!(
        r#"select count(*) as "people!",
                  count(*) filter (where s.last_promo_at > $3) as "suppressed!"
           from (
               select number from contacts
               where tenant_id = $1 and contact_id > $5 and tags @> $2 and erased_at is null
               order by contact_id limit $4
           ) c
           left join lateral (
               select * from standings n
               where n.tenant_id = $1 and n.number = c.number and n.channel = 'sms' limit 1
           ) s on true"#,
        tenant.as_str(),
        &tags_of(audience),
        since.to_sqlx(),
        limit,
        Uuid::nil(),
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(SuppressedPeople { people: found.people, suppressed: found.suppressed })
}
