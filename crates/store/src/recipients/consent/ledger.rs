//! The consent ledger itself: lines are added and read, never changed.

use std::collections::HashSet;

use domain::{
    address::Address,
    gates::{Basis, Stops},
    ids::TenantId,
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::{Json, Uuid};
use stage::Fault;

use super::change::{Action, ConsentChange, ConsentMethod};
use crate::{
    Scoped,
    core::words::{optional, word, words},
    fault,
};

/// The status of an address before a line, in one word: that of the function `stood` (0021).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorStatus {
    /// The person had said stop.
    OptedOut,
    /// It was on the do-not-contact list.
    DoNotContact,
    /// The person had left programs, and not everything.
    ProgramStopped,
    /// The person had consented to marketing.
    Consented,
    /// Nothing was known of the address.
    Unknown,
}

impl PriorStatus {
    /// Every status, in the order in which one hides the next.
    pub const ALL: [Self; 5] =
        [Self::OptedOut, Self::DoNotContact, Self::ProgramStopped, Self::Consented, Self::Unknown];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::DoNotContact => "do_not_contact",
            Self::ProgramStopped => "program_stopped",
            Self::Consented => "consented",
            Self::Unknown => "none",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

words! { PriorStatus = "status before a consent" }

domain::described_words! {
    PriorStatus, "The status of a number before a line of its ledger, in one word. The first that \
        was true is named.";
}

/// One line as it is stored. Holds personal data: `Debug` shows the id alone.
#[derive(Clone, PartialEq)]
pub struct ConsentLine {
    /// The line's own id.
    pub id: Uuid,
    /// The person's address, as the line has it.
    pub address: String,
    /// The channel group that it is about.
    pub channel: Channel,
    /// What was done.
    pub action: Action,
    /// The program that it is about; none: everything of the tenant.
    pub program: Option<String>,
    /// What an entry of the do-not-contact list stops.
    pub stops: Option<Stops>,
    /// The legal ground of the consent.
    pub basis: Option<Basis>,
    /// When the consent ends; none: it does not end.
    pub expires_at: Option<Timestamp>,
    /// How it was captured.
    pub method: ConsentMethod,
    /// ISO 639-1, of the person or the words.
    pub language: Option<String>,
    /// List, form or vendor; for do-not-contact the reason.
    pub source: Option<String>,
    /// The words that the person agreed to.
    pub disclosure: Option<String>,
    /// SHA-256 of these words.
    pub disclosure_hash: Option<Vec<u8>>,
    /// The page on which the words were.
    pub page_url: Option<String>,
    /// The address that the person agreed from.
    pub ip: Option<String>,
    /// The browser or device that was used.
    pub user_agent: Option<String>,
    /// The form of the signature: a name typed, a box ticked, ink.
    pub signature: Option<String>,
    /// The text by which they said so.
    pub inbound_id: Option<Uuid>,
    /// Of a double opt-in: what was asked and confirmed.
    pub message_ids: Vec<Uuid>,
    /// A vendor's id of the recorded act.
    pub certificate: Option<String>,
    /// Where else it can be looked up.
    pub evidence: Value,
    /// The status of the address before this line.
    pub previous: Option<PriorStatus>,
    /// Business time at which it was said.
    pub at: Timestamp,
    /// Business time at which it was written here.
    pub recorded_at: Option<Timestamp>,
    /// Who wrote it.
    pub recorded_by: String,
}

impl std::fmt::Debug for ConsentLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({} {})", self.action.as_str(), self.id)
    }
}

/// Adds lines, each with the status that its address had before. Answers those that are new.
pub(super) async fn write(
    tx: &mut Scoped,
    now: Timestamp,
    changes: &[ConsentChange],
) -> Result<HashSet<Uuid>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"insert into consents (tenant_id, consent_id, number, channel, action, program, stops,
                                method, language, source, basis, expires_at, disclosure,
                                disclosure_hash, page_url, ip, user_agent, signature,
                                inbound_id, message_ids, certificate, evidence, previous, at,
                                recorded_at, recorded_by)
           select r.tenant_id, r.consent_id, r.number, r.channel, r.action, r.program, r.stops,
                  r.method, r.language, r.source, r.basis, r.expires_at, r.disclosure,
                  sha256(convert_to(r.disclosure, 'UTF8')), r.page_url, r.ip, r.user_agent,
                  r.signature, r.inbound_id, coalesce(r.message_ids, '{}'), r.certificate,
                  coalesce(r.evidence, '{}'), stood(s), r.at, $2, r.recorded_by
           from jsonb_to_recordset($1) as r (
               tenant_id text, consent_id uuid, number text, channel text, action text,
               program text, stops text, method text, language text, source text, basis text,
               expires_at timestamptz, disclosure text, page_url text, ip text, user_agent text,
               signature text, inbound_id uuid, message_ids uuid[], certificate text,
               evidence jsonb, at timestamptz, recorded_by text)
           join standings s on s.tenant_id = r.tenant_id and s.number = r.number
                           and s.channel = r.channel
           on conflict do nothing
           returning consent_id"#,
        Json(changes) as _,
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().collect())
}

