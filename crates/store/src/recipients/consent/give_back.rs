//! The addresses of a contact come apart again: each is stopped as it was before they came
//! together, unless somebody has said something of it since. A stop that was said at one side is
//! not lifted by what the other has said.

use std::collections::{HashMap, HashSet};

use domain::{
    address::Address,
    gates::Stops,
    ids::{TenantId, consent_at},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use stage::Fault;

use super::{
    act::SpreadAct,
    change::{Action, ConsentChange, ConsentMethod, Proof},
    ledger,
    stops::{self, StopsBefore},
    write::{entry, lock, write},
};
use crate::{
    Scoped, audit,
    core::words::word,
    fault,
    recipients::list::{self, RecipientRow},
};

/// Takes back what [`super::spread::over`] wrote at `since`. The ledger gets a line for each
/// address that is stopped less. An address that was stopped before, and to which only the other
/// side has given texts back, is stopped again: `moved` are those of the side that goes.
pub(crate) async fn give_back(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    since: Timestamp,
    before: &[StopsBefore],
    moved: &[Address],
) -> Result<(), Fault> {
    if before.is_empty() {
        return Ok(());
    }

    // load
    let parsed: Vec<(Address, &StopsBefore)> =
        before.iter().filter_map(|one| Some((one.address.parse().ok()?, one))).collect();
    let keys: Vec<_> =
        parsed.iter().map(|(address, one)| (act.tenant, address, one.channel)).collect();
    lock(tx, &keys).await?;
    let now = statuses(tx, act.tenant, &parsed).await?;
    let lines = stops::lines_of(tx, act.tenant, before).await?;
    let said: HashSet<(&str, Channel)> = before
        .iter()
        .zip(lines)
        .filter(|(one, lines)| one.lines != *lines)
        .map(|(one, _)| (one.address.as_str(), one.channel))
        .collect();
    let lifted = lifted_by_own_side(tx, act, since, before, moved).await?;

    // decide
    let (mut untouched, mut again) = (Vec::new(), Vec::new());
    for (address, one) in &parsed {
        let key = (one.address.as_str(), one.channel);
        let Some(row) = now.get(&(address.clone(), one.channel)) else { continue };
        let is_as_before = StopsBefore { lines: one.lines, ..StopsBefore::of(row) } == **one;
        match (said.contains(&key), lifted.contains(&(one.address.clone(), one.channel))) {
            (false, _) if !is_as_before => untouched.push((address, *one)),
            (true, false) => again.extend(one.beyond(act, row)),
            (false, _) | (true, true) => {}
        }
    }
    let changes: Vec<ConsentChange> =
        untouched.iter().map(|(address, one)| line(act, address, one)).collect();

    // record
    ledger::write(tx, act.at, &changes).await?;
    for (_, one) in &untouched {
        put_back(tx, act, one).await?;
    }
    let entries: Vec<_> = changes.iter().map(|change| entry(change, act.at)).collect();
    audit::append(tx, &entries).await?;
    write(tx, act.at, &again).await
}

/// The statuses of these addresses, which are locked.
async fn statuses(
    tx: &mut Scoped,
    tenant: &TenantId,
    of: &[(Address, &StopsBefore)],
) -> Result<HashMap<(Address, Channel), RecipientRow>, Fault> {
    let mut found = HashMap::new();
    for channel in Channel::ALL {
        let of_channel = of.iter().filter(|(_, one)| one.channel == channel);
        let addresses: Vec<Address> = of_channel.map(|(address, _)| address.clone()).collect();
        let rows = list::load(tx, tenant, &addresses, channel, false).await?;
        let keyed = rows.into_iter().filter_map(|row| Some((row.address.parse().ok()?, row)));
        found.extend(keyed.map(|(address, row)| ((address, channel), row)));
    }
    Ok(found)
}

/// How many lines of an address are looked at. With more, one that is stopped again stays so.
const MOST_LINES: i64 = 100;

/// The addresses to which texts were given back since, at an address of their own side.
async fn lifted_by_own_side(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    since: Timestamp,
    before: &[StopsBefore],
    moved: &[Address],
) -> Result<HashSet<(String, Channel)>, Fault> {
    let rows = sqlx::query!(
        r#"select c.number, c.channel, coalesce(l.number, c.number) as "said_at!"
           from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
           cross join lateral (
               select * from consents r where r.tenant_id = k.tenant_id and r.number = k.number
                  and r.channel = k.channel and r.action in ('restore', 'allow')
                  and r.recorded_at >= $4 limit $5
           ) c
           left join lateral (
               select * from consents r where r.tenant_id = k.tenant_id
                  and r.consent_id = case when c.method = 'contact'
                                          then (c.evidence ->> 'line')::uuid end
               limit 1
           ) l on true"#,
        &vec![act.tenant.as_str(); before.len()] as _,
        &before.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &before.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        since.to_sqlx(),
        MOST_LINES,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let moved: HashSet<Address> = moved.iter().cloned().map(Address::canonical).collect();
    let goes = |text: &str| {
        text.parse().is_ok_and(|address: Address| moved.contains(&address.canonical()))
    };
    let own = rows.into_iter().filter(|row| goes(&row.number) == goes(&row.said_at));
    own.map(|row| Ok((row.number, word(&row.channel)?))).collect()
}

/// The line that says of an address that its contact has come apart.
fn line(act: &SpreadAct<'_>, address: &Address, before: &StopsBefore) -> ConsentChange {
    let was_free = before.opted_out_at.is_none();
    let action = if was_free { Action::Restore } else { Action::Allow };
    let named = format!("{address} {} back", before.channel.as_str());
    ConsentChange {
        tenant: act.tenant.clone(),
        consent_id: consent_at(act.id, &named),
        address: address.clone(),
        channel: before.channel,
        action,
        program: None,
        stops: None,
        method: ConsentMethod::Contact,
        language: None,
        source: None,
        proof: Proof::default(),
        evidence: json!({ "act": act.id }),
        at: act.at,
        recorded_by: act.by.to_owned(),
    }
}

/// Gives the status of an address, which is locked, the stops that it had.
async fn put_back(tx: &mut Scoped, act: &SpreadAct<'_>, before: &StopsBefore) -> Result<(), Fault> {
    sqlx::query!(
        "update standings
         set opted_out_at = $4, opt_out_cause = $5, do_not_contact_at = $6,
             do_not_contact_reason = $7, do_not_contact_stops = $8, stopped_programs = $9
         where tenant_id = $1 and number = $2 and channel = $3",
        act.tenant.as_str(),
        before.address,
        before.channel.as_str(),
        before.opted_out_at.map(|at| at.to_sqlx()) as _,
        before.opt_out_cause.map(ConsentMethod::as_str),
        before.do_not_contact_at.map(|at| at.to_sqlx()) as _,
        before.do_not_contact_reason,
        before.do_not_contact_stops.map(Stops::as_str),
        &before.stopped_programs,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
