//! Opt-outs that a carrier tells of: a refused send or a failed receipt whose code says that the
//! person wants no more texts.

use domain::{
    class::Channel,
    ids::{ContactId, MessageId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use pipeline::Fault;
use sqlx::types::Uuid;
use wire::event::{ContactData, Event, EventKind};

use crate::{Scoped, fault};

/// One opt-out. The message that brought it to light names it: a repeat is the same opt-out.
#[derive(Debug, Clone)]
pub struct CarrierOptOut<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// The message that the carrier turned down.
    pub message: MessageId,
    /// The person.
    pub contact: ContactId,
    /// Their number.
    pub number: &'a str,
    /// The channel.
    pub channel: Channel,
    /// The carrier's code.
    pub code: u32,
    /// Business time.
    pub at: Timestamp,
    /// The stage that learned of it.
    pub by: &'static str,
}

impl CarrierOptOut<'_> {
    /// `contact.opted_out`; the same message always makes the same event, whenever it is said.
    pub fn event(&self) -> Event {
        let data = ContactData { contact: self.contact, cause: "carrier".into(), campaign: None };
        let kind = EventKind::ContactOptedOut;
        Event::new(kind, self.tenant, self.message.0, 1, self.at, &data)
    }
}

/// Marks the standings and adds to the consent ledger. Locks standings in key order; an opt-out
/// that stands already keeps its time and cause.
///
/// # Errors
/// An outage.
pub async fn opt_out(tx: &mut Scoped, told: &[CarrierOptOut<'_>]) -> Result<(), Fault> {
    let tenants: Vec<&str> = told.iter().map(|one| one.tenant.as_str()).collect();
    let numbers: Vec<&str> = told.iter().map(|one| one.number).collect();
    let channels: Vec<&str> = told.iter().map(|one| one.channel.as_str()).collect();
    let times: Vec<jiff_sqlx::Timestamp> = told.iter().map(|one| one.at.to_sqlx()).collect();
    sqlx::query!(
        "insert into standings as s (tenant_id, number, channel, opted_out_at, opt_out_cause)
         select k.tenant_id, k.number, k.channel, min(k.at), 'carrier'
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
              as k (tenant_id, number, channel, at)
         group by k.tenant_id, k.number, k.channel
         order by k.tenant_id, k.number, k.channel
         on conflict (tenant_id, number, channel) do update
         set opted_out_at = excluded.opted_out_at, opt_out_cause = 'carrier'
         where s.opted_out_at is null",
        &tenants as _,
        &numbers as _,
        &channels as _,
        &times as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    let ids: Vec<Uuid> = told.iter().map(|one| one.event().id).collect();
    let evidence: Vec<String> = told
        .iter()
        .map(|one| serde_json::json!({ "message": one.message, "code": one.code }).to_string())
        .collect();
    sqlx::query!(
        "insert into consents (tenant_id, consent_id, number, channel, action, method, evidence, at,
                               recorded_by)
         select k.tenant_id, k.consent_id, k.number, k.channel, 'revoke', 'carrier',
                k.evidence::jsonb, k.at, k.recorded_by
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                     $7::text[])
              as k (tenant_id, consent_id, number, channel, evidence, at, recorded_by)
         on conflict do nothing",
        &tenants as _,
        &ids,
        &numbers as _,
        &channels as _,
        &evidence,
        &times as _,
        &told.iter().map(|one| one.by).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
