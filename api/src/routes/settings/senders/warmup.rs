//! How far senders are in their warm-up: what they may carry today, and have carried.

use domain::{
    gates::{CounterKey, Policy, SenderFacts, Windows, capacity::sender_day::SenderDay},
    health::SenderHealth,
    ids::TenantId,
    zones::Zone,
};
use jiff::Timestamp;
use serde::Serialize;
use stage::Fault;
use store::{Scoped, capacity::counters, settings::senders::Sender};
use utoipa::ToSchema;

/// What a sender may carry today, and has carried.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SenderWarmup)]
pub(crate) struct Warmup {
    /// Which day of the policy's curve it is, from 1; null once the sender is past it.
    #[schema(required)]
    day: Option<u32>,
    /// How many messages fit today.
    limit_today: u32,
    /// How many messages are admitted today.
    used: i64,
}

/// The days of these senders, in their order; none for one whose zone this version does not know.
pub(crate) async fn warmups(
    tx: &mut Scoped,
    tenant: &TenantId,
    policy: &Policy,
    now: Timestamp,
    senders: &[Sender],
) -> Result<Vec<Option<Warmup>>, Fault> {
    let days: Vec<Option<(SenderDay, CounterKey)>> =
        senders.iter().map(|sender| day(tenant, policy, now, sender)).collect();
    let keys: Vec<CounterKey> = days.iter().flatten().map(|(_, key)| key.clone()).collect();
    let mut used = counters::peek(tx, &keys).await?.into_iter();

    let warmup = |day: Option<(SenderDay, CounterKey)>| {
        let (day, _) = day?;
        let used = used.next().unwrap_or_default();
        Some(Warmup { day: day.warmup_day, limit_today: day.cap, used })
    };
    Ok(days.into_iter().map(warmup).collect())
}

fn day(
    tenant: &TenantId,
    policy: &Policy,
    now: Timestamp,
    sender: &Sender,
) -> Option<(SenderDay, CounterKey)> {
    let facts = SenderFacts {
        id: sender.id,
        number: sender.number.clone(),
        account: sender.account.clone(),
        channel: sender.channel,
        country: sender.country.parse().ok(),
        zone: Zone::parse(&sender.time_zone).ok()?,
        pace: u32::try_from(sender.pace).unwrap_or_default(),
        active_since: sender.active_since,
        daily_cap: u32::try_from(sender.daily_cap).unwrap_or_default(),
        usable: sender.usable,
        health: SenderHealth::default(),
        account_is_held: false,
        weight: 1,
    };

    let day = SenderDay::of(&facts, policy, now, &Windows::at(now, facts.zone));
    let key = day.key(tenant, &facts);
    Some((day, key))
}
