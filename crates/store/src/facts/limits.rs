//! What limits a tenant's messages: the caps of budgets, the lines of what waits, the meters of
//! what is admitted.

use std::collections::BTreeSet;

use domain::{
    gates::{Caps, Facts},
    ids::{CampaignId, TenantId},
    money::Micros,
};
use stage::Fault;

use crate::{
    Scoped,
    capacity::{lines, meters},
    core::{keyed, words::word},
    fault,
    settings::budgets::BudgetScope,
};

pub(super) async fn load_budgets(
    tx: &mut Scoped,
    facts: &mut Facts,
    tenants: &BTreeSet<&TenantId>,
    campaigns: &BTreeSet<(&TenantId, CampaignId)>,
) -> Result<(), Fault> {
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
    let ids = campaigns.iter().map(|key| key.1.to_string());
    let targets: Vec<String> = ids.chain([String::new()]).collect();

    let rows = sqlx::query!(
        "select tenant_id, scope, target, daily_micros, monthly_micros from budgets
         where tenant_id = any($1) and target = any($2)",
        &names as _,
        &targets,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for row in rows {
        let Some(tenant) = facts.tenants.get_mut(&keyed::tenant(&row.tenant_id)) else {
            continue;
        };
        let caps =
            Caps { daily: row.daily_micros.map(Micros), monthly: row.monthly_micros.map(Micros) };
        match (word(&row.scope)?, row.target.parse()) {
            (BudgetScope::Campaign, Ok(campaign)) => {
                tenant.campaign_caps.insert(CampaignId(campaign), caps);
            }
            (BudgetScope::Tenant, _) | (BudgetScope::Campaign, Err(_)) => tenant.caps = caps,
        }
    }
    Ok(())
}

/// Loads the lines of these tenants. The gate stage does so once it has locked the counters: until
/// then another gate may move a line on.
pub async fn lines(tx: &mut Scoped, facts: &mut Facts) -> Result<(), Fault> {
    let tenants: Vec<TenantId> = facts.tenants.keys().cloned().collect();
    for (tenant, key, next_due) in lines::of(tx, tenants.iter()).await? {
        if let Some(facts) = facts.tenants.get_mut(&tenant) {
            facts.lines.insert(key, next_due);
        }
    }
    Ok(())
}

/// Loads the meters of all senders that are loaded: for the gate stage, once it has locked the
/// counters.
pub async fn meters(tx: &mut Scoped, facts: &mut Facts) -> Result<(), Fault> {
    let mut senders = Vec::new();
    for (tenant, of) in &facts.tenants {
        senders.extend(of.senders.values().map(|sender| (tenant, sender)));
    }

    for (tenant, sender, meter) in meters::of(tx, &senders).await? {
        if let Some(of) = facts.tenants.get_mut(&tenant) {
            of.meters.insert(sender, meter);
        }
    }
    Ok(())
}
