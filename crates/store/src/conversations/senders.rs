//! Which senders a contact writes to as one: those of a pool, or a sender alone.

use std::collections::HashMap;

use domain::ids::{ConversationId, PoolId, SenderId, TenantId};
use sqlx::types::Uuid;
use stage::Fault;

use super::inbound::NewText;
use crate::{Scoped, core::keyed::tenant, fault};

/// What is known of a sender that was texted.
#[derive(Clone, Copy)]
struct Texted {
    /// Whether it is one of the tenant's, also one that was removed.
    is_known: bool,
    /// The oldest pool that it is in.
    pool: Option<PoolId>,
}

/// Notes on each text whether its number is a sender of the tenant, and which group and
/// conversation it belongs to.
pub(super) async fn resolve(tx: &mut Scoped, texts: &mut [NewText]) -> Result<(), Fault> {
    let texted = texted(tx, texts).await?;
    for text in texts {
        let Some(known) = texted.get(&(text.tenant.clone(), text.sender)) else { continue };
        text.is_to_sender = known.is_known;
        if let Some(pool) = known.pool {
            text.group = pool.0;
            text.conversation = ConversationId::of_pool(text.contact, pool, text.channel);
        }
    }
    Ok(())
}

async fn texted(
    tx: &mut Scoped,
    texts: &[NewText],
) -> Result<HashMap<(TenantId, SenderId), Texted>, Fault> {
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.sender_id as "sender_id!",
                  s.sender_id is not null as "is_known!", p.pool_id as "pool_id?"
           from (select distinct u.tenant_id, u.sender_id
                 from unnest($1::text[], $2::uuid[]) as u (tenant_id, sender_id)) k
           left join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           left join lateral (
               select o.pool_id from pools o
               where o.tenant_id = k.tenant_id and k.sender_id = any (o.senders)
               order by o.created_at, o.pool_id limit 1
           ) p on true"#,
        &texts.iter().map(|text| text.tenant.to_string()).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.sender.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let known = rows.into_iter().map(|row| {
        let texted = Texted { is_known: row.is_known, pool: row.pool_id.map(PoolId) };
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
