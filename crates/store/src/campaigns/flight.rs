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

use super::{
    audience::RunningCampaign,
    settled::{CHUNK, SettledChunks},
};
use crate::{Scoped, core::state_codes::codes, fault};

/// What a campaign has in the pipe: published, and neither parked, nor at the carrier, nor final.
/// What waits for its sender's pace counts as in the pipe.
/// Also how far from the start everything is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// Messages in the pipe.
    pub messages: i64,
    /// Whether recipients are not final yet, among those published.
    pub is_open: bool,
    /// The lowest recipient that may not be final; the cursor when all are.
    pub lowest_open: i64,
    /// How many recipients were looked at for this.
    pub looked_at: i64,
    /// Chunks that are settled now: nobody looks at them again.
    pub settled: SettledChunks,
}

/// What a look at a campaign's recipients finds.
struct Look {
    looked_at: i64,
    pipe: i64,
    open: bool,
    lowest: Option<i64>,
    ended: String,
    handed_over: String,
}

/// Counts a campaign's messages in flight, in chunks that are not settled. Of those that are handed
/// over the lowest is looked at: while it is open, so is the campaign. What is open is
/// `MessageState::is_final_with` in SQL; so is a message whose state only a newer version knows.
pub async fn in_flight(tx: &mut Scoped, campaign: &RunningCampaign) -> Result<InFlight, Fault> {
    let look = look(tx, campaign).await?;
    let reopened = campaign.settled.reopened;
    Ok(InFlight {
        messages: look.pipe,
        is_open: look.open,
        lowest_open: look.lowest.unwrap_or(campaign.cursor),
        looked_at: look.looked_at,
        settled: SettledChunks { ended: look.ended, handed_over: look.handed_over, reopened },
    })
}

async fn look(tx: &mut Scoped, campaign: &RunningCampaign) -> Result<Look, Fault> {
    let (in_pipe, is_final) = (codes(MessageState::is_in_pipe), codes(MessageState::is_final));

    sqlx::query_as!(
        Look,
        r#"with known as (
               select $11::text::int8multirange as ended,
                      $12::text::int8multirange * int8multirange(int8range($3, null))
                          as handed_over
           ), parts as materialized (
               select k.ended, k.handed_over - int8multirange(int8range(l.first, l.first + $13))
                          as later
               from known k
               cross join lateral (select lower(k.handed_over) / $13 * $13 as first) l
           ), spans as materialized (
               select unnest(int8multirange(int8range($3, $4)) - ended - later) as span from parts
           ), chunks as materialized (
               select int8range(r.seq / $13 * $13, (r.seq / $13 + 1) * $13) as chunk,
                      (r.seq / $13 + 1) * $13 <= $4 as is_whole, count(*) as looked_at,
                      count(*) filter (where m.state is null or m.state = any ($5)
                                          or m.state = $9 and m.code = $10) as pipe,
                      count(*) filter (where o.open and m.state is distinct from $7) as waits,
                      count(*) filter (where o.open) as open,
                      min(r.seq) filter (where o.open) as lowest
               from spans s
               cross join lateral (
                   select * from campaign_recipients c
                   where c.tenant_id = $1 and c.campaign_id = $2
                     and c.seq >= lower(s.span) and c.seq < upper(s.span) offset 0
               ) r
               left join lateral (
                   select * from messages n
                   where n.tenant_id = r.tenant_id and n.message_id = r.message_id limit 1
               ) m on true
               cross join lateral (
                   select m.state is null or m.state <> all ($6)
                       and (m.state <> $7 or m.code is distinct from $8) as open
               ) o
               group by r.seq / $13
           ), found as (
               select coalesce(sum(c.looked_at), 0)::bigint as looked_at, min(c.lowest) as lowest,
                      coalesce(sum(c.pipe), 0)::bigint as pipe, sum(c.open) > 0 as open,
                      range_agg(c.chunk) filter (where c.is_whole and c.open = 0) as ended,
                      range_agg(c.chunk) filter (where c.is_whole and c.open > 0 and c.waits = 0)
                          as handed_over
               from chunks c
           )
           select f.looked_at as "looked_at!", f.pipe as "pipe!",
                  f.open is true or not isempty(p.later) as "open!",
                  least(f.lowest, lower(p.later)) as lowest,
                  (p.ended + coalesce(f.ended, '{}'))::text as "ended!",
                  (p.later + coalesce(f.handed_over, '{}'))::text as "handed_over!"
           from found f cross join parts p"#,
        campaign.tenant.as_str(),
        campaign.id.0,
        campaign.settled_below,
        campaign.cursor,
        &in_pipe,
        &is_final,
        MessageState::Sent.code(),
        NO_RECEIPT,
        MessageState::Deferred.code(),
        PACE_CODE,
        campaign.settled.ended,
        campaign.settled.handed_over,
        CHUNK,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
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
