//! Which senders a contact writes to as one: those of a pool, or a sender alone.

use std::collections::HashMap;

use domain::{
    ids::{ContactId, ConversationId, PoolId, SenderId, TenantId},
    message::class::Channel,
};
use sqlx::types::Uuid;
use stage::Fault;

use super::inbound::NewText;
use crate::{Scoped, core::keyed::tenant, fault};

/// What is known of a sender that was texted.
#[derive(Clone, Copy, Default)]
pub(super) struct Texted {
    /// Whether it is one of the tenant's, also one that was removed.
    pub(super) is_known: bool,
    /// The oldest pool that it is in.
    pub(super) pool: Option<PoolId>,
    /// The name that people write to.
    pub(super) brand: Option<Uuid>,
    /// The oldest inbox of that brand which is in use.
    pub(super) inbox: Option<Uuid>,
}

impl Texted {
    /// The group that a contact writes to with this sender, and their conversation with it.
    pub(super) fn thread(
        &self,
        contact: ContactId,
        sender: SenderId,
        channel: Channel,
    ) -> (Uuid, ConversationId) {
        match self.pool {
            Some(pool) => (pool.0, ConversationId::of_pool(contact, pool, channel)),
            None => (sender.0, ConversationId::of(contact, sender)),
        }
    }
}

/// Senders that were texted, each once.
pub(super) type TextedSenders = HashMap<(TenantId, SenderId), Texted>;

/// Notes on each text whether its number is a sender of the tenant, and which group and
/// conversation it belongs to. Gives what is known of the senders.
pub(super) async fn resolve(
    tx: &mut Scoped,
    texts: &mut [NewText],
) -> Result<TextedSenders, Fault> {
    let keys: Vec<_> = texts.iter().map(|text| (&text.tenant, text.sender)).collect();
    let texted = texted(tx, &keys).await?;
    for text in texts {
        let Some(known) = texted.get(&(text.tenant.clone(), text.sender)) else { continue };
        text.is_to_sender = known.is_known;
        (text.group, text.conversation) = known.thread(text.contact, text.sender, text.channel);
    }
    Ok(texted)
}

/// What is known of senders, however often each is named.
pub(super) async fn texted(
    tx: &mut Scoped,
    keys: &[(&TenantId, SenderId)],
) -> Result<TextedSenders, Fault> {
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.sender_id as "sender_id!",
                  s.sender_id is not null as "is_known!", p.pool_id as "pool_id?",
                  s.brand_id as "brand_id?", i.inbox_id as "inbox_id?"
           from (select distinct u.tenant_id, u.sender_id
                 from unnest($1::text[], $2::uuid[]) as u (tenant_id, sender_id)) k
           left join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           left join lateral (
               select o.pool_id from pools o
               where o.tenant_id = k.tenant_id and k.sender_id = any (o.senders)
               order by o.created_at, o.pool_id limit 1
           ) p on true
           left join lateral (
               select o.inbox_id from inboxes o
               where o.tenant_id = k.tenant_id and o.brand_id = s.brand_id
                 and o.archived_at is null
               order by o.created_at, o.inbox_id limit 1
           ) i on true"#,
        &keys.iter().map(|key| key.0.to_string()).collect::<Vec<_>>(),
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let known = rows.into_iter().map(|row| {
        let texted = Texted {
            is_known: row.is_known,
            pool: row.pool_id.map(PoolId),
            brand: row.brand_id,
            inbox: row.inbox_id,
        };
        ((tenant(&row.tenant_id), SenderId(row.sender_id)), texted)
    });
    Ok(known.collect())
}

/// The senders of a conversation's group as they are now, and the one that was texted last.
pub(super) async fn of_group(
    tx: &mut Scoped,
    tenant: &TenantId,
    group: Uuid,
    texted: SenderId,
) -> Result<Vec<Uuid>, Fault> {
    let pool = sqlx::query_scalar!(
        "select senders from pools where tenant_id = $1 and pool_id = $2",
        tenant.as_str(),
        group,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let mut senders = pool.unwrap_or_default();
    senders.push(texted.0);
    Ok(senders)
}
