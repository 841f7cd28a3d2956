//! The addresses of a contact come apart again: each is stopped as it was before they came
//! together, unless somebody has said something of it since.

use domain::{address::Address, gates::Stops, ids::consent_at, message::class::Channel};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use stage::Fault;

use super::{
    change::{Action, ConsentChange, ConsentMethod, Proof},
    ledger,
    spread::{SpreadAct, StopsBefore},
    write::{entry, lock},
};
use crate::{Scoped, audit, core::words::word, fault};

/// Takes back what [`super::spread::over`] wrote at `since`. The ledger gets a line for each
/// address that is stopped less.
pub(crate) async fn give_back(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    since: Timestamp,
    before: &[StopsBefore],
) -> Result<(), Fault> {
    if before.is_empty() {
        return Ok(());
    }
    let parsed: Vec<(Address, &StopsBefore)> =
        before.iter().filter_map(|one| Some((one.address.parse().ok()?, one))).collect();
    let keys: Vec<_> =
        parsed.iter().map(|(address, one)| (act.tenant, address, one.channel)).collect();
    lock(tx, &keys).await?;

    // decide
    let said = said_since(tx, act, since, before).await?;
    let untouched: Vec<&(Address, &StopsBefore)> = parsed
        .iter()
        .filter(|(_, one)| !said.contains(&(one.address.clone(), one.channel)))
        .collect();
    let changes: Vec<ConsentChange> =
        untouched.iter().map(|(address, one)| line(act, address, one)).collect();

    // record
    ledger::write(tx, act.at, &changes).await?;
    for (_, one) in &untouched {
        put_back(tx, act, one).await?;
    }
    let entries: Vec<_> = changes.iter().map(|change| entry(change, act.at)).collect();
    audit::append(tx, &entries).await
}

/// The addresses of which the ledger has a line of somebody else since: stops and what lifts them.
async fn said_since(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    since: Timestamp,
    before: &[StopsBefore],
) -> Result<Vec<(String, Channel)>, Fault> {
    let rows = sqlx::query!(
        r#"select k.number as "number!", k.channel as "channel!"
           from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
           where exists (
               select from consents c where c.tenant_id = k.tenant_id and c.number = k.number
                  and c.channel = k.channel and c.action not in ('grant', 'confirm')
                  and c.recorded_at >= $4 and c.evidence ->> 'act' is distinct from $5)"#,
        &vec![act.tenant.as_str(); before.len()] as _,
        &before.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &before.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        since.to_sqlx(),
        act.id.to_string(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let said = rows.into_iter().map(|row| Ok((row.number, word(&row.channel)?)));
    said.collect()
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
