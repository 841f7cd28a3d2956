//! What is known of the templates that messages name, at the accounts that may carry them.

use domain::{
    carrier_template::{ReviewState, TemplateStanding},
    ids::{PoolId, SenderId, TenantId},
    message::class::Channel,
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::index,
        words::{optional, readable},
    },
    fault,
};

/// A template that a message names, and who may carry it.
#[derive(Debug, Clone, Copy)]
pub struct AskedTemplate<'a> {
    /// The sender that carries it; none: see the pool.
    pub sender: Option<SenderId>,
    /// The pool that carries it; none without a sender: any sender of the tenant.
    pub pool: Option<PoolId>,
    /// Its name at the carrier.
    pub name: &'a str,
    /// Its language, as the carrier writes it.
    pub language: &'a str,
}

/// What is known of templates at each account that may carry them, in the order of what is asked.
/// WhatsApp alone has such templates, so nothing is said of accounts without senders of it.
pub async fn standings(
    tx: &mut Scoped,
    tenant: &TenantId,
    asked: &[AskedTemplate<'_>],
) -> Result<Vec<Vec<TemplateStanding>>, Fault> {
    let mut found = vec![Vec::new(); asked.len()];
    if asked.is_empty() {
        return Ok(found);
    }

    let senders: Vec<Option<Uuid>> = asked.iter().map(|one| one.sender.map(|id| id.0)).collect();
    let pools: Vec<Option<Uuid>> = asked.iter().map(|one| one.pool.map(|id| id.0)).collect();
    let rows = sqlx::query!(
        r#"select k.at as "at!", y.listed_at is not null as "is_listed!", t.state as "state?"
           from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[])
                with ordinality as k (sender_id, pool_id, name, language, at)
           cross join lateral (
               select distinct s.account from senders s
               where s.tenant_id = $1 and s.removed_at is null and s.channel = $6
                 and (k.sender_id is null or s.sender_id = k.sender_id)
                 and (k.pool_id is null or exists (
                     select from pools p where p.tenant_id = $1 and p.pool_id = k.pool_id
                        and s.sender_id = any (p.senders)))
           ) a
           left join template_syncs y on y.tenant_id = $1 and y.account = a.account
           left join carrier_templates t
             on t.tenant_id = $1 and t.account = a.account and t.name = k.name
            and t.language = k.language"#,
        tenant.as_str(),
        &senders as _,
        &pools as _,
        &asked.iter().map(|one| one.name).collect::<Vec<_>>() as _,
        &asked.iter().map(|one| one.language).collect::<Vec<_>>() as _,
        Channel::Whatsapp.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for row in rows {
        found[index(row.at)].push(read_standing(row.is_listed, row.state.as_deref()));
    }
    Ok(found)
}

/// What rows say of a template at one account.
pub(crate) fn read_standing(is_listed: bool, state: Option<&str>) -> TemplateStanding {
    let known = readable(optional::<ReviewState>(state));
    // A state of a newer version is for the carrier to judge.
    TemplateStanding { is_listed, state: known.unwrap_or(Some(ReviewState::Other)) }
}
