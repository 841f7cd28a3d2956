//! Facts that the claim reads afresh: senders with their accounts, the policy in force, switches.

use std::collections::HashMap;

use domain::{
    gates::{ConsentPolicy, SwitchMode, Wake},
    ids::{CampaignId, SenderId, TenantId},
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// A sender, its carrier account, and the tenant's policy in force.
#[derive(Clone, PartialEq, Eq)]
pub struct SenderFacts {
    /// E.164, short code or alphanumeric id.
    pub number: String,
    /// The account's key here.
    pub account: String,
    /// The account's id at the carrier.
    pub carrier_sid: String,
    /// Where the carrier's API is.
    pub base_url: String,
    /// The account's token under the master key.
    pub sealed_token: String,
    /// Segments per second.
    pub pace: u32,
    /// False: quarantined or not registered.
    pub usable: bool,
    /// The highest version of the tenant's policy; 0 without one.
    pub policy_version: i64,
    /// Which consent that policy asks for; the strictest where it cannot be read.
    pub consent: ConsentPolicy,
}

impl std::fmt::Debug for SenderFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SenderFacts")
            .field("account", &self.account)
            .field("pace", &self.pace)
            .field("usable", &self.usable)
            .field("policy_version", &self.policy_version)
            .finish_non_exhaustive()
    }
}

/// Reads senders in the order of the keys; none where the tenant has no such sender.
///
/// # Errors
/// An outage.
pub async fn senders(
    tx: &mut Scoped,
    keys: &[(TenantId, SenderId)],
) -> Result<Vec<Option<SenderFacts>>, Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let senders: Vec<Uuid> = keys.iter().map(|key| key.1.0).collect();
    let rows = sqlx::query!(
        r#"select k.at as "at!", s.number, s.account, s.pace, s.usable,
                  a.carrier_sid, a.base_url, a.sealed_token,
                  coalesce(p.version, 0) as "policy_version!",
                  p.body -> 'require_consent' is distinct from 'false'::jsonb as "require_consent!",
                  p.body -> 'consent' as consent
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, sender_id, at)
           join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
           left join lateral (
               select v.version, v.body from policies v where v.tenant_id = k.tenant_id
               order by v.version desc limit 1
           ) p on true"#,
        &tenants as _,
        &senders,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let mut found = vec![None; keys.len()];
    for row in rows {
        found[crate::core::keyed::index(row.at)] = Some(SenderFacts {
            number: row.number,
            account: row.account,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
            pace: row.pace.unsigned_abs(),
            usable: row.usable,
            policy_version: row.policy_version,
            consent: consent(row.require_consent, row.consent),
        });
    }
    Ok(found)
}

/// What a stored policy says about consent.
fn consent(required: bool, rules: Option<serde_json::Value>) -> ConsentPolicy {
    match (required, rules) {
        (false, _) => ConsentPolicy::NOTHING,
        (true, None) => ConsentPolicy::default(),
        (true, Some(rules)) => serde_json::from_value(rules).unwrap_or(ConsentPolicy::STRICTEST),
    }
}

/// What a switch stands over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SwitchKey {
    /// Everybody.
    Platform,
    /// One tenant.
    Tenant(TenantId),
    /// One campaign.
    Campaign(TenantId, CampaignId),
    /// One sender.
    Sender(TenantId, SenderId),
}

impl SwitchKey {
    /// What messages wait for, and its key in `parked.cause_key`.
    pub fn wake(&self) -> Wake {
        match self {
            Self::Platform => Wake::Platform,
            Self::Tenant(_) => Wake::Tenant,
            Self::Campaign(_, id) => Wake::Campaign(*id),
            Self::Sender(_, id) => Wake::Sender(*id),
        }
    }

    fn parts(&self) -> Option<(&TenantId, &'static str, String, Option<Uuid>)> {
        match self {
            Self::Platform => None,
            Self::Tenant(tenant) => Some((tenant, "tenant", String::new(), None)),
            Self::Campaign(tenant, id) => Some((tenant, "campaign", id.to_string(), Some(id.0))),
            Self::Sender(tenant, id) => Some((tenant, "sender", id.to_string(), None)),
        }
    }
}

/// Those of these switches, and the platform's, that are not on. A campaign is also off by its own
/// state. They are locked for share: whoever turns one on waits for this transaction, and then
/// wakes what it has held.
///
/// # Errors
/// An outage.
pub async fn switches(
    tx: &mut Scoped,
    keys: &[SwitchKey],
) -> Result<HashMap<SwitchKey, SwitchMode>, Fault> {
    let (mut tenants, mut scopes) = (Vec::new(), Vec::new());
    let (mut targets, mut campaigns) = (Vec::new(), Vec::new());
    let asked: Vec<&SwitchKey> = keys.iter().filter(|key| key.parts().is_some()).collect();
    for (tenant, scope, target, campaign) in asked.iter().filter_map(|key| key.parts()) {
        tenants.push(tenant.as_str());
        scopes.push(scope);
        targets.push(target);
        campaigns.push(campaign);
    }
    let rows = sqlx::query!(
        r#"with k as (
               select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
               with ordinality as k (tenant_id, scope, target, campaign_id, at)
           ), off as (
               select k.at, w.mode
               from k join switches w on w.tenant_id = k.tenant_id and w.scope = k.scope
                                     and w.target = k.target
               for share of w
           ), stopped as (
               select k.at, c.state
               from k join campaigns c on c.tenant_id = k.tenant_id
                                      and c.campaign_id = k.campaign_id
               where c.state in ('paused', 'stopped')
               for share of c
           )
           select 0::bigint as "at!", coalesce(p.mode, 'stopped') as "mode!"
           from platform_mode() as p (mode) where p.mode is distinct from 'on'
           union all select at, mode from off
           union all select at, state from stopped"#,
        &tenants as _,
        &scopes as _,
        &targets,
        &campaigns as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let mut off = HashMap::new();
    for row in rows {
        let key = match row.at {
            0 => SwitchKey::Platform,
            at => asked[crate::core::keyed::index(at)].clone(),
        };
        // A mode that is not known stops: fail closed. A stop outlasts a pause.
        let mode = SwitchMode::from_name(&row.mode).unwrap_or(SwitchMode::Stopped);
        let known: &mut SwitchMode = off.entry(key).or_default();
        *known = mode.max(*known);
    }
    Ok(off)
}
