//! The senders and pools that messages may name, and the accounts that carry for them.

use std::collections::HashMap;

use domain::ids::{PoolId, SenderId, TenantId};
use stage::Fault;

use crate::{Scoped, fault};

/// A carrier account of which a sender carries messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarryingAccount {
    /// The tenant's own name of it.
    pub name: String,
    /// The carrier, by name.
    pub carrier: String,
    /// Where its API is called.
    pub base_url: String,
}

/// What a tenant's messages may name: senders and pools, each with the accounts of what is usable
/// of it. A sender is usable by its own word, a pool by any of its senders'.
pub type KnownOrigins =
    (HashMap<SenderId, Vec<CarryingAccount>>, HashMap<PoolId, Vec<CarryingAccount>>);

/// Which of these senders and pools a tenant has.
pub async fn known(
    tx: &mut Scoped,
    tenant: &TenantId,
    senders: &[SenderId],
    pools: &[PoolId],
) -> Result<KnownOrigins, Fault> {
    let rows = sqlx::query!(
        r#"with named as (
               select sender_id as id, true as is_sender, array[sender_id] as senders from senders
               where tenant_id = $1 and sender_id = any ($2) and removed_at is null
               union all
               select pool_id, false, senders from pools
               where tenant_id = $1 and pool_id = any ($3)
           )
           select n.id as "id!", n.is_sender as "is_sender!", o.name as "name?",
                  o.carrier as "carrier?", o.base_url as "base_url?"
           from named n
           left join lateral (
               select distinct coalesce(a.name, a.account) as name, a.carrier, a.base_url
               from senders s
               cross join lateral (
                   select * from carrier_accounts r
                   where r.tenant_id = s.tenant_id and r.account = s.account limit 1
               ) a
               where s.tenant_id = $1 and s.sender_id = any (n.senders) and s.usable
           ) o on true"#,
        tenant.as_str(),
        &senders.iter().map(|id| id.0).collect::<Vec<_>>(),
        &pools.iter().map(|id| id.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let (mut senders, mut pools) = KnownOrigins::default();
    for row in rows {
        let account = row.name.zip(row.carrier).zip(row.base_url);
        let account =
            account.map(|((name, carrier), base_url)| CarryingAccount { name, carrier, base_url });
        let of = if row.is_sender {
            senders.entry(SenderId(row.id)).or_default()
        } else {
            pools.entry(PoolId(row.id)).or_default()
        };
        of.extend(account);
    }
    Ok((senders, pools))
}
