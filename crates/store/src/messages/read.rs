//! Messages as people look at them.

use std::collections::HashSet;

use domain::{
    address::Address,
    billing,
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
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::{Json, Uuid};
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::index,
        words::{self, Unreadable, optional, word},
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
    /// The key of the template's variant that it was made from; none without a template.
    pub variant: Option<String>,
    /// The text as it was rendered; empty once it has expired.
    pub body: String,
    /// What it was sent with, in order.
    pub media: Vec<String>,
    /// Business time at which its text was removed; none while it is kept.
    pub text_expired_at: Option<Timestamp>,
    /// Segments of the text, the carrier's count once it told one.
    pub segments: i16,
    /// What it costs: nothing where it has ended and no carrier took it.
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

/// Which messages are wanted. What is not said does not matter.
#[derive(Clone, Default)]
pub struct MessageFilter {
    /// In one of these states; empty: in any.
    pub states: Vec<MessageState>,
    /// Of this class.
    pub class: Option<MessageClass>,
    /// Carried by this sender.
    pub sender: Option<SenderId>,
    /// Carried by a sender of this carrier, by its name.
    pub carrier: Option<String>,
    /// To one of these contacts; empty: to any.
    pub contacts: Vec<ContactId>,
    /// Of this campaign.
    pub campaign: Option<CampaignId>,
    /// With this reason, or carrier's error.
    pub code: Option<String>,
    /// To this address.
    pub address: Option<Address>,
    /// Submitted at this business time or later.
    pub since: Option<Timestamp>,
    /// Submitted before this business time.
    pub until: Option<Timestamp>,
}

/// The columns of a message, as the driver gives them.
struct Row {
    message_id: Uuid,
    turn: i32,
    state: i16,
    class: String,
    channel: String,
    contact_id: Uuid,
    number: String,
    campaign_id: Option<Uuid>,
    variant: Option<String>,
    body: String,
    media: Option<Vec<String>>,
    text_expired_at: Option<jiff_sqlx::Timestamp>,
    segments: i16,
    cost_micros: i64,
    metadata: Option<Value>,
    submitted_at: jiff_sqlx::Timestamp,
    expires_at: Option<jiff_sqlx::Timestamp>,
    version: i64,
    changed_at: jiff_sqlx::Timestamp,
    passport: Json<Passport>,
    gate: Option<String>,
    code: Option<String>,
    due: Option<jiff_sqlx::Timestamp>,
    sender_id: Option<Uuid>,
    attempt: i16,
    carrier_sid: Option<String>,
    carrier: Option<String>,
    conflicts: Vec<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for MessageDetail {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        let state = words::state(row.state)?;
        let is_charged = billing::is_charged(state, row.carrier_sid.is_some());
        Ok(Self {
            id: MessageId(row.message_id),
            turn: row.turn,
            state,
            class: word(&row.class)?,
            channel: word(&row.channel)?,
            contact: ContactId(row.contact_id),
            number: row.number,
            campaign: row.campaign_id.map(CampaignId),
            variant: row.variant,
            body: row.body,
            media: row.media.unwrap_or_default(),

            segments: row.segments,
            cost: if is_charged { Micros(row.cost_micros) } else { Micros::ZERO },
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
        })
    }
}

/// A message, if `enrich` has stored it.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: MessageId,
) -> Result<Option<MessageDetail>, Fault> {
    Ok(load(tx, tenant, &[id], &MessageFilter::default()).await?.pop())
}

/// Those of these messages that fit a filter, in the order of their ids here. Those that `enrich`
/// has not stored are missing.
pub(super) async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[MessageId],
    filter: &MessageFilter,
) -> Result<Vec<MessageDetail>, Fault> {
    let states: Vec<i16> = filter.states.iter().map(|state| state.code()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select m.message_id, m.turn, m.state, m.class, m.channel, m.contact_id, m.number,
                  m.campaign_id, m.variant, m.body, m.media, m.segments, m.cost_micros, m.metadata,
                  m.submitted_at, m.expires_at, m.version, m.changed_at, m.text_expired_at,
                  m.passport as "passport: Json<Passport>", m.gate, m.code, m.due, m.sender_id,
                  m.attempt, m.carrier_sid,
                  (select a.carrier
                   from senders s
                   join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
                   where s.tenant_id = m.tenant_id and s.sender_id = m.sender_id) as carrier,
                  array(select c.at from message_conflicts c
                        where c.tenant_id = m.tenant_id and c.message_id = m.message_id
                        order by c.at limit 32) as "conflicts!: Vec<jiff_sqlx::Timestamp>"
           from unnest($2::uuid[]) with ordinality as k (message_id, at)
           cross join lateral (
               select * from messages r
               where r.tenant_id = $1 and r.message_id = k.message_id limit 1
           ) m
           where ($3::smallint[] = '{}' or m.state = any ($3))
             and ($4::text is null or m.class = $4) and ($5::uuid is null or m.sender_id = $5)
             and ($6::uuid is null or m.campaign_id = $6) and ($7::text is null or m.code = $7)
             and ($8::text is null or m.number = $8)
             and ($9::timestamptz is null or m.submitted_at >= $9)
             and ($10::timestamptz is null or m.submitted_at < $10)
             and ($11::text is null or exists (
                 select from senders s
                 join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
                 where s.tenant_id = m.tenant_id and s.sender_id = m.sender_id
                   and a.carrier = $11))
             and ($12::uuid[] = '{}' or m.contact_id = any ($12))
           order by k.at"#,
        tenant.as_str(),
        &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        &states,
        filter.class.map(MessageClass::as_str),
        filter.sender.map(|id| id.0),
        filter.campaign.map(|id| id.0),
        filter.code,
        filter.address.as_ref().map(Address::as_str),
        filter.since.map(|at| at.to_sqlx()) as _,
        filter.until.map(|at| at.to_sqlx()) as _,
        filter.carrier,
        &filter.contacts.iter().map(|id| id.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(MessageDetail::try_from).collect::<Result<_, _>>()?)
}

/// Which of these messages are stored.
pub async fn stored(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[MessageId],
) -> Result<HashSet<MessageId>, Fault> {
    let found = sqlx::query_scalar!(
        r#"select m.message_id as "message_id!"
           from unnest($2::uuid[]) as k (message_id)
           cross join lateral (
               select n.message_id from messages n
               where n.tenant_id = $1 and n.message_id = k.message_id limit 1
           ) m"#,
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
