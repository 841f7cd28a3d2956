//! What the gates reserved goes back to the counters when a message leaves the pipe unsent, and is
//! corrected when the carrier bills other segments than were estimated.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    address::Address,
    gates::{CounterKey, CounterKind, LineKey, Reserved, Windows, reservation},
    ids::{CampaignId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    money::Micros,
    zones::Zone,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, capacity::counters, core::keyed::index, fault, messages::row::StoredMessage,
    parked::park,
};

/// A change of what a message has reserved.
#[derive(Debug, Clone)]
pub struct Reservation<'a> {
    /// The tenant that owns the message.
    pub tenant: &'a TenantId,
    /// The message's class.
    pub class: MessageClass,
    /// The message's campaign.
    pub campaign: Option<CampaignId>,
    /// The sender that the gates chose.
    pub sender: SenderId,
    /// When they reserved; none where nothing but a place in the sender's meter is held.
    pub reserved_at: Option<Timestamp>,
    /// The segments of the message as the gates counted them.
    pub segments: u16,
    /// Whether it was claimed in this turn, and so has left its sender's meter.
    pub claimed: bool,
    /// The cost to give back; negative where more was spent than estimated.
    pub cost: Micros,
    /// The person, where the message itself is given back and no longer counts as sent to them;
    /// none where only its cost is corrected.
    pub unsent: Option<(&'a Address, Channel)>,
    /// Whether the message is over: one that is tried again takes its place in the line itself.
    pub over: bool,
}

impl<'a> Reservation<'a> {
    /// The whole reservation of a message that was claimed, or not. None where it holds none: its
    /// row has no sender, or it was claimed and had nothing reserved.
    pub fn whole(
        message: &'a StoredMessage,
        reserved_at: Option<Timestamp>,
        claimed: bool,
        (address, channel): (&'a Address, Channel),
    ) -> Option<Self> {
        if reserved_at.is_none() && claimed {
            return None;
        }
        Some(Self {
            tenant: &message.tenant,
            class: message.class,
            campaign: message.campaign,
            sender: message.sender?,
            reserved_at,
            segments: message.segments,
            claimed,
            cost: message.cost,
            unsent: Some((address, channel)),
            over: message.state.is_final(),
        })
    }
}

impl Reservation<'_> {
    /// What is to be taken from each counter.
    fn amounts(&self, tenant_zone: Zone, sender_zone: Zone) -> Vec<(CounterKey, i64)> {
        let what = Reserved {
            tenant: self.tenant,
            class: self.class,
            campaign: self.campaign,
            sender: self.sender,
            cost: self.cost,
            segments: self.segments,
        };
        // Without a reservation there is only the meter, which knows no windows.
        let at = self.reserved_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let windows = Windows::at(at, tenant_zone);
        let sender_day_start = Windows::at(at, sender_zone).day_start;

        let mut amounts = reservation(&what, &windows, sender_day_start);
        amounts.retain(|(key, _)| match key.kind.meter_lane() {
            Some(_) => self.unsent.is_some() && !self.claimed,
            None => self.reserved_at.is_some() && (self.unsent.is_some() || key.kind.is_spend()),
        });
        amounts
    }
}

