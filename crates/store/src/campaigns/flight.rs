//! How much of a campaign may be in the pipe: what is in it, what its senders carry, and which
//! lines it would stand in.

use domain::{
    gates::LineKey,
    ids::{SenderId, TenantId},
    zones::Zone,
};
use jiff::Timestamp;
use stage::Fault;

use super::{audience::RunningCampaign, counts};
use crate::{Scoped, fault};

/// What a campaign has in the pipe: published, and neither parked, nor at the carrier, nor final.
/// What waits for its sender's pace counts as in the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// Messages in the pipe.
    pub messages: i64,
    /// Whether recipients are not final yet, among those published.
    pub is_open: bool,
}

/// Counts a campaign's messages in flight: of those published, those that are not known to be
/// elsewhere. Some are not stored yet.
pub async fn in_flight(tx: &mut Scoped, campaign: &RunningCampaign) -> Result<InFlight, Fault> {
    let counts = counts::read(tx, &campaign.tenant, campaign.id).await?;
    let out = counts.where_state(|state| !state.is_in_pipe()) - counts.waiting_for_pace();
    Ok(InFlight {
        messages: (campaign.cursor - out).max(0),
        is_open: counts.ended() < campaign.cursor,
    })
}

/// A sender that may carry a campaign.
#[derive(Debug, Clone)]
pub struct SenderPace {
    /// The sender's id.
    pub sender: SenderId,
    /// Segments per second.
    pub pace: i64,
    /// The handle of its carrier account.
    pub account: String,
    /// Segments per second of this tenant's part of the account; none where nothing limits it.
    pub account_rate: Option<f64>,
    /// The zone that its days are counted in.
    pub zone: Zone,
}

/// The pool's usable senders on the campaign's channel.
pub async fn carriers(
    tx: &mut Scoped,
    campaign: &RunningCampaign,
) -> Result<Vec<SenderPace>, Fault> {
    let rows = sqlx::query!(
        r#"select s.sender_id, s.pace, s.time_zone, s.account,
                  account_rate(s.account, s.tenant_id, coalesce(h.weight, 1)) as "account_rate?"
           from pools p
           join senders s
             on s.tenant_id = p.tenant_id and s.sender_id = any (p.senders) and s.usable
              and s.channel = $3
           left join account_shares h on h.account = s.account and h.tenant_id = s.tenant_id
           where p.tenant_id = $1 and p.pool_id = $2"#,
        campaign.tenant.as_str(),
        campaign.pool.0,
        campaign.channel.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let carrier = rows.into_iter().filter_map(|row| {
        let zone = Zone::parse(&row.time_zone).ok()?;
        Some(SenderPace {
            sender: SenderId(row.sender_id),
            pace: row.pace.into(),
            account: row.account,
            account_rate: row.account_rate,
            zone,
        })
    });
    Ok(carrier.collect())
}

/// The tenant's zone and where its lines stand.
pub async fn lines(
    tx: &mut Scoped,
    tenant: &TenantId,
) -> Result<(Option<Zone>, Vec<(LineKey, Timestamp)>), Fault> {
    let zone =
        sqlx::query_scalar!("select time_zone from tenants where tenant_id = $1", tenant.as_str(),)
            .fetch_optional(&mut **tx)
            .await
            .map_err(fault)?;

    let lines = crate::capacity::lines::of(tx, std::iter::once(tenant)).await?;
    let lines = lines.into_iter().map(|(_, key, next_due)| (key, next_due)).collect();
    Ok((zone.and_then(|zone| Zone::parse(&zone).ok()), lines))
}
