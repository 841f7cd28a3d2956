//! How many of an audience have had a promotion lately, or wait for one.

use domain::{
    ids::TenantId,
    message::{class::Channel, state::MessageState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use super::audience::{reaches_ids, tags_of};
use crate::{Scoped, fault};

/// What was found of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressedPeople {
    /// How many people were looked at.
    pub people: i64,
    /// How many of them have had a promotion since the instant.
    pub suppressed: i64,
    /// How many of the others wait for a promotion that was accepted before, or are still to get
    /// one from a campaign that was started: of that one and another, one is stopped.
    pub waiting: i64,
}

/// States in which nothing is reserved of a message: it counts as no promotion yet.
const WAITING: [MessageState; 3] =
    [MessageState::Accepted, MessageState::Deferred, MessageState::Held];

/// Looks at the first `limit` people of an audience, as it is stored with a campaign, whom the
/// campaign's channel reaches. What they have had by another channel does not count.
pub async fn count(
    tx: &mut Scoped,
    tenant: &TenantId,
    (audience, channel): (&Value, Channel),
    since: Timestamp,
    limit: i64,
) -> Result<SuppressedPeople, Fault> {
    let found = sqlx::query!(
        r#"select count(*) as "people!",
                  count(*) filter (where s.last_promo_at > $3) as "suppressed!",
                  count(*) filter (where (s.last_promo_at > $3) is not true
                                     and coalesce(w.waits, p.waits)) as "waiting!"
           from (
               select contact_id, number from contacts
               where tenant_id = $1 and contact_id > $5 and tags @> $2 and erased_at is null
                 and ($8 or number like '+%')
                 and merged_into is null
               order by contact_id limit $4
           ) c
           left join lateral (
               select * from standings n
               where n.tenant_id = $1 and n.number = c.number and n.channel = $7 limit 1
           ) s on true
           left join lateral (
               select true as waits
               from campaign_recipients r
               cross join lateral (
                   select * from campaigns n
                   where n.tenant_id = $1 and n.campaign_id = r.campaign_id limit 1
               ) o
               left join lateral (
                   select * from messages n
                   where n.tenant_id = $1 and n.message_id = r.message_id limit 1
               ) m on true
               where r.contact_id = c.contact_id and o.class = 'promo' and o.channel = $7
                 and o.state in ('starting', 'running', 'paused')
                 and (m.message_id is null or m.state = any ($6))
               limit 1
           ) w on true
           left join lateral (
               select true as waits from parked n
               where n.address = c.number and n.tenant_id = $1
                 and n.payload -> 'head' ->> 'class' = 'promo'
                 and n.payload -> 'head' ->> 'channel' = $7
               limit 1
           ) p on true"#,
        tenant.as_str(),
        &tags_of(audience),
        since.to_sqlx(),
        limit,
        Uuid::nil(),
        &WAITING.map(MessageState::code) as &[i16],
        channel.as_str(),
        reaches_ids(channel),
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    let (people, suppressed, waiting) = (found.people, found.suppressed, found.waiting);
    Ok(SuppressedPeople { people, suppressed, waiting })
}
