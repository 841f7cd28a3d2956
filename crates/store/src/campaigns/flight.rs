//! How much of a campaign may be in the pipe: what is in it, what its senders carry, and which
//! lines it would stand in.

use domain::{
    gates::{LineKey, PACE_CODE},
    ids::{SenderId, TenantId},
    message::state::{MessageState, NO_RECEIPT},
    zones::Zone,
};
use jiff::Timestamp;
use stage::Fault;

use super::audience::RunningCampaign;
use crate::{Scoped, core::state_codes::codes, fault};

/// What a campaign has in the pipe: published, and neither parked, nor at the carrier, nor final.
/// What waits for its sender's pace counts as in the pipe.
/// Also how far from the start everything is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// Messages in the pipe.
    pub messages: i64,
    /// Recipients that are not final yet, among those published.
    pub open: i64,
    /// The lowest recipient that is not final; the cursor when all are.
    pub lowest_open: i64,
}

/// Counts a campaign's messages in flight. What is open is `MessageState::is_final_with` in SQL; so
/// is a message whose state only a newer version knows.
pub async fn in_flight(tx: &mut Scoped, campaign: &RunningCampaign) -> Result<InFlight, Fault> {
    let row = sqlx::query!(
        r#"select count(*) filter (where m.state is null or m.state = any ($5)
                                      or m.state = $9 and m.code = $10) as "pipe!",
                  count(*) filter (where o.open) as "open!",
                  min(r.seq) filter (where o.open) as lowest
           from campaign_recipients r
           left join lateral (
               select * from messages n
               where n.tenant_id = r.tenant_id and n.message_id = r.message_id limit 1
           ) m on true
           cross join lateral (
               select m.state is null or m.state <> all ($6)
                   and (m.state <> $7 or m.code is distinct from $8) as open
           ) o
           where r.tenant_id = $1 and r.campaign_id = $2 and r.seq >= $3 and r.seq < $4"#,
        campaign.tenant.as_str(),
        campaign.id.0,
        campaign.settled_below,
        campaign.cursor,
        &codes(MessageState::is_in_pipe),
        &codes(MessageState::is_final),
        MessageState::Sent.code(),
        NO_RECEIPT,
        MessageState::Deferred.code(),
        PACE_CODE,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    let lowest_open = row.lowest.unwrap_or(campaign.cursor);
    Ok(InFlight { messages: row.pipe, open: row.open, lowest_open })
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

/// The pool's usable senders.
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
           left join account_shares h on h.account = s.account and h.tenant_id = s.tenant_id
           where p.tenant_id = $1 and p.pool_id = $2"#,
        campaign.tenant.as_str(),
        campaign.pool.0,
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
