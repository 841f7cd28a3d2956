//! Messages that died: what a dead letter makes of the row that it names, and the way back. A row
//! is found without a lock, judged by the caller, and written only if it is still as it was found,
//! so that locks are taken in the gates' order: recipient statuses, counters, messages.

mod redrive;

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::Address,
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use stage::Fault;

pub use redrive::{Revival, fill, reopen};

use crate::{
    Scoped,
    core::{
        keyed::{self, LockOrder, in_lock_order},
        words::{self, word},
    },
    fault,
    messages::row::{StoredMessage, columns, json, turn},
};

/// The code of a message that died here and not at a carrier.
pub const CODE: &str = "internal";

/// A message that a letter names, as it was found.
#[derive(Clone)]
pub struct DeadRow {
    /// Where it stands.
    pub message: StoredMessage,
    /// The person's address; none where the letter did not say it.
    pub address: Option<Address>,
    /// The channel that it travels on.
    pub channel: Channel,
    /// Whether `send` has claimed it: a carrier call may have been made.
    pub claimed: bool,
    /// When the gates reserved for it, while that holds.
    pub reserved_at: Option<Timestamp>,
    /// SHA-256 of the submitted message that made the row.
    pub body_hash: Vec<u8>,
    /// What was decided so far.
    pub passport: Passport,
}

impl DeadRow {
    /// Whether it is `failed` because it died, and nothing else has come since.
    pub fn is_dead(&self) -> bool {
        self.message.state == MessageState::Failed && self.message.code.as_deref() == Some(CODE)
    }

    /// Whether the row was made for a letter, and no stage has given it a text yet.
    pub fn is_shell(&self) -> bool {
        self.message.segments == 0
    }
}

/// Names a message: its tenant and its id.
pub type DeadKey = (TenantId, MessageId);

/// Reads messages. Those that do not exist are not in the answer.
pub async fn find(
    tx: &mut Scoped,
    keys: &BTreeSet<DeadKey>,
) -> Result<HashMap<DeadKey, DeadRow>, Fault> {
    let rows = sqlx::query!(
        r#"select m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,
                  m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due, m.version,
                  m.changed_at, m.carrier_sid is not null as "billed!", m.number, m.channel,
                  m.claim_owner is not null as "claimed!", m.reserved_at, m.body_hash,
                  m.passport as "passport: Json<Passport>"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let channel = word(&row.channel)?;
        let reserved_at = row.reserved_at.map(jiff_sqlx::Timestamp::to_jiff);
        let address = words::address(&row.number)?;
        let (claimed, body_hash) = (row.claimed, row.body_hash);
        let passport = row.passport.0;
        let message: StoredMessage = columns!(row).into();
        let key = (message.tenant.clone(), message.id);
        let row = DeadRow { message, address, channel, claimed, reserved_at, body_hash, passport };
        found.insert(key, row);
    }
    Ok(found)
}

/// Which of these tenants exist: a letter may name one that does not.
pub async fn tenants(
    tx: &mut Scoped,
    named: &BTreeSet<&TenantId>,
) -> Result<BTreeSet<TenantId>, Fault> {
    let names: Vec<&str> = named.iter().map(|tenant| tenant.as_str()).collect();
    let rows =
        sqlx::query_scalar!("select tenant_id from tenants where tenant_id = any($1)", &names as _)
            .fetch_all(&mut **tx)
            .await
            .map_err(fault)?;

    Ok(rows.iter().map(|key| keyed::tenant(key)).collect())
}

/// A message whose death is to be written.
#[derive(Clone)]
pub struct Death<'a> {
    /// The row as it was found.
    pub found: &'a DeadRow,
    /// The stamp that says how.
    pub stamp: Stamp,
}

