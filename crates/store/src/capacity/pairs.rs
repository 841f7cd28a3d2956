//! Pace rows of pairs: how soon a sender may write to one person again, on channels whose carrier
//! limits that. Database time. Call under the locks of the senders' pace rows: they are what makes
//! two claims of one sender go one after the other, so that nobody waits for a row of these.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use domain::ids::{ContactId, SenderId, TenantId};
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed, fault};

/// A sender and a person whom it writes to.
pub type PacedPair = (TenantId, SenderId, ContactId);

/// When each of these pairs may have its next message; those without a row may have it now.
///
/// # Errors
/// An outage.
pub async fn next_free(
    tx: &mut Scoped,
    pairs: &BTreeSet<PacedPair>,
) -> Result<HashMap<PacedPair, Timestamp>, Fault> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }

    let (tenants, senders, contacts) = columns(pairs.iter());
    let rows = sqlx::query!(
        "select p.tenant_id, p.sender_id, p.contact_id, p.next_free
         from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, sender_id, contact_id)
         join pair_pace p on p.tenant_id = k.tenant_id and p.sender_id = k.sender_id
                         and p.contact_id = k.contact_id",
        &tenants as _,
        &senders,
        &contacts,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let free = rows.into_iter().map(|row| {
        let tenant = keyed::tenant(&row.tenant_id);
        let pair = (tenant, SenderId(row.sender_id), ContactId(row.contact_id));
        (pair, row.next_free.to_jiff())
    });
    Ok(free.collect())
}

/// Notes that these pairs have a message now, and may have the next one after `interval`. Removes
/// the rows of their senders whose time is over.
///
/// # Errors
/// An outage.
pub async fn take(
    tx: &mut Scoped,
    pairs: &BTreeSet<PacedPair>,
    interval: Duration,
) -> Result<(), Fault> {
    let (tenants, senders, contacts) = columns(pairs.iter());
    sqlx::query!(
        "delete from pair_pace p
         using (select distinct tenant_id, sender_id
                from unnest($1::text[], $2::uuid[]) as u (tenant_id, sender_id)) k
         where p.tenant_id = k.tenant_id and p.sender_id = k.sender_id
           and p.next_free < clock_timestamp()",
        &tenants as _,
        &senders,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into pair_pace as p (tenant_id, sender_id, contact_id, next_free)
         select tenant_id, sender_id, contact_id, clock_timestamp() + make_interval(secs => $4)
         from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, sender_id, contact_id)
         order by 1, 2, 3
         on conflict (tenant_id, sender_id, contact_id)
         do update set next_free = greatest(p.next_free, excluded.next_free)",
        &tenants as _,
        &senders,
        &contacts,
        interval.as_secs_f64(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

fn columns<'a>(pairs: impl Iterator<Item = &'a PacedPair>) -> (Vec<&'a str>, Vec<Uuid>, Vec<Uuid>) {
    let (mut tenants, mut senders, mut contacts) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, sender, contact) in pairs {
        tenants.push(tenant.as_str());
        senders.push(sender.0);
        contacts.push(contact.0);
    }
    (tenants, senders, contacts)
}
