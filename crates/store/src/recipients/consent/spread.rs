//! An opt-out is the contact's: what stops texts to one of its addresses stops them to all that the
//! channel reaches, and what lifts it lifts it for all. It is written to each address when it is
//! said, and when addresses come together; gates and claim read the status of one address, and
//! join nothing. Consent stays with the address that it was given for.

use std::collections::HashSet;

use domain::{
    address::Address,
    ids::{TenantId, consent_at},
    message::class::Channel,
};
use serde_json::json;
use stage::Fault;

use super::{
    act::SpreadAct,
    change::{Action, ConsentChange, ConsentMethod},
    stops::{self, StopsBefore, Strictest},
    write::{lock, write},
};
use crate::{Scoped, core::keyed::index, fault, recipients::list};

impl Action {
    /// Whether it holds for every address of the contact.
    fn is_of_contact(self) -> bool {
        match self {
            Self::Revoke | Self::Restore | Self::DoNotContact | Self::Allow => true,
            Self::Grant | Self::Confirm => false,
        }
    }
}

/// What these changes are to the other addresses of their contacts: a line for each.
pub(super) async fn to_contacts(
    tx: &mut Scoped,
    changes: &[ConsentChange],
) -> Result<Vec<ConsentChange>, Fault> {
    let said: Vec<&ConsentChange> =
        changes.iter().filter(|change| change.action.is_of_contact()).collect();
    if said.is_empty() {
        return Ok(Vec::new());
    }

    let own = said.iter().enumerate().map(|(i, change)| (i, change.address.clone())).collect();
    let own = with_other_forms(tx, &said, own).await?;
    // The limit keeps the inner select apart: one look into the index for each contact.
    let rows = sqlx::query!(
        r#"select k.at as "at!", o.address
           from unnest($1::text[], $2::text[], $3::text[])
                with ordinality as k (tenant_id, kind, address, at)
           cross join lateral (
               select * from contact_addresses r where r.tenant_id = k.tenant_id
                  and r.kind = k.kind and r.address = k.address limit 1
           ) a
           cross join lateral (
               select * from contact_addresses r
               where r.contact_id = a.contact_id limit $4
           ) o
           where o.tenant_id = k.tenant_id and o.kind in ('phone', 'carrier_id')
             and o.address <> k.address
           order by k.at, o.address"#,
        &own.iter().map(|(at, _)| said[*at].tenant.as_str()).collect::<Vec<_>>() as _,
        &own.iter().map(|(_, address)| address.kind().as_str()).collect::<Vec<_>>() as _,
        &own.iter().map(|(_, address)| address.as_str()).collect::<Vec<_>>() as _,
        domain::address::MAX_ADDRESSES as i64,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let others = rows.into_iter().filter_map(|row| {
        let address: Address = row.address.parse().ok()?;
        Some((own[index(row.at)].0, address))
    });
    let mut reached = with_other_forms(tx, &said, others.collect()).await?;
    reached.extend(own);
    reached.sort();
    reached.dedup();

    let spread = reached.into_iter().filter_map(|(at, address)| {
        let change = said[at];
        let is_other = address != change.address && change.channel.reaches(&address);
        is_other.then(|| at_other_address(change, address))
    });
    Ok(spread.collect())
}

/// Addresses of changes, each with the index of its change, and the other forms of them.
async fn with_other_forms(
    tx: &mut Scoped,
    said: &[&ConsentChange],
    mut of: Vec<(usize, Address)>,
) -> Result<Vec<(usize, Address)>, Fault> {
    let keys: Vec<_> =
        of.iter().map(|(at, address)| (&said[*at].tenant, address.clone())).collect();
    let forms = other_forms(tx, &keys).await?;
    let forms: Vec<_> = forms.into_iter().map(|(key, form)| (of[key].0, form)).collect();
    of.extend(forms);
    Ok(of)
}

/// The other forms of these addresses under which something is kept, each with the index of its
/// address: the canonical one always, any other that a contact or a status from before has.
async fn other_forms(
    tx: &mut Scoped,
    addresses: &[(&TenantId, Address)],
) -> Result<Vec<(usize, Address)>, Fault> {
    let forms: Vec<(usize, Address)> = addresses
        .iter()
        .enumerate()
        .flat_map(|(i, (_, address))| address.other_forms().map(move |form| (i, form)))
        .collect();
    if forms.is_empty() {
        return Ok(forms);
    }

    let known = sqlx::query_scalar!(
        r#"select k.at as "at!"
           from unnest($1::text[], $2::text[]) with ordinality as k (tenant_id, address, at)
           cross join lateral (
               (select 1 from contact_addresses r where r.tenant_id = k.tenant_id
                   and r.kind = 'phone' and r.address = k.address limit 1)
               union all
               (select 1 from standings r
                where r.tenant_id = k.tenant_id and r.number = k.address limit 1)
               limit 1
           ) a"#,
        &forms.iter().map(|(at, _)| addresses[*at].0.as_str()).collect::<Vec<_>>() as _,
        &forms.iter().map(|(_, form)| form.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let known: HashSet<usize> = known.into_iter().map(index).collect();
    let is_canonical = |form: &Address| form.clone().canonical() == *form;
    let forms = forms.into_iter().enumerate();
    let kept = forms.filter(|(key, (_, form))| known.contains(key) || is_canonical(form));
    Ok(kept.map(|(_, form)| form).collect())
}

/// What was said at one address, at another of the same contact.
fn at_other_address(change: &ConsentChange, address: Address) -> ConsentChange {
    ConsentChange {
        consent_id: consent_at(change.consent_id, address.as_str()),
        address,
        method: ConsentMethod::Contact,
        evidence: json!({ "line": change.consent_id }),
        ..change.clone()
    }
}

/// Writes to each of these addresses what stops texts to any of them: the strictest wins. They are
/// locked, all of them, so that a stop that is said meanwhile is seen here, or sees that they have
/// come together. Answers what stops any of them, as it was.
pub(crate) async fn over(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    addresses: &[Address],
) -> Result<Vec<StopsBefore>, Fault> {
    // load: the order of the locks is that of the keys, over both channels
    let named: Vec<_> = addresses.iter().map(|address| (act.tenant, address.clone())).collect();
    let forms = other_forms(tx, &named).await?.into_iter().map(|(_, form)| form);
    let mut addresses: Vec<Address> = addresses.iter().cloned().chain(forms).collect();
    addresses.sort();
    addresses.dedup();
    let keys: Vec<(&TenantId, &Address, Channel)> = addresses
        .iter()
        .flat_map(|address| Channel::ALL.map(|channel| (act.tenant, address, channel)))
        .filter(|(_, address, channel)| channel.reaches(address))
        .collect();
    lock(tx, &keys).await?;

    let (mut changes, mut before) = (Vec::new(), Vec::new());
    for channel in Channel::ALL {
        let of_channel: Vec<Address> =
            addresses.iter().filter(|address| channel.reaches(address)).cloned().collect();
        let rows = list::load(tx, act.tenant, &of_channel, channel, false).await?;

        // decide
        let strictest = Strictest::of(&rows);
        for row in &rows {
            let added = strictest.beyond(act, row);
            let is_stopped = StopsBefore::of(row).stops_anything();
            if is_stopped || !added.is_empty() {
                before.push(StopsBefore::of(row));
            }
            changes.extend(added);
        }
    }

    // record
    write(tx, act.at, &changes).await?;
    let lines = stops::lines_of(tx, act.tenant, &before).await?;
    for (one, lines) in before.iter_mut().zip(lines) {
        one.lines = lines;
    }
    Ok(before)
}
