//! What is known of a campaign before it starts: how many of its audience have had a promotion so
//! lately that the gate `suppression` would stop them, and how many are about to get another one.

use domain::{ids::TenantId, message::class::MessageClass};
use jiff::Timestamp;
use store::{
    Scoped,
    campaigns::{Campaign, CampaignState, suppressed},
    settings::policies,
};

use super::view::{CampaignView, SuppressionForecast, view};
use crate::http::Problem;

/// How many people of an audience are looked at: it is read with every draft that is shown.
const LOOKED_AT: i64 = 10_000;

/// A campaign as callers read it, with the forecast while it is a draft of promotions. There is
/// none where the policy in force cannot be read: nothing is sent then.
pub(super) async fn view_with_forecast(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: Campaign,
    now: Timestamp,
) -> Result<CampaignView, Problem> {
    let is_stopped_at_times = campaign.class == MessageClass::Promo;
    if campaign.state != CampaignState::Draft || !is_stopped_at_times {
        return Ok(view(campaign));
    }

    let policies = policies::in_force(tx, &[tenant]).await?;
    let Some(policy) = policies.into_values().flatten().next() else { return Ok(view(campaign)) };
    let since = now.checked_sub(policy.suppression()).unwrap_or(Timestamp::MIN);
    let of = (&campaign.audience, campaign.channel);
    let found = suppressed::count(tx, tenant, of, since, LOOKED_AT).await?;

    let suppression = SuppressionForecast {
        days: policy.suppression_days,
        stopped: found.suppressed,
        waiting: found.waiting,
        of: found.people,
        complete: found.people < LOOKED_AT,
    };
    let mut shown = view(campaign);
    shown.suppression = Some(suppression);
    Ok(shown)
}
