//! Consent, opt-outs and do-not-contact: each change is a line in the append-only ledger, changes
//! where the number stands, reaches what is parked for it, and is in the audit trail. The one place
//! that does so, whoever says it: a text, a carrier, an import or the API.

mod ledger;

use std::collections::HashSet;

use domain::{gates::Basis, ids::TenantId, message::class::Channel};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::types::{Json, Uuid};
use stage::Fault;

pub use ledger::{ConsentLine, list, overtaken};

use crate::{
    Scoped,
    audit::{self, AuditEntry},
    fault,
    parked::park,
};

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Consent to marketing. Never speaks against a stop.
    Grant,
    /// The second half of a double opt-in.
    Confirm,
    /// The person wants no more.
    Revoke,
    /// The person takes a revocation back; what was granted before it stands again.
    Restore,
    /// The tenant puts the number on its do-not-contact list.
    DoNotContact,
    /// The tenant takes it off.
    Allow,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 6] =
        [Self::Grant, Self::Confirm, Self::Revoke, Self::Restore, Self::DoNotContact, Self::Allow];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Confirm => "confirm",
            Self::Revoke => "revoke",
            Self::Restore => "restore",
            Self::DoNotContact => "do_not_contact",
            Self::Allow => "allow",
        }
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Its name in the audit trail.
    fn audited(self) -> &'static str {
        match self {
            Self::Grant => "consent.granted",
            Self::Confirm => "consent.confirmed",
            Self::Revoke => "consent.revoked",
            Self::Restore => "consent.restored",
            Self::DoNotContact => "do_not_contact.added",
            Self::Allow => "do_not_contact.removed",
        }
    }

    /// Whether messages that wait must not wait any longer.
    fn stops(self) -> bool {
        match self {
            Self::Revoke | Self::DoNotContact => true,
            Self::Grant | Self::Confirm | Self::Restore | Self::Allow => false,
        }
    }
}

/// What proves a consent, as far as it is known.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// On what ground.
    pub basis: Option<Basis>,
    /// From when on it is none.
    pub expires_at: Option<Timestamp>,
    /// The words that the person agreed to. Their SHA-256 is stored with them.
    pub disclosure: Option<String>,
    /// Where they stood.
    pub page_url: Option<String>,
    /// From where the person agreed.
    pub ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// In which form.
    pub signature: Option<String>,
    /// The text by which they said so.
    pub inbound_id: Option<Uuid>,
    /// Of a double opt-in: what was asked and confirmed.
    pub message_ids: Vec<Uuid>,
    /// A vendor's id of the recorded act.
    pub certificate: Option<String>,
}

/// A change of where a number stands, and its line in the ledger. Holds personal data: `Debug`
/// shows the id alone.
#[derive(Clone, PartialEq, Serialize)]
pub struct ConsentChange {
    /// Whose.
    #[serde(rename = "tenant_id")]
    pub tenant: TenantId,
    /// Of the line in the ledger: a change under an id that is there already changes nothing.
    pub consent_id: Uuid,
    /// E.164
    pub number: String,
    /// The channel group.
    pub channel: Channel,
    /// What it does.
    pub action: Action,
    /// The program that it is about; none: everything of the tenant. Grants have none.
    pub program: Option<String>,
    /// How it was captured: `keyword`, `carrier`, `api`, `import`, `web_form`, ...
    pub method: String,
    /// ISO 639-1, of the person or the words.
    pub language: Option<String>,
    /// List, form or vendor; for do-not-contact the reason.
    pub source: Option<String>,
    /// What proves it.
    #[serde(flatten)]
    pub proof: Proof,
    /// Where else it can be looked up: import and line, message and code.
    pub evidence: serde_json::Value,
    /// Business time at which it was said.
    pub at: Timestamp,
    /// Who wrote it here: API key, user, stage.
    pub recorded_by: String,
}

impl std::fmt::Debug for ConsentChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({} {})", self.action.as_str(), self.consent_id)
    }
}

