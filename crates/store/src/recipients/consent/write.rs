//! Changes of consent as they are written: the lines of the ledger, the recipients' statuses, what
//! is parked, the audit trail. Each at its own address alone.

use std::collections::HashSet;

use domain::{
    address::Address,
    gates::{Basis, Stops},
    ids::TenantId,
    message::class::Channel,
};
use jiff::Timestamp;
use sqlx::types::Json;
use stage::Fault;

use super::{
    change::{ConsentChange, StatusChange},
    ledger::{self, overtaken},
};
use crate::{
    Scoped,
    audit::{self, AuditEntry},
    fault,
    parked::park,
};

/// Records changes at their own addresses alone, whose statuses are locked.
pub(super) async fn write(
    tx: &mut Scoped,
    now: Timestamp,
    changes: &[ConsentChange],
) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }

    let new = ledger::write(tx, now, changes).await?;
    let new: Vec<&ConsentChange> =
        changes.iter().filter(|change| new.contains(&change.consent_id)).collect();
    if new.is_empty() {
        return Ok(());
    }

    let overtaken = overtaken(tx, &new).await?;
    let in_force: Vec<&ConsentChange> =
        new.iter().filter(|change| !overtaken.contains(&change.consent_id)).copied().collect();
    apply(tx, &in_force).await?;

    let stopped: HashSet<(&TenantId, &Address, Channel)> = new
        .iter()
        .filter(|change| change.action.stops())
        .map(|change| (&change.tenant, &change.address, change.channel))
        .collect();
    park::wake_addresses(tx, now, &stopped.into_iter().collect::<Vec<_>>()).await?;

    let entries: Vec<AuditEntry> = new.iter().map(|change| entry(change, now)).collect();
    audit::append(tx, &entries).await
}

/// The entry of a change in the trail.
pub(super) fn entry(change: &ConsentChange, now: Timestamp) -> AuditEntry {
    let mut detail = serde_json::json!({
        "consent": change.consent_id,
        "channel": change.channel,
        "method": change.method.as_str(),
        "at": change.at,
    });
    let mut say = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            detail[name] = value.into();
        }
    };
    say("program", change.program.as_deref());
    say("stops", change.stops.map(Stops::as_str));
    say("basis", change.proof.basis.map(Basis::as_str));
    say("source", change.source.as_deref());

    AuditEntry {
        tenant: change.tenant.clone(),
        at: now,
        actor: change.recorded_by.clone(),
        action: change.action.audited().to_owned(),
        subject: format!("number:{}", change.address),
        detail,
    }
}

/// Makes the recipient statuses that are missing, and locks all of them in key order.
pub(super) async fn lock(
    tx: &mut Scoped,
    keys: &[(&TenantId, &Address, Channel)],
) -> Result<(), Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let addresses: Vec<&str> = keys.iter().map(|key| key.1.as_str()).collect();
    let channels: Vec<&str> = keys.iter().map(|key| key.2.as_str()).collect();

    sqlx::query!(
        "insert into standings (tenant_id, number, channel)
         select distinct tenant_id, number, channel
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
         order by tenant_id, number, channel
         on conflict do nothing",
        &tenants as _,
        &addresses as _,
        &channels as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "select s.number from (
             select distinct tenant_id, number, channel
             from unnest($1::text[], $2::text[], $3::text[]) as u (tenant_id, number, channel)
             order by tenant_id, number, channel
         ) k
         cross join lateral (
             select * from standings r where r.tenant_id = k.tenant_id
                and r.number = k.number and r.channel = k.channel for update
         ) s",
        &tenants as _,
        &addresses as _,
        &channels as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Changes the recipient statuses, which are locked. The time of consent is that of the latest
/// grant; its ground and end are those of the strongest that still holds at that time.
async fn apply(tx: &mut Scoped, changes: &[&ConsentChange]) -> Result<(), Fault> {
    let said: Vec<StatusChange<'_>> = changes.iter().map(|one| StatusChange::of(one)).collect();

    sqlx::query!(
        "with said as (
             select r.*, action in ('grant', 'confirm') as grants, program is null as of_all,
                    program is null and action = 'do_not_contact' as lists
             from jsonb_to_recordset($1) as r (
                 tenant_id text, number text, channel text, action text, program text, method text,
                 source text, basis text, expires_at timestamptz, at timestamptz, stops text)
         ), folded as (
             select tenant_id, number, channel, max(at) filter (where grants) as granted_at,
                    (array_agg(basis order by at desc) filter (where grants))[1] as basis,
                    (array_agg(expires_at order by at desc) filter (where grants))[1] as expires_at,
                    min(at) filter (where action = 'revoke' and of_all) as revoked_at,
                    min(method) filter (where action = 'revoke' and of_all) as method,
                    (array_agg(action order by at desc) filter (
                        where action in ('revoke', 'restore') and of_all))[1] as last,
                    min(at) filter (where lists) as listed_at,
                    (array_agg(source order by (stops is not distinct from 'all') desc, at, source)
                        filter (where lists))[1] as reason,
                    coalesce(bool_or(lists and stops = 'all'), false) as stops_all,
                    coalesce(bool_or(action = 'allow' and of_all), false) as allowed,
                    coalesce(array_agg(program) filter (where program is not null
                        and action in ('revoke', 'do_not_contact')), '{}') as gone,
                    coalesce(array_agg(program) filter (where program is not null
                        and action in ('restore', 'allow')), '{}') as back
             from said group by tenant_id, number, channel
         )
         update standings s
         set opted_out_at = case k.last when 'revoke' then coalesce(s.opted_out_at, k.revoked_at)
                                        when 'restore' then null else s.opted_out_at end,
             opt_out_cause = case when k.last = 'revoke' and s.opted_out_at is null then k.method
                                  when k.last = 'restore' then null else s.opt_out_cause end,
             do_not_contact_at = case when k.allowed then null
                                      else coalesce(s.do_not_contact_at, k.listed_at) end,
             do_not_contact_reason = case when k.allowed then null
                 when s.do_not_contact_at is null or n.widens then k.reason
                 else s.do_not_contact_reason end,
             do_not_contact_stops = case when k.allowed then null when k.stops_all then 'all'
                 when k.listed_at is not null then coalesce(s.do_not_contact_stops, 'marketing')
                 else s.do_not_contact_stops end,
             stopped_programs = array(
                 select p from unnest(
                     case when k.last = 'restore' then k.gone
                          else s.stopped_programs || k.gone end) as p
                 where p <> all (k.back) or p = any (k.gone) group by p order by p),
             marketing_consent_at = greatest(s.marketing_consent_at, k.granted_at),
             consent_basis = case when n.replaces then k.basis else s.consent_basis end,
             consent_expires_at = case when n.replaces then k.expires_at
                                       else s.consent_expires_at end
         from folded k
         cross join lateral (
             select k.granted_at is not null and (
                 o.marketing_consent_at is null or o.consent_expires_at <= k.granted_at
                 or coalesce(array_position(array['implied', 'soft_opt_in', 'express',
                                                  'express_written'], k.basis), 0)
                    >= coalesce(array_position(array['implied', 'soft_opt_in', 'express',
                                                     'express_written'], o.consent_basis), 0)
             ) as replaces, k.stops_all and o.do_not_contact_stops is distinct from 'all' as widens
             from standings o where o.tenant_id = k.tenant_id and o.number = k.number
                and o.channel = k.channel
         ) n
         where s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel",
        Json(said) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
