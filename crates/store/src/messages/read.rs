//! Messages as people look at them.

use std::collections::HashSet;

use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Passport,
        state::MessageState,
    },
    money::Micros,
};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::types::{Json, Uuid};
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::index,
        words::{self, optional, word},
    },
    fault,
};

/// A message. Holds a text and a number: `Debug` shows neither.
#[derive(Clone, PartialEq)]
pub struct MessageDetail {
    /// The message's id.
    pub id: MessageId,
    /// How often it was released into the pipe.
    pub turn: i32,
    /// Where it stands.
    pub state: MessageState,
    /// What it is for.
    pub class: MessageClass,
    /// How it travels.
    pub channel: Channel,
    /// The person that it is for.
    pub contact: ContactId,
    /// The person's address, as the row has it.
    pub number: String,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The text as it was rendered; empty once it has expired.
    pub body: String,
    /// Business time at which its text was removed; none while it is kept.
    pub text_expired_at: Option<Timestamp>,
    /// Segments of the text, the carrier's count once it told one.
    pub segments: i16,
    /// What it costs.
    pub cost: Micros,
    /// The caller's own fields.
    pub metadata: Option<Value>,
    /// Business time at which it was accepted.
    pub submitted_at: Timestamp,
    /// Business time from which on it is of no use; none: until the gates say otherwise.
    pub expires_at: Option<Timestamp>,
    /// Raised by every change.
    pub version: i64,
    /// Business time of the last change.
    pub changed_at: Timestamp,
    /// What each stage decided.
    pub passport: Passport,
    /// The gate that deferred, held or blocked.
    pub gate: Option<Gate>,
    /// Its reason, or the carrier's error.
    pub code: Option<String>,
    /// Until when it waits.
    pub due: Option<Timestamp>,
    /// What carries it.
    pub sender: Option<SenderId>,
    /// Carrier calls begun.
    pub attempts: i16,
    /// The carrier of its sender; none before a sender is chosen.
    pub carrier: Option<String>,
    /// The carrier's id.
    pub carrier_sid: Option<String>,
    /// When other bodies came under its id, at most 32: the first stands.
    pub conflicts: Vec<Timestamp>,
}

impl std::fmt::Debug for MessageDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {})", self.id, self.state.as_str())
    }
}

/// A message, if `enrich` has stored it.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: MessageId,
) -> Result<Option<MessageDetail>, Fault> {
    let row = sqlx::query!(
        r#"select turn, state, class, channel, contact_id, number, campaign_id, body, segments,
                  cost_micros, metadata, submitted_at, expires_at, version, changed_at,
                  text_expired_at, passport as "passport: Json<Passport>", gate, code, due, sender_id, attempt,
                  carrier_sid,
                  (select a.carrier
                   from senders s
                   join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
                   where s.tenant_id = m.tenant_id and s.sender_id = m.sender_id) as carrier,
                  array(select c.at from message_conflicts c
                        where c.tenant_id = m.tenant_id and c.message_id = m.message_id
                        order by c.at limit 32) as "conflicts!: Vec<jiff_sqlx::Timestamp>"
           from messages m where tenant_id = $1 and message_id = $2"#,
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    Ok(Some(MessageDetail {
        id,
        turn: row.turn,
        state: words::state(row.state)?,
        class: word(&row.class)?,
        channel: word(&row.channel)?,
        contact: ContactId(row.contact_id),
        number: row.number,
        campaign: row.campaign_id.map(CampaignId),
        body: row.body,
        segments: row.segments,
        cost: Micros(row.cost_micros),
        metadata: row.metadata,
        submitted_at: row.submitted_at.to_jiff(),
        expires_at: row.expires_at.map(|at| at.to_jiff()),
        text_expired_at: row.text_expired_at.map(|at| at.to_jiff()),
        version: row.version,
        changed_at: row.changed_at.to_jiff(),
        passport: row.passport.0,
        gate: optional(row.gate.as_deref())?,
        code: row.code,
        due: row.due.map(|at| at.to_jiff()),
        sender: row.sender_id.map(SenderId),
        attempts: row.attempt,
        carrier: row.carrier,
        carrier_sid: row.carrier_sid,
        conflicts: row.conflicts.into_iter().map(jiff_sqlx::Timestamp::to_jiff).collect(),
    }))
}

/// Which of these messages are stored.
pub async fn stored(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[MessageId],
) -> Result<HashSet<MessageId>, Fault> {
    let found = sqlx::query_scalar!(
        "select message_id from messages where tenant_id = $1 and message_id = any ($2)",
        tenant.as_str(),
        &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(found.into_iter().map(MessageId).collect())
}

/// A body that came under an idempotency key of its caller.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// The tenant whose key it is.
    pub tenant: TenantId,
    /// The id that the key makes.
    pub of: KeyOf,
    /// SHA-256 of the canonical message, or of all that the batch says.
    pub body_hash: [u8; 32],
}

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOf {
    /// One message, by the id that the key makes.
    Message(MessageId),
    /// A whole batch, by [`domain::ids::batch_id`].
    Batch(Uuid),
}

impl KeyOf {
    fn id(self) -> Uuid {
        match self {
            Self::Message(id) => id.0,
            Self::Batch(id) => id,
        }
    }
}

/// Says of each key whether another body has taken it. One statement for all of them, whatever
/// their tenants, and nothing but that answer leaves the database: see docs/adr/0009. A row that
/// was made for a dead letter may not know its body.
pub async fn other_bodies(store: &Store, keyed: &[Keyed]) -> Result<Vec<bool>, Fault> {
    let mut tx = store.scoped(keyed.iter().map(|one| &one.tenant)).await?;
    let rows = sqlx::query_scalar!(
        r#"select k.at as "at!"
           from unnest($1::text[], $2::uuid[], $3::bytea[], $4::bool[])
                with ordinality as k (tenant_id, id, body_hash, is_batch, at)
           cross join lateral (
               (select r.body_hash from messages r
                where not k.is_batch and r.tenant_id = k.tenant_id and r.message_id = k.id limit 1)
               union all
               (select r.body_hash from batch_keys r
                where k.is_batch and r.tenant_id = k.tenant_id and r.batch_id = k.id limit 1)
           ) m
           where m.body_hash <> k.body_hash and m.body_hash <> ''"#,
        &keyed.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &keyed.iter().map(|one| one.of.id()).collect::<Vec<_>>(),
        &keyed.iter().map(|one| one.body_hash.as_slice()).collect::<Vec<_>>() as _,
        &keyed.iter().map(|one| matches!(one.of, KeyOf::Batch(_))).collect::<Vec<_>>(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    let mut other = vec![false; keyed.len()];
    for ordinality in rows {
        other[index(ordinality)] = true;
    }
    Ok(other)
}