/// Locks what giving these back will change, in the order in which the gates lock it: recipient
/// statuses, then counters. For whoever locks the messages next.
pub(crate) async fn lock(tx: &mut Scoped, freed: &[Reservation<'_>]) -> Result<(), Fault> {
    let zones = zones(tx, freed).await?;
    let known = freed.iter().zip(zones).filter_map(|(one, zones)| Some((one, zones?)));
    let amounts = known.flat_map(|(one, (tenant, sender))| one.amounts(tenant, sender));
    let keys: BTreeSet<CounterKey> = amounts.map(|(key, _)| key).collect();

    let marketing = freed.iter().filter(|one| one.class.is_marketing());
    let marketed: Vec<_> = marketing
        .filter_map(|one| one.unsent.map(|(address, channel)| (one.tenant, address, channel)))
        .collect();
    lock_marketed(tx, &marketed).await?;
    counters::lock(tx, &keys.into_iter().collect::<Vec<_>>()).await.map(drop)
}

/// Locks the statuses of people whose marketing is counted anew, in key order.
pub(super) async fn lock_marketed(
    tx: &mut Scoped,
    marketing: &[(&TenantId, &Address, Channel)],
) -> Result<(), Fault> {
    if marketing.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "select s.tenant_id
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
         join standings s on s.tenant_id = k.tenant_id and s.number = k.number
                         and s.channel = k.channel
         order by s.tenant_id, s.number, s.channel
         for update of s",
        &marketing.iter().map(|(tenant, ..)| tenant.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(_, address, _)| address.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(.., channel)| channel.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Gives reservations back: lowers counters in key order, and forgets marketing that was not sent.
/// For each unit of a capacity that is free again while its window lasts, one message that stands
/// in line for it goes back to the gates; a quota of a minute or an hour opens again by itself.
pub async fn release(
    tx: &mut Scoped,
    now: Timestamp,
    freed: &[Reservation<'_>],
) -> Result<(), Fault> {
    let zones = zones(tx, freed).await?;

    let mut lower: BTreeMap<CounterKey, i64> = BTreeMap::new();
    let mut room: BTreeMap<(&TenantId, LineKey), i64> = BTreeMap::new();
    for (one, zones) in freed.iter().zip(zones) {
        let Some((tenant_zone, sender_zone)) = zones else {
            // The gates cannot have admitted under zones that do not parse; nothing to give back.
            tracing::error!(tenant = %one.tenant, "a reservation without readable zones stays");
            continue;
        };
        for (key, amount) in one.amounts(tenant_zone, sender_zone) {
            if one.over && one.unsent.is_some() && is_open(&key, now, tenant_zone, sender_zone) {
                let line = LineKey { kind: key.kind, target: key.target };
                *room.entry((one.tenant, line)).or_default() += 1;
            }
            *lower.entry(key).or_default() -= amount;
        }
    }

    // Recipient statuses before counters, as the gates lock them.
    forget_marketing(tx, freed).await?;
    let keys: Vec<CounterKey> = lower.keys().cloned().collect();
    counters::lock(tx, &keys).await?;
    counters::add(tx, &lower.into_iter().collect::<Vec<_>>()).await?;
    park::admit_more(tx, now, &room.into_iter().collect::<Vec<_>>()).await
}

/// Whether the window of a counter lasts, and somebody may still use what becomes free of it.
fn is_open(key: &CounterKey, now: Timestamp, tenant: Zone, sender: Zone) -> bool {
    let current = match key.kind {
        CounterKind::QuotaMinute | CounterKind::QuotaHour => return false,
        CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => return false,
        CounterKind::SenderDay => Windows::at(now, sender).day_start,
        CounterKind::QuotaDay | CounterKind::SpendDay | CounterKind::CampaignDay => {
            Windows::at(now, tenant).day_start
        }
        CounterKind::SpendMonth | CounterKind::CampaignMonth => {
            Windows::at(now, tenant).month_start
        }
    };
    key.window_start == current
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
        zones[index(row.at)] = both;
    }
    Ok(zones)
}

/// Takes an admission out of what a contact has been sent. A promotion is admitted only when the
/// one before it no longer counts, so nothing that counts is forgotten with it.
async fn forget_marketing(tx: &mut Scoped, freed: &[Reservation<'_>]) -> Result<(), Fault> {
    let marketing: Vec<_> = freed
        .iter()
        .filter(|one| one.class.is_marketing())
        .filter_map(|one| {
            let (address, channel) = one.unsent?;
            Some((one, one.reserved_at?, address, channel))
        })
        .collect();
    if marketing.is_empty() {
        return Ok(());
    }
    let times = marketing.iter().map(|(_, reserved_at, ..)| reserved_at.to_sqlx());
    let promos = marketing.iter().map(|(one, ..)| one.class == MessageClass::Promo);

    sqlx::query!(
        "with k as (
             select tenant_id, number, channel, array_agg(at) as times,
                    coalesce(array_agg(at) filter (where promo), '{}') as promos
             from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bool[])
                  as u (tenant_id, number, channel, at, promo)
             group by tenant_id, number, channel
         ), locked as (
             select s.tenant_id, s.number, s.channel, k.times, k.promos
             from k join standings s on s.tenant_id = k.tenant_id and s.number = k.number
                                    and s.channel = k.channel
             order by s.tenant_id, s.number, s.channel
             for update of s
         )
         update standings s
         set marketing_at = array(
                 select m.at
                 from (select at, place, row_number() over (partition by at order by place) as nth
                       from unnest(s.marketing_at) with ordinality as u (at, place)) m
                 where m.nth > (select count(*) from unnest(l.times) as t (at) where t.at = m.at)
                 order by m.place),
             last_promo_at = case when s.last_promo_at <> all (l.promos) then s.last_promo_at end
         from locked l
         where s.tenant_id = l.tenant_id and s.number = l.number and s.channel = l.channel",
        &marketing.iter().map(|(one, ..)| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(.., address, _)| address.as_str()).collect::<Vec<_>>() as _,
        &marketing.iter().map(|(.., channel)| channel.as_str()).collect::<Vec<_>>() as _,
        &times.collect::<Vec<_>>() as _,
        &promos.collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
