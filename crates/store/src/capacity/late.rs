//! What counters learn late: a receipt says of a message that the carrier has it, when it was taken
//! for unsent before. What it had reserved was given back, and is taken again; a place that it
//! waits for in its sender's meter is given back. And a receipt says what a message is billed as:
//! budgets hold that in place of the estimate.

use std::collections::BTreeMap;

use domain::{
    address::Address,
    gates::{CounterKey, CounterKind, Reserved, Windows, reservation},
    ids::{CampaignId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    money::Micros,
    zones::Zone,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{counters, release};
use crate::{
    Scoped,
    core::keyed::{in_lock_order, index},
    fault,
};

/// A message that its carrier has, and what the counters do not know of it yet.
#[derive(Debug, Clone, PartialEq)]
pub struct LateEvidence {
    /// The tenant that owns the message.
    pub tenant: TenantId,
    /// The message's class.
    pub class: MessageClass,
    /// The message's campaign.
    pub campaign: Option<CampaignId>,
    /// Its sender; none where its row names none any more.
    pub sender: Option<SenderId>,
    /// The segments of the message.
    pub segments: u16,
    /// What it costs.
    pub cost: Micros,
    /// The person's address.
    pub address: Address,
    /// The channel that it travels on.
    pub channel: Channel,
    /// The time of the evidence: what is taken is taken for then.
    pub at: Timestamp,
    /// Whether it has nothing reserved, and takes it again.
    pub takes: bool,
    /// Whether it has a place in its sender's meter, and leaves it.
    pub leaves: bool,
    /// Whether it has its cost reserved since `at`, and `cost` is what its price comes to beyond:
    /// budgets take that, or give it back where it is below zero.
    pub corrects: bool,
}

/// Locks what [`record`] will change, in the order of the gates: recipient statuses, counters. The
/// messages are locked next.
pub async fn lock(tx: &mut Scoped, late: &[LateEvidence]) -> Result<(), Fault> {
    if late.is_empty() {
        return Ok(());
    }
    let changes = changes(tx, late).await?;
    let marketed: Vec<_> =
        marketing(late).map(|one| (&one.tenant, &one.address, one.channel)).collect();
    release::lock_marketed(tx, &marketed).await?;
    counters::lock(tx, &changes.into_keys().collect::<Vec<_>>()).await.map(drop)
}

/// Takes budgets, quotas and the sender's day again, counts marketing in the recipients' statuses,
/// and gives back places in meters. The caller writes into the messages' rows that they have it
/// reserved, so that nothing is taken twice.
pub async fn record(tx: &mut Scoped, late: &[LateEvidence]) -> Result<(), Fault> {
    if late.is_empty() {
        return Ok(());
    }
    let changes = changes(tx, late).await?;
    market(tx, late).await?;
    counters::lock(tx, &changes.keys().cloned().collect::<Vec<_>>()).await?;
    counters::add(tx, &changes.into_iter().collect::<Vec<_>>()).await
}

/// What is added to each counter, in key order.
async fn changes(
    tx: &mut Scoped,
    late: &[LateEvidence],
) -> Result<BTreeMap<CounterKey, i64>, Fault> {
    let mut changes = BTreeMap::new();
    for (one, zones) in late.iter().zip(zones(tx, late).await?) {
        let Some((tenant_zone, sender_zone)) = zones else {
            tracing::error!(tenant = %one.tenant, "nothing is taken without a readable zone");
            continue;
        };
        for (key, amount) in one.amounts(tenant_zone, sender_zone) {
            *changes.entry(key).or_default() += amount;
        }
    }
    Ok(changes)
}

impl LateEvidence {
    fn amounts(&self, tenant_zone: Zone, sender_zone: Option<Zone>) -> Vec<(CounterKey, i64)> {
        let what = Reserved {
            tenant: &self.tenant,
            class: self.class,
            campaign: self.campaign,
            // Without a sender nothing of a sender's is counted below.
            sender: self.sender.unwrap_or(SenderId(Uuid::nil())),
            cost: self.cost,
            segments: self.segments,
        };
        let windows = Windows::at(self.at, tenant_zone);
        let sender_day = sender_zone.map(|zone| Windows::at(self.at, zone).day_start);

        let all = reservation(&what, &windows, sender_day.unwrap_or(windows.day_start));
        let changed = all.into_iter().filter_map(|(key, amount)| match key.kind {
            CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => {
                (self.leaves && self.sender.is_some()).then_some((key, -amount))
            }
            CounterKind::SenderDay => (self.takes && sender_day.is_some()).then_some((key, amount)),
            CounterKind::QuotaMinute | CounterKind::QuotaHour | CounterKind::QuotaDay => {
                self.takes.then_some((key, amount))
            }
            CounterKind::SpendDay
            | CounterKind::SpendMonth
            | CounterKind::CampaignDay
            | CounterKind::CampaignMonth => (self.takes || self.corrects).then_some((key, amount)),
        });
        changed.collect()
    }
}

/// The zones of the tenants and of the senders.
async fn zones(
    tx: &mut Scoped,
    late: &[LateEvidence],
) -> Result<Vec<Option<(Zone, Option<Zone>)>>, Fault> {
    let senders: Vec<Option<Uuid>> =
        late.iter().map(|one| one.sender.map(|sender| sender.0)).collect();
    let rows = sqlx::query!(
        r#"select k.at as "at!", t.time_zone as "tenant_zone!",
                  s.time_zone as "sender_zone?"
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, sender_id, at)
           join tenants t on t.tenant_id = k.tenant_id
           left join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id"#,
        &late.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &senders as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut zones = vec![None; late.len()];
    for row in rows {
        let of_sender = row.sender_zone.and_then(|zone| Zone::parse(&zone).ok());
        zones[index(row.at)] = Zone::parse(&row.tenant_zone).ok().map(|zone| (zone, of_sender));
    }
    Ok(zones)
}

/// The marketing that counts for its person again.
fn marketing(late: &[LateEvidence]) -> impl Iterator<Item = &LateEvidence> {
    late.iter().filter(|one| one.takes && one.class.is_marketing())
}

/// Counts marketing in the recipients' statuses: the latest ten, and the last promotion, which may
/// be a later one by now.
async fn market(tx: &mut Scoped, late: &[LateEvidence]) -> Result<(), Fault> {
    let marketing: Vec<&LateEvidence> = marketing(late).collect();
    if marketing.is_empty() {
        return Ok(());
    }
    let marketing = in_lock_order(&marketing, |one| (&one.tenant, &one.address, one.channel));
    let promos = marketing.iter().map(|one| one.class == MessageClass::Promo);

    sqlx::query!(
        "with k as (
             select tenant_id, number, channel, array_agg(at) as times,
                    max(at) filter (where promo) as promo_at
             from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bool[])
                  as u (tenant_id, number, channel, at, promo)
             group by tenant_id, number, channel
         )
         update standings s
         set marketing_at = array(select at from unnest(s.marketing_at || k.times) as u (at)
                                  order by at desc limit 10),
             last_promo_at = greatest(s.last_promo_at, k.promo_at)
         from k
         where s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel",
        &marketing.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|one| one.at.to_sqlx()).collect::<Vec<_>>() as _,
        &promos.collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
