//! Senders as the gates see them.

use std::collections::BTreeSet;

use domain::{
    gates::{Facts, SenderFacts},
    health::SenderHealth,
    ids::{SenderId, TenantId},
    zones::Zone,
};
use stage::Fault;

use super::columns::columns;
use crate::{
    Scoped,
    core::{keyed, words::word},
    fault,
};

pub(super) async fn load_senders(
    tx: &mut Scoped,
    facts: &mut Facts,
    keys: &BTreeSet<(&TenantId, SenderId)>,
) -> Result<(), Fault> {
    for (tenant, sender) in senders(tx, keys).await? {
        if let Some(facts) = facts.tenants.get_mut(&tenant) {
            facts.senders.insert(sender.id, sender);
        }
    }
    Ok(())
}

/// Senders as the gates see them. One whose time zone is not known is left out: its days cannot be
/// counted.
pub async fn senders(
    tx: &mut Scoped,
    keys: &BTreeSet<(&TenantId, SenderId)>,
) -> Result<Vec<(TenantId, SenderFacts)>, Fault> {
    let (tenants, ids) = columns(keys, |id| id.0);
    let rows = sqlx::query!(
        r#"with found as materialized (
               select s.*, h.weight
               from unnest($1::text[], $2::uuid[]) as k (tenant_id, sender_id)
               join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
               left join account_shares h on h.account = s.account and h.tenant_id = s.tenant_id
           ), away as materialized (
               -- Once for each account, however many senders it has.
               select a.account from (select distinct account from found) a
               where account_is_away(a.account)
           )
           select s.tenant_id as "tenant_id!", s.sender_id as "sender_id!",
                  s.account as "account!", s.number as "number!", s.country as "country!",
                  s.time_zone as "time_zone!", s.pace as "pace!",
                  s.active_since as "active_since!", s.daily_cap as "daily_cap!", s.rests_until,
                  s.usable as "usable!", s.channel as "channel!", s.health as "health!",
                  (select true from parked w
                   where w.tenant_id = s.tenant_id and w.cause_key = s.account_cause
                   order by w.parked_at, w.message_id limit 1) is not null
                      or s.account in (select account from away) as "account_is_held!",
                  s.weight as "weight?"
           from found s"#,
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Ok(zone) = Zone::parse(&row.time_zone) else {
            tracing::error!(tenant = %row.tenant_id, "a sender's time zone is not known");
            continue;
        };
        let channel = word(&row.channel)?;
        let sender = SenderFacts {
            id: SenderId(row.sender_id),
            number: row.number,
            account: row.account,
            channel,
            country: row.country.parse().ok(),
            zone,
            pace: row.pace.unsigned_abs(),
            active_since: row.active_since.to_jiff(),
            daily_cap: row.daily_cap.unsigned_abs(),
            usable: row.usable,
            health: SenderHealth {
                state: word(&row.health)?,
                rests_until: row.rests_until.map(|until| until.to_jiff()),
            },
            account_is_held: row.account_is_held,
            weight: row.weight.map_or(1, i32::unsigned_abs),
        };
        found.push((keyed::tenant(&row.tenant_id), sender));
    }
    Ok(found)
}
