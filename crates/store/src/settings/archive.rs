//! Archiving a company: nobody works for it, and nothing of it or of its twin is sent, until an
//! operator restores it. What carriers say is taken as ever: an opt-out counts whoever it reaches.
//!
//! What is parked, and what is under way, ends blocked (`tenant_archived`): nothing that was
//! meant for another day goes out after a restore. Its campaigns are paused, and stay so then.

use domain::{
    gates::SwitchMode,
    ids::{CampaignId, TenantId},
};
use jiff::Timestamp;
use serde_json::json;
use stage::Fault;

use super::{
    switches::{self, Switch, SwitchScope},
    tenants,
};
use crate::{
    Scoped,
    audit::{self, AuditEntry},
    campaigns::{self, CampaignAct, CampaignState},
    fault,
    parked::wake::{self, Way, What},
};

/// Why the company's switch is stopped, for processes from before there were archived companies.
const ARCHIVED: &str = "the company is archived";

/// Archives a company and its twin, which the transaction sees both. `by` is who does so, as the
/// audit trail names them. Answers how many campaigns are paused; none where there is no such
/// company, or it is archived already.
pub async fn archive(
    tx: &mut Scoped,
    tenant: &TenantId,
    by: &str,
    now: Timestamp,
) -> Result<Option<usize>, Fault> {
    // load
    let Some(found) = tenants::lock(tx, tenant).await? else { return Ok(None) };
    if found.archived_at.is_some() {
        return Ok(None);
    }
    let twin = tenants::lock(tx, &tenant.twin()).await?;

    // record
    let mut paused = Vec::new();
    for one in [Some(&found), twin.as_ref()].into_iter().flatten() {
        tenants::set_archived(tx, &one.id, Some(now)).await?;
        stop(tx, &one.id, now).await?;
        paused.extend(pause_campaigns(tx, &one.id, now).await?);
    }
    let campaigns = paused.len();
    let detail = json!({ "campaigns_paused": paused });
    note(tx, tenant, ("tenant.archived", by), detail, now).await?;
    Ok(Some(campaigns))
}

/// Restores a company that was archived, and its twin: what is sent from then on goes out. False
/// where there is no such company, or it is not archived.
pub async fn restore(
    tx: &mut Scoped,
    tenant: &TenantId,
    by: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    // load
    let found = tenants::lock(tx, tenant).await?.filter(|found| found.archived_at.is_some());
    let Some(found) = found else { return Ok(false) };
    let twin = tenants::lock(tx, &tenant.twin()).await?;

    // record: a switch that was off before stays as it was
    for one in [Some(&found), twin.as_ref()].into_iter().flatten() {
        tenants::set_archived(tx, &one.id, None).await?;
        switches::clear(tx, &one.id, SwitchScope::Tenant, "", Some(ARCHIVED)).await?;
        wake::cancel(tx, &one.id, &What::Everything).await?;
    }
    let detail = json!({ "archived_at": found.archived_at });
    note(tx, tenant, ("tenant.restored", by), detail, now).await?;
    Ok(true)
}

/// Stops what is under way, also in stages that know of switches alone, and brings back what is
/// parked to be blocked.
async fn stop(tx: &mut Scoped, tenant: &TenantId, now: Timestamp) -> Result<(), Fault> {
    let switch = Switch {
        scope: SwitchScope::Tenant,
        target: String::new(),
        mode: SwitchMode::Stopped,
        reason: ARCHIVED.to_owned(),
        changed_at: now,
    };
    switches::set_if_on(tx, tenant, &switch).await?;
    wake::wake(tx, tenant, &What::Everything, Way::Ending).await
}

/// Pauses the campaigns that feed. Answers which.
async fn pause_campaigns(
    tx: &mut Scoped,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<Vec<CampaignId>, Fault> {
    let ids = sqlx::query_scalar!(
        "select campaign_id from campaigns
         where tenant_id = $1 and state in ('starting', 'running') order by campaign_id",
        tenant.as_str()
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut paused = Vec::new();
    for id in ids.into_iter().map(CampaignId) {
        let found = campaigns::get(tx, tenant, id, true).await?;
        let feeds = |state| matches!(state, CampaignState::Starting | CampaignState::Running);
        let Some(campaign) = found.filter(|found| feeds(found.state)) else { continue };

        let to = CampaignState::Paused;
        campaigns::act(tx, tenant, &campaign, CampaignAct::Pause, to, now).await?;
        let switch = Switch {
            scope: SwitchScope::Campaign,
            target: id.to_string(),
            mode: SwitchMode::Paused,
            reason: campaigns::PAUSED.to_owned(),
            changed_at: now,
        };
        switches::set_if_on(tx, tenant, &switch).await?;
        paused.push(id);
    }
    Ok(paused)
}

async fn note(
    tx: &mut Scoped,
    tenant: &TenantId,
    (action, by): (&str, &str),
    detail: serde_json::Value,
    now: Timestamp,
) -> Result<(), Fault> {
    let entry = AuditEntry {
        tenant: tenant.clone(),
        at: now,
        actor: by.to_owned(),
        action: action.to_owned(),
        subject: format!("tenant:{tenant}"),
        detail,
    };
    audit::append(tx, &[entry]).await
}
