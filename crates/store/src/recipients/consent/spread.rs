//! An opt-out is the contact's: what stops texts to one of its addresses stops them to all that the
//! channel reaches, and what lifts it lifts it for all. It is written to each address when it is
//! said, and when addresses come together; gates and claim read the status of one address, and
//! join nothing. Consent stays with the address that it was given for.

use domain::{
    address::Address,
    gates::Stops,
    ids::{TenantId, consent_at},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    change::{Action, ConsentChange, ConsentMethod, Proof},
    write::{lock, write},
};
use crate::{
    Scoped,
    core::keyed::index,
    fault,
    recipients::list::{self, RecipientRow},
};

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

    // The inner select is kept apart by its limit: one look into the index for each contact.
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
        &said.iter().map(|change| change.tenant.as_str()).collect::<Vec<_>>() as _,
        &said.iter().map(|change| change.address.kind().as_str()).collect::<Vec<_>>() as _,
        &said.iter().map(|change| change.address.as_str()).collect::<Vec<_>>() as _,
        domain::address::MAX_ADDRESSES as i64,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let spread = rows.into_iter().filter_map(|row| {
        let change = said[index(row.at)];
        let address: Address = row.address.parse().ok()?;
        change.channel.reaches(&address).then(|| at_other_address(change, address))
    });
    Ok(spread.collect())
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

/// Addresses come together in one contact.
pub struct SpreadAct<'a> {
    /// Whose contact it is.
    pub tenant: &'a TenantId,
    /// What the lines of the ledger name: the merge, or the contact that got an address.
    pub id: Uuid,
    /// Business time of the act.
    pub at: Timestamp,
    /// Who did it: API key, user, stage.
    pub by: &'a str,
}

/// What stopped texts to an address before others came to it. Travels as JSON. Holds personal data:
/// `Debug` shows the channel alone.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StopsBefore {
    /// The address that the status is of.
    pub address: String,
    /// The channel group.
    pub channel: Channel,
    /// When the person had opted out of everything.
    pub opted_out_at: Option<Timestamp>,
    /// How the opt-out was said.
    pub opt_out_cause: Option<ConsentMethod>,
    /// Since when it was on the do-not-contact list.
    pub do_not_contact_at: Option<Timestamp>,
    /// Why it is on that list.
    pub do_not_contact_reason: Option<String>,
    /// What that entry stopped.
    pub do_not_contact_stops: Option<Stops>,
    /// Programs that the person had left.
    pub stopped_programs: Vec<String>,
}

/// Writes to each of these addresses what stops texts to any of them: the strictest wins. They are
/// locked, all of them, so that a stop that is said meanwhile is seen here, or sees that they have
/// come together. Answers what was changed, as it was.
pub(crate) async fn over(
    tx: &mut Scoped,
    act: &SpreadAct<'_>,
    addresses: &[Address],
) -> Result<Vec<StopsBefore>, Fault> {
    // load: the order of the locks is that of the keys, over both channels
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
            if !added.is_empty() {
                before.push(StopsBefore::of(row));
                changes.extend(added);
            }
        }
    }

    // record
    write(tx, act.at, &changes).await?;
    Ok(before)
}

impl std::fmt::Debug for StopsBefore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StopsBefore({})", self.channel.as_str())
    }
}

impl StopsBefore {
    fn of(row: &RecipientRow) -> Self {
        Self {
            address: row.address.clone(),
            channel: row.channel,
            opted_out_at: row.opted_out_at,
            opt_out_cause: row.opt_out_cause,
            do_not_contact_at: row.do_not_contact_at,
            do_not_contact_reason: row.do_not_contact_reason.clone(),
            do_not_contact_stops: row.do_not_contact_stops,
            stopped_programs: row.stopped_programs.clone(),
        }
    }
}

/// What stops texts to any of a contact's addresses on a channel.
struct Strictest {
    opted_out_at: Option<Timestamp>,
    /// The widest entry of the list, the oldest of those: what it stops, since when, and why.
    listed: Option<(Stops, Timestamp, Option<String>)>,
    /// Programs that were left, with the time of this act: the status does not know theirs.
    programs: Vec<String>,
}

impl Strictest {
    fn of(rows: &[RecipientRow]) -> Self {
        let entries = rows.iter().filter_map(|row| {
            Some((row.stops()?, row.do_not_contact_at?, row.do_not_contact_reason.clone()))
        });
        let listed = entries.min_by_key(|(stops, at, _)| (std::cmp::Reverse(*stops), *at));
        let mut programs: Vec<String> =
            rows.iter().flat_map(|row| row.stopped_programs.iter().cloned()).collect();
        programs.sort();
        programs.dedup();

        let opted_out_at = rows.iter().filter_map(|row| row.opted_out_at).min();
        Self { opted_out_at, listed, programs }
    }

    /// The changes by which an address is stopped as much.
    fn beyond(&self, act: &SpreadAct<'_>, row: &RecipientRow) -> Vec<ConsentChange> {
        let Ok(address) = row.address.parse::<Address>() else { return Vec::new() };
        let change = |action: Action, program: Option<&str>, at: Timestamp| {
            let (channel, what) = (row.channel.as_str(), action.as_str());
            let of = program.unwrap_or("*");
            let named = format!("{address} {channel} {what} {of} {}", act.at);
            ConsentChange {
                tenant: act.tenant.clone(),
                consent_id: consent_at(act.id, &named),
                address: address.clone(),
                channel: row.channel,
                action,
                program: program.map(str::to_owned),
                stops: None,
                method: ConsentMethod::Contact,
                language: None,
                source: None,
                proof: Proof::default(),
                evidence: json!({ "act": act.id }),
                at,
                recorded_by: act.by.to_owned(),
            }
        };

        let mut changes = Vec::new();
        if let Some(at) = self.opted_out_at
            && row.opted_out_at.is_none()
        {
            changes.push(change(Action::Revoke, None, at));
        }
        if let Some((stops, at, reason)) = &self.listed
            && row.stops() < Some(*stops)
        {
            let listed = change(Action::DoNotContact, None, *at);
            changes.push(ConsentChange { stops: Some(*stops), source: reason.clone(), ..listed });
        }
        let missing = self.programs.iter().filter(|one| !row.stopped_programs.contains(one));
        let left = |program: &String| change(Action::Revoke, Some(program.as_str()), act.at);
        changes.extend(missing.map(left));
        changes
    }
}