/// Records changes: the ledger, the standings, the parked messages of who is stopped (they are due
/// at once, so that the gates block them), the audit trail. A stop that stands keeps its first time
/// and cause; a restoration that is written late does not lift a newer revocation. Locks standings
/// in key order, as the claim of send does.
///
/// # Errors
/// An outage, or a text that Postgres cannot store.
pub async fn record(
    tx: &mut Scoped,
    now: Timestamp,
    changes: &[ConsentChange],
) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    lock(tx, changes).await?;
    let new = ledger::write(tx, now, changes).await?;
    let new: Vec<&ConsentChange> =
        changes.iter().filter(|change| new.contains(&change.consent_id)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let overtaken = overtaken(tx, &new).await?;
    let recipient: Vec<&ConsentChange> =
        new.iter().filter(|change| !overtaken.contains(&change.consent_id)).copied().collect();
    apply(tx, &recipient).await?;
    let stopped: HashSet<(&TenantId, &str, Channel)> = new
        .iter()
        .filter(|change| change.action.stops())
        .map(|change| (&change.tenant, change.number.as_str(), change.channel))
        .collect();
    park::wake_numbers(tx, now, &stopped.into_iter().collect::<Vec<_>>()).await?;
    let entries: Vec<AuditEntry> = new.iter().map(|change| entry(change, now)).collect();
    audit::append(tx, &entries).await
}

fn entry(change: &ConsentChange, now: Timestamp) -> AuditEntry {
    let mut detail = serde_json::json!({
        "consent": change.consent_id,
        "channel": change.channel,
        "method": change.method,
        "at": change.at,
    });
    let mut say = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            detail[name] = value.into();
        }
    };
    say("program", change.program.as_deref());
    say("basis", change.proof.basis.map(Basis::as_str));
    say("source", change.source.as_deref());
    AuditEntry {
        tenant: change.tenant.clone(),
        at: now,
        actor: change.recorded_by.clone(),
        action: change.action.audited().to_owned(),
        subject: format!("number:{}", change.number),
        detail,
    }
}

/// Makes the standings that are missing, and locks all of them in key order.
async fn lock(tx: &mut Scoped, changes: &[ConsentChange]) -> Result<(), Fault> {
    let tenants: Vec<&str> = changes.iter().map(|change| change.tenant.as_str()).collect();
    let numbers: Vec<&str> = changes.iter().map(|change| change.number.as_str()).collect();
    let channels: Vec<&str> = changes.iter().map(|change| change.channel.as_str()).collect();
    sqlx::query!(
        "insert into standings (tenant_id, number, channel)
         select distinct tenant_id, number, channel
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
         order by tenant_id, number, channel
         on conflict do nothing",
        &tenants as _,
        &numbers as _,
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
        &numbers as _,
        &channels as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Changes the standings; they are locked. The latest grant's time stands; its ground and end are
/// those of the strongest that still holds at that time.
async fn apply(tx: &mut Scoped, changes: &[&ConsentChange]) -> Result<(), Fault> {
    sqlx::query!(
        "with said as (
             select r.* from jsonb_to_recordset($1) as r (
                 tenant_id text, number text, channel text, action text, program text, method text,
                 source text, basis text, expires_at timestamptz, at timestamptz)
         ), folded as (
             select tenant_id, number, channel,
                    max(at) filter (where action in ('grant', 'confirm')) as granted_at,
                    (array_agg(basis order by at desc)
                        filter (where action in ('grant', 'confirm')))[1] as basis,
                    (array_agg(expires_at order by at desc)
                        filter (where action in ('grant', 'confirm')))[1] as expires_at,
                    min(at) filter (where action = 'revoke' and program is null) as revoked_at,
                    min(method) filter (where action = 'revoke' and program is null) as method,
                    (array_agg(action order by at desc) filter (
                        where action in ('revoke', 'restore') and program is null))[1] as last,
                    min(at) filter (where action = 'do_not_contact' and program is null)
                        as listed_at,
                    min(source) filter (where action = 'do_not_contact' and program is null)
                        as reason,
                    coalesce(bool_or(action = 'allow' and program is null), false) as allowed,
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
                                          when s.do_not_contact_at is null then k.reason
                                          else s.do_not_contact_reason end,
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
             ) as replaces
             from standings o where o.tenant_id = k.tenant_id and o.number = k.number
                and o.channel = k.channel
         ) n
         where s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel",
        Json(changes) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
