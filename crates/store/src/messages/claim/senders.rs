//! The senders of a claim, with what it takes to call their carriers.

use domain::{
    gates::SenderFacts,
    health::SenderHealth,
    ids::{SenderId, TenantId},
    zones::Zone,
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{keyed::index, words::word},
    fault,
    settings::accounts::Access,
};

/// A sender as the last look sees it, and the carrier account that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimSender {
    /// As the gates know it.
    pub facts: SenderFacts,
    /// How its carrier is called.
    pub access: Access,
    /// Segments per second of the account with all of its tenants; none where the platform sets no
    /// limit.
    pub account_pace: Option<u32>,
    /// Segments per second of this tenant's part of the account; none where nothing limits it.
    pub account_rate: Option<f64>,
    /// Segments per second of this tenant with all of its senders; none where its plan names none.
    pub tenant_pace: Option<u32>,
}

/// Reads senders in the order of the keys; none where the tenant has no such sender, or one whose
/// days cannot be told.
pub async fn senders(
    tx: &mut Scoped,
    keys: &[(TenantId, SenderId)],
) -> Result<Vec<Option<ClaimSender>>, Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let senders: Vec<Uuid> = keys.iter().map(|key| key.1.0).collect();
    let rows = sqlx::query!(
        r#"select k.at as "at!", s.number, s.account, s.country, s.time_zone, s.pace,
                  s.active_since, s.daily_cap, s.usable, s.channel,
                  a.carrier, a.carrier_sid, a.base_url, a.sealed_token,
                  p.pace as "account_pace?", n.pace as "tenant_pace?", h.weight as "weight?",
                  case when p.pace is not null or l.seen_rate is not null
                       then account_rate(s.account, s.tenant_id, coalesce(h.weight, 1))
                  end as "account_rate?"
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, sender_id, at)
           join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
           left join platform_accounts p on p.account = s.account
           left join account_shares h on h.account = s.account and h.tenant_id = s.tenant_id
           left join account_pace l on l.account = s.account
           left join tenants n on n.tenant_id = s.tenant_id"#,
        &tenants as _,
        &senders,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; keys.len()];
    for row in rows {
        let i = index(row.at);
        let Ok(zone) = Zone::parse(&row.time_zone) else {
            tracing::error!(tenant = %keys[i].0, "a sender's time zone is not known");
            continue;
        };
        let facts = SenderFacts {
            id: keys[i].1,
            number: row.number,
            account: row.account,
            channel: word(&row.channel)?,
            country: row.country.parse().ok(),
            zone,
            pace: row.pace.unsigned_abs(),
            active_since: row.active_since.to_jiff(),
            daily_cap: row.daily_cap.unsigned_abs(),
            usable: row.usable,
            // The last look goes by neither: what is admitted goes.
            health: SenderHealth::default(),
            account_is_held: false,
            weight: row.weight.map_or(1, i32::unsigned_abs),
        };
        let access = Access {
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
        };
        let account_pace = row.account_pace.map(i32::unsigned_abs);
        let account_rate = row.account_rate;
        let tenant_pace = row.tenant_pace.map(i32::unsigned_abs);
        found[i] = Some(ClaimSender { facts, access, account_pace, account_rate, tenant_pace });
    }
    Ok(found)
}
