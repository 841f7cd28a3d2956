//! Messages as people look at them.

use domain::{
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    money::Micros,
    passport::Passport,
    state::MessageState,
};
use jiff::Timestamp;
use pipeline::Fault;
use serde_json::Value;
use sqlx::types::Json;

use crate::{Scoped, fault, ledger::state_of};

/// A message. Holds a text and a number: `Debug` shows neither.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// How often it was released into the pipe.
    pub turn: i32,
    /// Where it stands.
    pub state: MessageState,
    /// What it is for.
    pub class: String,
    /// How it travels.
    pub channel: String,
    /// To whom.
    pub contact: ContactId,
    /// E.164
    pub number: String,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The text.
    pub body: String,
    /// Segments.
    pub segments: i16,
    /// What it costs.
    pub cost: Micros,
    /// The caller's own fields.
    pub metadata: Option<Value>,
    /// Business time.
    pub submitted_at: Timestamp,
    /// Business time.
    pub expires_at: Option<Timestamp>,
    /// Raised by every change.
    pub version: i64,
    /// Business time of the last change.
    pub changed_at: Timestamp,
    /// What each stage decided.
    pub passport: Passport,
    /// The gate that deferred, held or blocked.
    pub gate: Option<String>,
    /// Its reason, or the carrier's error.
    pub code: Option<String>,
    /// Until when it waits.
    pub due: Option<Timestamp>,
    /// What carries it.
    pub sender: Option<SenderId>,
    /// Carrier calls begun.
    pub attempts: i16,
    /// The carrier's id.
    pub carrier_sid: Option<String>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {})", self.id, self.state.as_str())
    }
}

/// A message, if `enrich` has stored it.
///
/// # Errors
/// An outage, or a row that this version cannot read.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: MessageId,
) -> Result<Option<Message>, Fault> {
    let row = sqlx::query!(
        r#"select turn, state, class, channel, contact_id, number, campaign_id, body, segments,
                  cost_micros, metadata, submitted_at, expires_at, version, changed_at,
                  passport as "passport: Json<Passport>", gate, code, due, sender_id, attempt,
                  carrier_sid
           from messages where tenant_id = $1 and message_id = $2"#,
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Message {
        id,
        turn: row.turn,
        state: state_of(row.state)?,
        class: row.class,
        channel: row.channel,
        contact: ContactId(row.contact_id),
        number: row.number,
        campaign: row.campaign_id.map(CampaignId),
        body: row.body,
        segments: row.segments,
        cost: Micros(row.cost_micros),
        metadata: row.metadata,
        submitted_at: row.submitted_at.to_jiff(),
        expires_at: row.expires_at.map(|at| at.to_jiff()),
        version: row.version,
        changed_at: row.changed_at.to_jiff(),
        passport: row.passport.0,
        gate: row.gate,
        code: row.code,
        due: row.due.map(|at| at.to_jiff()),
        sender: row.sender_id.map(SenderId),
        attempts: row.attempt,
        carrier_sid: row.carrier_sid,
    }))
}
