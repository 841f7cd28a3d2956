//! What settles prices that carriers report: the rates of each tenant as they were when a message
//! was admitted, and the service messages of numbers in a month, of which so many are free.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    billing::WhatsappRates,
    ids::{SenderId, TenantId},
    zones::Zone,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::{self, index},
        words::document,
    },
    fault,
};

/// The rates that hold for a message, and the zone of its tenant.
#[derive(Debug, Clone)]
pub struct RatesAt {
    /// What messages cost.
    pub rates: Arc<WhatsappRates>,
    /// Whose days and months count; none where the tenant's zone is not known.
    pub zone: Option<Zone>,
}

/// A month of a number, by its beginning in the zone of its tenant.
pub type NumberMonth = (TenantId, SenderId, Timestamp);

/// The rates of tenants at these times, in their order; none where there is no such tenant.
pub async fn rates(
    tx: &mut Scoped,
    asked: &[(&TenantId, Timestamp)],
) -> Result<Vec<Option<RatesAt>>, Fault> {
    let rows = sqlx::query!(
        r#"with found as (
               select k.tenant_id, v.version, array_agg(k.at) as places
               from unnest($1::text[], $2::timestamptz[]) with ordinality
                    as k (tenant_id, since, at)
               left join lateral (
                   select r.version from whatsapp_rates r
                   where r.tenant_id = k.tenant_id and r.valid_from <= k.since
                   order by r.valid_from desc, r.version desc limit 1
               ) v on true
               group by k.tenant_id, v.version
           )
           select f.places as "places!", t.time_zone as "time_zone!", r.body as "body?"
           from found f
           join tenants t on t.tenant_id = f.tenant_id
           left join whatsapp_rates r on r.tenant_id = f.tenant_id and r.version = f.version"#,
        &asked.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>() as _,
        &asked.iter().map(|(_, at)| at.to_sqlx()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; asked.len()];
    for row in rows {
        let rates = row.body.map(|body| document(body, "body")).transpose()?;
        let zone = Zone::parse(&row.time_zone).ok();
        let of_group = RatesAt { rates: Arc::new(rates.unwrap_or_default()), zone };
        for place in row.places {
            found[index(place)] = Some(of_group.clone());
        }
    }
    Ok(found)
}

/// How many service messages numbers have had in months, locked until the transaction ends: two
/// batches do not both give the last free one away. A month that is written takes those of its
/// number with it that are more than a year older.
pub async fn lock_used(
    tx: &mut Scoped,
    months: &[NumberMonth],
) -> Result<BTreeMap<NumberMonth, u32>, Fault> {
    if months.is_empty() {
        return Ok(BTreeMap::new());
    }
    let months = keyed::in_lock_order(months, |month| (&month.0, month.1, month.2));
    let tenants: Vec<&str> = months.iter().map(|month| month.0.as_str()).collect();
    let senders: Vec<sqlx::types::Uuid> = months.iter().map(|month| month.1.0).collect();
    let starts: Vec<jiff_sqlx::Timestamp> = months.iter().map(|month| month.2.to_sqlx()).collect();

    sqlx::query!(
        "insert into free_service_messages (tenant_id, sender_id, month_start, used)
         select distinct k.tenant_id, k.sender_id, k.month_start, 0
         from unnest($1::text[], $2::uuid[], $3::timestamptz[])
              as k (tenant_id, sender_id, month_start)
         order by 1, 2, 3
         on conflict do nothing",
        &tenants as _,
        &senders,
        &starts as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let rows = sqlx::query!(
        "select f.tenant_id, f.sender_id, f.month_start, f.used
         from unnest($1::text[], $2::uuid[], $3::timestamptz[])
              as k (tenant_id, sender_id, month_start)
         join free_service_messages f
           on f.tenant_id = k.tenant_id and f.sender_id = k.sender_id
          and f.month_start = k.month_start
         order by f.tenant_id, f.sender_id, f.month_start
         for update of f",
        &tenants as _,
        &senders,
        &starts as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "delete from free_service_messages f
         using unnest($1::text[], $2::uuid[], $3::timestamptz[])
               as k (tenant_id, sender_id, month_start)
         where f.tenant_id = k.tenant_id and f.sender_id = k.sender_id
           and f.month_start < k.month_start - interval '400 days'",
        &tenants as _,
        &senders,
        &starts as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let used = rows.into_iter().map(|row| {
        let month = (keyed::tenant(&row.tenant_id), SenderId(row.sender_id));
        ((month.0, month.1, row.month_start.to_jiff()), row.used.unsigned_abs())
    });
    Ok(used.collect())
}

/// Adds to the service messages of months that [`lock_used`] has locked.
pub async fn add_used(tx: &mut Scoped, by: &BTreeMap<NumberMonth, i32>) -> Result<(), Fault> {
    if by.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update free_service_messages f set used = greatest(f.used + k.by, 0)
         from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::int[])
              as k (tenant_id, sender_id, month_start, by)
         where f.tenant_id = k.tenant_id and f.sender_id = k.sender_id
           and f.month_start = k.month_start",
        &by.keys().map(|month| month.0.as_str()).collect::<Vec<_>>() as _,
        &by.keys().map(|month| month.1.0).collect::<Vec<_>>(),
        &by.keys().map(|month| month.2.to_sqlx()).collect::<Vec<_>>() as _,
        &by.values().copied().collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