/// Answers which of these changes are restorations that a later revocation overrules, be it of
/// everything or of their program: they were written late, and change nothing.
pub async fn overtaken(
    tx: &mut Scoped,
    changes: &[&ConsentChange],
) -> Result<HashSet<Uuid>, Fault> {
    let restored: Vec<&&ConsentChange> =
        changes.iter().filter(|change| change.action == Action::Restore).collect();
    if restored.is_empty() {
        return Ok(HashSet::new());
    }

    let rows = sqlx::query_scalar!(
        r#"select k.consent_id as "consent_id!"
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[],
                       $6::timestamptz[]) as k (tenant_id, consent_id, number, channel, program, at)
           where exists (
               select from consents c where c.tenant_id = k.tenant_id and c.number = k.number
                  and c.channel = k.channel and c.action = 'revoke' and c.at > k.at
                  and (c.program is null or k.program is null or c.program = k.program))"#,
        &restored.iter().map(|change| change.tenant.as_str()).collect::<Vec<_>>() as _,
        &restored.iter().map(|change| change.consent_id).collect::<Vec<_>>(),
        &restored.iter().map(|change| change.address.as_str()).collect::<Vec<_>>() as _,
        &restored.iter().map(|change| change.channel.as_str()).collect::<Vec<_>>() as _,
        &restored.iter().map(|change| change.program.as_deref()).collect::<Vec<_>>() as _,
        &restored.iter().map(|change| change.at.to_sqlx()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().collect())
}

/// The lines of addresses before a time and id, the latest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    addresses: &[Address],
    before: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<ConsentLine>, Fault> {
    let rows = sqlx::query!(
        "select c.consent_id, c.number, c.channel, c.action, c.program, c.stops, c.basis,
                c.expires_at, c.method, c.language, c.source, c.disclosure, c.disclosure_hash,
                c.page_url, c.ip, c.user_agent, c.signature, c.inbound_id, c.message_ids,
                c.certificate, c.evidence, c.previous, c.at, c.recorded_at, c.recorded_by
         from unnest($2::text[]) as k (number)
         cross join lateral (
             select * from consents n
             where n.tenant_id = $1 and n.number = k.number
               and ($3::timestamptz is null or (n.at, n.consent_id) < ($3, $4::uuid))
             order by n.at desc, n.consent_id desc limit $5
         ) c
         order by c.at desc, c.consent_id desc limit $5",
        tenant.as_str(),
        &addresses.iter().map(Address::as_str).collect::<Vec<_>>() as _,
        before.map(|(at, _)| at.to_sqlx()) as _,
        before.map(|(_, id)| id),
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let line = rows.into_iter().map(|row| {
        Ok(ConsentLine {
            id: row.consent_id,
            address: row.number,
            channel: word(&row.channel)?,
            action: word(&row.action)?,
            program: row.program,
            stops: optional(row.stops.as_deref())?,
            basis: optional(row.basis.as_deref())?,
            expires_at: row.expires_at.map(|at| at.to_jiff()),
            method: word(&row.method)?,
            language: row.language,
            source: row.source,
            disclosure: row.disclosure,
            disclosure_hash: row.disclosure_hash,
            page_url: row.page_url,
            ip: row.ip,
            user_agent: row.user_agent,
            signature: row.signature,
            inbound_id: row.inbound_id,
            message_ids: row.message_ids,
            certificate: row.certificate,
            evidence: row.evidence,
            previous: optional(row.previous.as_deref())?,
            at: row.at.to_jiff(),
            recorded_at: row.recorded_at.map(|at| at.to_jiff()),
            recorded_by: row.recorded_by,
        })
    });
    line.collect()
}
