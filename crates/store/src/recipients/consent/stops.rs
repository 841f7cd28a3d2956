//! What stops texts to an address: as it was before others came to it, and the strictest of
//! several, by which all of them are stopped.

use domain::{
    address::Address,
    gates::Stops,
    ids::{TenantId, consent_at},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stage::Fault;

use super::{
    act::SpreadAct,
    change::{Action, ConsentChange, ConsentMethod, Proof},
};
use crate::{Scoped, core::keyed::index, fault, recipients::list::RecipientRow};

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
    /// How many lines the ledger has of it since, but those of consent: with one more, somebody
    /// has said something. Times would not tell, as a stop may have waited for the act.
    #[serde(default)]
    pub lines: i64,
}

impl std::fmt::Debug for StopsBefore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StopsBefore({})", self.channel.as_str())
    }
}

impl StopsBefore {
    /// What stops texts to an address now.
    pub(super) fn of(row: &RecipientRow) -> Self {
        Self {
            address: row.address.clone(),
            channel: row.channel,
            opted_out_at: row.opted_out_at,
            opt_out_cause: row.opt_out_cause,
            do_not_contact_at: row.do_not_contact_at,
            do_not_contact_reason: row.do_not_contact_reason.clone(),
            do_not_contact_stops: row.do_not_contact_stops,
            stopped_programs: row.stopped_programs.clone(),
            lines: 0,
        }
    }

    pub(super) fn stops_anything(&self) -> bool {
        self.opted_out_at.is_some()
            || self.do_not_contact_at.is_some()
            || !self.stopped_programs.is_empty()
    }

    /// The changes by which an address is stopped as much as it was.
    pub(super) fn beyond(&self, act: &SpreadAct<'_>, row: &RecipientRow) -> Vec<ConsentChange> {
        let stops = self.do_not_contact_stops.unwrap_or_default();
        let listed =
            self.do_not_contact_at.map(|at| (stops, at, self.do_not_contact_reason.clone()));
        let programs = self.stopped_programs.clone();
        Strictest { opted_out_at: self.opted_out_at, listed, programs }.beyond(act, row)
    }
}

/// How many lines the ledger has of each of these, but those of consent.
pub(super) async fn lines_of(
    tx: &mut Scoped,
    tenant: &TenantId,
    of: &[StopsBefore],
) -> Result<Vec<i64>, Fault> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"select k.at as "at!", c.lines as "lines!"
           from unnest($1::text[], $2::text[], $3::text[])
                with ordinality as k (tenant_id, number, channel, at)
           cross join lateral (
               select count(*) as lines from consents r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel
                  and r.action not in ('grant', 'confirm')
           ) c"#,
        &vec![tenant.as_str(); of.len()] as _,
        &of.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &of.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut lines = vec![0; of.len()];
    for row in rows {
        lines[index(row.at)] = row.lines;
    }
    Ok(lines)
}

/// What stops texts to any of a contact's addresses on a channel.
pub(super) struct Strictest {
    opted_out_at: Option<Timestamp>,
    /// The widest entry of the list, the oldest of those: what it stops, since when, and why.
    listed: Option<(Stops, Timestamp, Option<String>)>,
    /// Programs that were left, with the time of this act: the status does not know theirs.
    programs: Vec<String>,
}

impl Strictest {
    pub(super) fn of(rows: &[RecipientRow]) -> Self {
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
    pub(super) fn beyond(&self, act: &SpreadAct<'_>, row: &RecipientRow) -> Vec<ConsentChange> {
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
