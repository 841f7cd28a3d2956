//! Recipient statuses as the gates and the claim go by them: read, or read and locked.

use std::collections::{BTreeSet, HashMap};

use domain::gates::{RecipientKey, RecipientStatus};
use stage::Fault;

use crate::{
    Scoped,
    core::{keyed::index, words::optional},
    fault,
};

/// Statuses by recipient. An address without a row is not in here.
pub type Recipients = HashMap<RecipientKey, RecipientStatus>;

/// Which columns make a status.
macro_rules! load {
    ($tx:ident, $keys:ident, $sql:literal) => {{
        let tenants: Vec<&str> = $keys.iter().map(|key| key.0.as_str()).collect();
        let addresses: Vec<&str> = $keys.iter().map(|key| key.1.as_str()).collect();
        let channels: Vec<&str> = $keys.iter().map(|key| key.2.as_str()).collect();

        let rows = sqlx::query!($sql, &tenants as _, &addresses as _, &channels as _)
            .fetch_all(&mut **$tx)
            .await
            .map_err(fault)?;

        let keys: Vec<&RecipientKey> = $keys.iter().collect();
        let mut statuses = Recipients::with_capacity(rows.len());
        for row in rows {
            let status = RecipientStatus {
                opted_out_at: row.opted_out_at.map(|at| at.to_jiff()),
                do_not_contact_at: row.do_not_contact_at.map(|at| at.to_jiff()),
                do_not_contact_stops: optional(row.do_not_contact_stops.as_deref())?,
                marketing_consent_at: row.marketing_consent_at.map(|at| at.to_jiff()),
                consent_basis: optional(row.consent_basis.as_deref())?,
                consent_expires_at: row.consent_expires_at.map(|at| at.to_jiff()),
                stopped_programs: row.stopped_programs,
                last_promo_at: row.last_promo_at.map(|at| at.to_jiff()),
                marketing_at: row.marketing_at.into_iter().map(|at| at.to_jiff()).collect(),
                last_inbound_at: row.last_inbound_at.map(|at| at.to_jiff()),
            };
            statuses.insert(keys[index(row.at)].clone(), status);
        }
        Ok(statuses)
    }};
}

/// Reads statuses, and locks nothing.
pub async fn read(tx: &mut Scoped, keys: &BTreeSet<RecipientKey>) -> Result<Recipients, Fault> {
    if keys.is_empty() {
        return Ok(Recipients::new());
    }
    // The inner select is kept apart by its limit: one look into the key's index for each address.
    load!(
        tx,
        keys,
        r#"select k.at as "at!", s.opted_out_at, s.do_not_contact_at, s.do_not_contact_stops,
                  s.marketing_consent_at, s.consent_basis, s.consent_expires_at,
                  s.stopped_programs, s.last_promo_at, s.marketing_at, s.last_inbound_at
           from unnest($1::text[], $2::text[], $3::text[])
                with ordinality as k (tenant_id, number, channel, at)
           cross join lateral (
               select * from standings r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel limit 1
           ) s"#
    )
}

/// Reads statuses, and keeps every change of them waiting until the transaction ends: an opt-out
/// that has committed is seen here, a later one comes after what this transaction decides. Two who
/// lock one status take turns: one that only shared the row could not give marketing back to it.
pub async fn lock(tx: &mut Scoped, keys: &BTreeSet<RecipientKey>) -> Result<Recipients, Fault> {
    if keys.is_empty() {
        return Ok(Recipients::new());
    }
    load!(
        tx,
        keys,
        r#"select k.at as "at!", s.opted_out_at, s.do_not_contact_at, s.do_not_contact_stops,
                  s.marketing_consent_at, s.consent_basis, s.consent_expires_at,
                  s.stopped_programs, s.last_promo_at, s.marketing_at, s.last_inbound_at
           from (
               select * from unnest($1::text[], $2::text[], $3::text[])
               with ordinality as u (tenant_id, number, channel, at)
               order by tenant_id, number, channel
           ) k
           cross join lateral (
               select * from standings r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel for no key update
           ) s"#
    )
}