/// Writes `failed` with the code [`CODE`] to rows that are as they were found and that `send` has
/// not claimed; the caller has given their reservations back. Answers in the order of `dead`; none
/// for one that has moved on.
pub async fn fail(
    tx: &mut Scoped,
    now: Timestamp,
    dead: &[Death<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    let order = LockOrder::by(dead, |one| (&one.found.message.tenant, one.found.message.id));
    let sorted = order.sorted(dead);
    let found = || sorted.iter().map(|one| &one.found.message);

    let rows = sqlx::query!(
        r#"update messages m
           set state = $8, gate = null, code = $2, due = null, reserved_at = null,
               passport = add_stamp(m.passport, k.stamp::jsonb), version = m.version + 1,
               changed_at = $1
           from unnest($3::text[], $4::uuid[], $5::int[], $6::bigint[], $7::text[])
                with ordinality as k (tenant_id, message_id, turn, version, stamp, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id and m.turn = k.turn
             and m.version = k.version and m.state = any ($9) and m.claim_owner is null
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!""#,
        now.to_sqlx() as _,
        CODE,
        &found().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &found().map(|row| row.id.0).collect::<Vec<_>>(),
        &found().map(|row| turn(row.turn)).collect::<Vec<_>>(),
        &found().map(|row| row.version).collect::<Vec<_>>(),
        &sorted.iter().map(|one| json(&one.stamp)).collect::<Vec<_>>(),
        MessageState::Failed.code(),
        &[MessageState::Accepted, MessageState::Queued].map(MessageState::code),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut stored = vec![None; dead.len()];
    for row in rows {
        stored[order.index(row.at)] = Some(columns!(row).into());
    }
    Ok(stored)
}

/// What is known of a message that has no row: all that its letter says. Holds an address:
/// `Debug` does not show it.
#[derive(Clone)]
pub struct Shell<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn that it is in.
    pub turn: u32,
    /// What it is for.
    pub class: MessageClass,
    /// How it travels.
    pub channel: Channel,
    /// The person that it is for.
    pub contact: ContactId,
    /// Their address, where it is known.
    pub address: Option<Address>,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// SHA-256 of the submitted message; empty where it is not known.
    pub body_hash: Vec<u8>,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// `failed`, or `cancelled` where its tenant withdrew it before.
    pub state: MessageState,
    /// The one stamp of its passport.
    pub stamp: Stamp,
}

impl std::fmt::Debug for Shell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shell({}, {}, turn {})", self.tenant, self.message, self.turn)
    }
}

/// Makes rows without a text for messages that have none. Answers in the order of `shells`; none
/// for one that has a row by now.
pub async fn insert(
    tx: &mut Scoped,
    now: Timestamp,
    shells: &[Shell<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    if shells.is_empty() {
        return Ok(Vec::new());
    }
    let sorted = in_lock_order(shells, |one| (one.tenant, one.message));
    let submitted = sorted.iter().map(|one| one.submitted_at.to_sqlx());
    let expiries = sorted.iter().map(|one| one.expires_at.map(|at| at.to_sqlx()));
    let addresses = sorted.iter().map(|one| one.address.as_ref().map_or("", Address::as_str));
    let code = |one: &&Shell<'_>| (one.state == MessageState::Failed).then_some(CODE);

    let rows = sqlx::query!(
        r#"insert into messages (tenant_id, message_id, turn, state, code, class, channel,
                                 contact_id, number, campaign_id, body, segments, cost_micros,
                                 body_hash, submitted_at, expires_at, changed_at, passport)
           select tenant_id, message_id, turn, state, code, class, channel, contact_id, number,
                  campaign_id, '', 0, 0, body_hash, submitted_at, expires_at, $1,
                  jsonb_build_array(stamp::jsonb)
           from unnest($2::text[], $3::uuid[], $4::int[], $5::smallint[], $6::text[], $7::text[],
                       $8::text[], $9::uuid[], $10::text[], $11::uuid[], $12::bytea[],
                       $13::timestamptz[], $14::timestamptz[], $15::text[])
                as k (tenant_id, message_id, turn, state, code, class, channel, contact_id, number,
                      campaign_id, body_hash, submitted_at, expires_at, stamp)
           on conflict do nothing
           returning tenant_id, message_id, turn, state, class, contact_id, campaign_id, sender_id,
                     segments, cost_micros, gate, code, due, version, changed_at,
                     carrier_sid is not null as "billed!""#,
        now.to_sqlx(),
        &sorted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.message.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| turn(one.turn)).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.state.code()).collect::<Vec<_>>(),
        &sorted.iter().map(code).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.class.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.contact.0).collect::<Vec<_>>(),
        &addresses.collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.campaign.map(|id| id.0)).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.body_hash.as_slice()).collect::<Vec<_>>() as _,
        &submitted.collect::<Vec<_>>() as _,
        &expiries.collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| json(&one.stamp)).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut stored: HashMap<DeadKey, StoredMessage> = HashMap::with_capacity(rows.len());
    for row in rows {
        let message: StoredMessage = columns!(row).into();
        stored.insert((message.tenant.clone(), message.id), message);
    }
    Ok(shells.iter().map(|one| stored.remove(&(one.tenant.clone(), one.message))).collect())
}
