//! What senders have carried, by the day in UTC: segments and what they cost. Rollup adds what it
//! folds, corrections included; numbers show what theirs come to.

use std::collections::BTreeMap;

use domain::{
    ids::{SenderId, TenantId},
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, fault};

/// A sender's day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CarriedDay {
    /// The tenant that owns the sender.
    pub tenant: TenantId,
    /// The sender that carried it.
    pub sender: SenderId,
    /// Business time at which the day starts, in UTC.
    pub day_start: Timestamp,
}

/// What the messages of a day come to, or what it moves by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Segments that the carrier took.
    pub segments: i64,
    /// What these cost.
    pub cost: Micros,
}

/// Adds to days. A day that is written takes those of its sender with it that are more than 33 days
/// older.
pub async fn add(tx: &mut Scoped, days: &BTreeMap<CarriedDay, Carried>) -> Result<(), Fault> {
    if days.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = days.keys().map(|day| day.tenant.as_str()).collect();
    let senders: Vec<sqlx::types::Uuid> = days.keys().map(|day| day.sender.0).collect();
    let starts: Vec<jiff_sqlx::Timestamp> =
        days.keys().map(|day| day.day_start.to_sqlx()).collect();

    sqlx::query!(
        "insert into sender_days as d (tenant_id, sender_id, day_start, segments, cost_micros)
         select k.tenant_id, k.sender_id, k.day_start, k.segments, k.cost
         from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[])
           as k (tenant_id, sender_id, day_start, segments, cost)
         order by 1, 2, 3
         on conflict (tenant_id, sender_id, day_start) do update
         set segments = d.segments + excluded.segments,
             cost_micros = d.cost_micros + excluded.cost_micros",
        &tenants as _,
        &senders,
        &starts as _,
        &days.values().map(|carried| carried.segments).collect::<Vec<_>>(),
        &days.values().map(|carried| carried.cost.0).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from sender_days d
         using unnest($1::text[], $2::uuid[], $3::timestamptz[])
               as k (tenant_id, sender_id, day_start)
         where d.tenant_id = k.tenant_id and d.sender_id = k.sender_id
           and d.day_start < k.day_start - interval '33 days'",
        &tenants as _,
        &senders,
        &starts as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
