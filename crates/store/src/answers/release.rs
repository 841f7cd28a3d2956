//! What the gates reserved goes back to the counters when a message leaves the pipe unsent, and is
//! corrected when the carrier bills other segments than were estimated.

use std::collections::BTreeMap;

use domain::{
    class::{Channel, MessageClass},
    gates::counters::{CounterKey, CounterKind, Reserved, Windows, reservation},
    ids::{CampaignId, SenderId, TenantId},
    money::Micros,
    zones::Zone,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use pipeline::Fault;
use sqlx::types::Uuid;

use super::row::StoredMessage;
use crate::{Scoped, claims::place, counters, fault};

/// A change of what a message has reserved.
#[derive(Debug, Clone)]
pub struct Reservation<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Its class.
    pub class: MessageClass,
    /// Its campaign.
    pub campaign: Option<CampaignId>,
    /// The sender that the gates chose.
    pub sender: SenderId,
    /// When they reserved.
    pub reserved_at: Timestamp,
    /// The cost to give back; negative where more was spent than estimated.
    pub cost: Micros,
    /// The person, where the message itself is given back and no longer counts as sent to them;
    /// none where only its cost is corrected.
    pub unsent: Option<(&'a str, Channel)>,
}

impl<'a> Reservation<'a> {
    /// The whole reservation of a message. None for a row without a sender: it was never admitted.
    pub fn whole(
        message: &'a StoredMessage,
        reserved_at: Timestamp,
        number: &'a str,
        channel: Channel,
    ) -> Option<Self> {
        Some(Self {
            tenant: &message.tenant,
            class: message.class,
            campaign: message.campaign,
            sender: message.sender?,
            reserved_at,
            cost: message.cost,
            unsent: Some((number, channel)),
        })
    }
}

/// Gives reservations back: lowers counters in key order, and forgets marketing that was not sent.
///
/// # Errors
/// An outage.
pub async fn release(tx: &mut Scoped, freed: &[Reservation<'_>]) -> Result<(), Fault> {
    let zones = zones(tx, freed).await?;
    let mut lower: BTreeMap<CounterKey, i64> = BTreeMap::new();
    for (one, zones) in freed.iter().zip(zones) {
        let Some((tenant_zone, sender_zone)) = zones else {
            // The gates cannot have admitted under zones that do not parse; nothing to give back.
            tracing::error!(tenant = %one.tenant, "a reservation without readable zones stays");
            continue;
        };
        let what = Reserved {
            tenant: one.tenant,
            class: one.class,
            campaign: one.campaign,
            sender: one.sender,
            cost: one.cost,
        };
        let windows = Windows::at(one.reserved_at, tenant_zone);
        let sender_day = Windows::at(one.reserved_at, sender_zone).day;
        let amounts = reservation(&what, &windows, sender_day).into_iter();
        for (key, amount) in amounts.filter(|(key, _)| one.unsent.is_some() || is_spend(key.kind)) {
            *lower.entry(key).or_default() -= amount;
        }
    }
    // Standings before counters, as the gates lock them.
    forget_marketing(tx, freed).await?;
    let keys: Vec<CounterKey> = lower.keys().cloned().collect();
    counters::lock(tx, &keys).await?;
    counters::add(tx, &lower.into_iter().collect::<Vec<_>>()).await
}

/// Whether a counter counts money, which a correction of the cost moves.
fn is_spend(kind: CounterKind) -> bool {
    match kind {
        CounterKind::SpendDay | CounterKind::SpendMonth => true,
        CounterKind::CampaignDay | CounterKind::CampaignMonth => true,
        CounterKind::QuotaMinute | CounterKind::QuotaHour | CounterKind::QuotaDay => false,
        CounterKind::SenderDay => false,
    }
}

async fn zones(
    tx: &mut Scoped,
    freed: &[Reservation<'_>],
) -> Result<Vec<Option<(Zone, Zone)>>, Fault> {
    let tenants: Vec<&str> = freed.iter().map(|one| one.tenant.as_str()).collect();
    let senders: Vec<Uuid> = freed.iter().map(|one| one.sender.0).collect();
    let rows = sqlx::query!(
        r#"select k.at as "at!", t.time_zone as tenant_zone, s.time_zone as sender_zone
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, sender_id, at)
           join tenants t on t.tenant_id = k.tenant_id
           join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id"#,
        &tenants as _,
        &senders,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let mut zones = vec![None; freed.len()];
    for row in rows {
        let both = Zone::parse(&row.tenant_zone).ok().zip(Zone::parse(&row.sender_zone).ok());
        zones[place(row.at)] = both;
    }
    Ok(zones)
}

/// Takes an admission out of what a contact has been sent. A promotion is admitted only when the
/// one before it no longer counts, so nothing that counts is forgotten with it.
async fn forget_marketing(tx: &mut Scoped, freed: &[Reservation<'_>]) -> Result<(), Fault> {
    let marketing: Vec<_> = freed
        .iter()
        .filter(|one| one.class.is_marketing())
        .filter_map(|one| one.unsent.map(|(number, channel)| (one, number, channel)))
        .collect();
    if marketing.is_empty() {
        return Ok(());
    }
    let times = marketing.iter().map(|(one, ..)| one.reserved_at.to_sqlx());
    sqlx::query!(
        "with k as (
             select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
             as k (tenant_id, number, channel, at)
         ), locked as (
             select s.tenant_id, s.number, s.channel, k.at
             from k join standings s on s.tenant_id = k.tenant_id and s.number = k.number
                                    and s.channel = k.channel
             order by s.tenant_id, s.number, s.channel
             for update of s
         )
         update standings s
         set marketing_at = case when p.one is null then s.marketing_at
                                 else s.marketing_at[:p.one - 1] || s.marketing_at[p.one + 1:] end,
             last_promo_at = nullif(s.last_promo_at, l.at)
         from locked l
         cross join lateral (
             select array_position(n.marketing_at, l.at) as one from standings n
             where n.tenant_id = l.tenant_id and n.number = l.number and n.channel = l.channel
         ) p
         where s.tenant_id = l.tenant_id and s.number = l.number and s.channel = l.channel",
        &marketing.iter().map(|(one, ..)| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(_, number, _)| *number).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(.., channel)| channel.as_str()).collect::<Vec<_>>() as _,
        &times.collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
