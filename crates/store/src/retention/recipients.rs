//! Recipients that never had a message: those of a campaign that was stopped before it came to
//! them. All others go with their message.

use domain::ids::{CampaignId, TenantId};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{Removed, Step};
use crate::{Store, core::words, fault};

/// A place in the key order of campaigns.
#[derive(Debug, Clone, Default)]
pub struct CampaignPlace {
    tenant: String,
    campaign: Uuid,
}

/// Removes recipients of the campaign behind a place that ended long enough ago. Answers the place
/// to go on behind: the same while the campaign may have more, none after the last campaign.
pub async fn remove(
    store: &Store,
    after: &CampaignPlace,
    step: &Step,
) -> Result<(Removed, Option<CampaignPlace>), Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", campaign_id as "campaign_id!"
           from ended_campaigns_after($1, $2, $3, 1)"#,
        after.tenant,
        after.campaign,
        (step.now - step.keep.messages).to_sqlx() as _,
    )
    .fetch_optional(store.pool())
    .await
    .map_err(fault)?;

    let Some(found) = found else { return Ok((Removed::default(), None)) };
    let place = CampaignPlace { tenant: found.tenant_id, campaign: found.campaign_id };
    let Some(tenant) = words::readable(words::tenant(&place.tenant)) else {
        return Ok((Removed { rows: 0, more: true }, Some(place)));
    };

    let rows = never_fed(store, &tenant, CampaignId(place.campaign), step.rows).await?;
    let next = if rows >= step.rows.unsigned_abs() { after.clone() } else { place };
    Ok((Removed { rows, more: true }, Some(next)))
}

async fn never_fed(
    store: &Store,
    tenant: &TenantId,
    campaign: CampaignId,
    at_most: i64,
) -> Result<u64, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    let gone = sqlx::query_scalar!(
        r#"with found as (
               select r.tenant_id, r.campaign_id, r.seq
               from campaign_recipients r
               left join lateral (
                   select n.message_id from messages n
                   where n.tenant_id = r.tenant_id and n.message_id = r.message_id limit 1
               ) m on true
               where r.tenant_id = $1 and r.campaign_id = $2 and m.message_id is null
               order by r.seq limit $3 for update of r skip locked
           ), gone as (
               delete from campaign_recipients r using found f
               where r.tenant_id = f.tenant_id and r.campaign_id = f.campaign_id and r.seq = f.seq
               returning r.seq
           )
           select count(*) as "gone!" from gone"#,
        tenant.as_str(),
        campaign.0,
        at_most,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    Ok(gone.unsigned_abs())
}
