//! Where each number stands, read, or read and locked.

use std::collections::BTreeSet;

use domain::{
    class::Channel,
    gates::{Basis, Facts, Standing},
    ids::TenantId,
    phone::PhoneNumber,
};
use stage::Fault;

use crate::{
    Scoped,
    facts::{Standings, Wanted},
    fault,
};

type NumberKey<'a> = (&'a TenantId, PhoneNumber, Channel);

/// The numbers to be locked, and those to be read only.
fn numbers<'a>(
    wanted: &[Wanted<'a>],
    how: Standings,
) -> (BTreeSet<NumberKey<'a>>, BTreeSet<NumberKey<'a>>) {
    let (mut locked, mut read) = (BTreeSet::new(), BTreeSet::new());
    for one in wanted {
        let lock = how == Standings::Lock && one.class.is_marketing();
        let keys = if lock { &mut locked } else { &mut read };
        keys.insert((one.tenant, one.number, one.channel));
    }
    read.retain(|key| !locked.contains(key));
    (locked, read)
}

/// Loads where the numbers of a batch stand.
pub(crate) async fn load(
    tx: &mut Scoped,
    facts: &mut Facts,
    wanted: &[Wanted<'_>],
    how: Standings,
) -> Result<(), Fault> {
    let (locked, read) = numbers(wanted, how);
    macro_rules! load {
        ($keys:ident, $sql:literal) => {
            if !$keys.is_empty() {
                let tenants: Vec<&str> = $keys.iter().map(|key| key.0.as_str()).collect();
                let numbers: Vec<&str> = $keys.iter().map(|key| key.1.as_str()).collect();
                let channels: Vec<&str> = $keys.iter().map(|key| key.2.as_str()).collect();
                let rows = sqlx::query!($sql, &tenants as _, &numbers as _, &channels as _)
                    .fetch_all(&mut **tx)
                    .await
                    .map_err(fault)?;
                let keys: Vec<_> = $keys.iter().collect();
                for row in rows {
                    let (tenant, number, channel) = keys[crate::core::keyed::index(row.at)];
                    let marketing = row.marketing_at.into_iter().map(|at| at.to_jiff());
                    let standing = Standing {
                        opted_out_at: row.opted_out_at.map(|at| at.to_jiff()),
                        do_not_contact_at: row.do_not_contact_at.map(|at| at.to_jiff()),
                        marketing_consent_at: row.marketing_consent_at.map(|at| at.to_jiff()),
                        consent_basis: row.consent_basis.as_deref().and_then(Basis::from_name),
                        consent_expires_at: row.consent_expires_at.map(|at| at.to_jiff()),
                        stopped_programs: row.stopped_programs,
                        last_promo_at: row.last_promo_at.map(|at| at.to_jiff()),
                        marketing_at: marketing.collect(),
                        last_inbound_at: row.last_inbound_at.map(|at| at.to_jiff()),
                    };
                    facts.standings.insert(((*tenant).clone(), *number, *channel), standing);
                }
            }
        };
    }
    // The inner select is kept apart by its limit: one look into the key's index for each number.
    load!(
        read,
        r#"select k.at as "at!", s.opted_out_at, s.do_not_contact_at, s.marketing_consent_at,
                  s.consent_basis, s.consent_expires_at, s.stopped_programs, s.last_promo_at,
                  s.marketing_at, s.last_inbound_at
           from unnest($1::text[], $2::text[], $3::text[])
                with ordinality as k (tenant_id, number, channel, at)
           cross join lateral (
               select * from standings r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel limit 1
           ) s"#
    );
    load!(
        locked,
        r#"select k.at as "at!", s.opted_out_at, s.do_not_contact_at, s.marketing_consent_at,
                  s.consent_basis, s.consent_expires_at, s.stopped_programs, s.last_promo_at,
                  s.marketing_at, s.last_inbound_at
           from (
               select * from unnest($1::text[], $2::text[], $3::text[])
               with ordinality as u (tenant_id, number, channel, at)
               order by tenant_id, number, channel
           ) k
           cross join lateral (
               select * from standings r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel for no key update
           ) s"#
    );
    Ok(())
}
