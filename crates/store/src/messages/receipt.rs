//! What carriers reported about messages: the rows are locked and read here, merged by the caller,
//! and written back. Also the messages that wait for a receipt, and the receipts that wait for
//! their message.

pub mod by_sid;
pub mod poll;
pub mod price;
pub mod unmatched;

use std::collections::HashMap;

use domain::{
    address::Address,
    billing::PriceSettlement,
    ids::{MessageId, TenantId},
    message::{class::Channel, passport::Stamp, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::{LockOrder, in_lock_order},
        words::{self, document, word},
    },
    fault,
    messages::row::{StoredMessage, columns, json},
};

/// A message that a receipt names, locked.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// Where it stands.
    pub message: StoredMessage,
    /// The person's address; none where the letter that made the row did not say it.
    pub address: Option<Address>,
    /// The channel that it travels on.
    pub channel: Channel,
    /// The carrier's id of the text, once known.
    pub sid: Option<String>,
    /// Whether it is under a claim, so that the row of its claim leads to it.
    pub claimed: bool,
    /// When the gates reserved for it; none where nothing is reserved.
    pub reserved_at: Option<Timestamp>,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// How its price was settled; none where no report has told of it.
    pub settlement: Option<PriceSettlement>,
}

impl Reported {
    /// Since when its price is its price: from its admission, or its acceptance where nothing is
    /// reserved.
    pub fn priced_at(&self) -> Timestamp {
        self.reserved_at.unwrap_or(self.submitted_at)
    }
}

/// Reads and locks messages, in key order. Those that do not exist are not in the answer.
pub async fn lock(
    tx: &mut Scoped,
    keys: &[(TenantId, MessageId)],
) -> Result<HashMap<(TenantId, MessageId), Reported>, Fault> {
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let messages: Vec<Uuid> = keys.iter().map(|key| key.1.0).collect();

    let rows = sqlx::query!(
        r#"select m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,
                  m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due, m.version,
                  m.changed_at, m.carrier_sid is not null as "billed!", m.number, m.channel,
                  m.carrier_sid, m.claim_owner is not null as "claimed!", m.reserved_at,
                  m.submitted_at, m.pricing
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id
           order by m.tenant_id, m.message_id
           for no key update of m"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let channel = word(&row.channel)?;
        let address = words::address(&row.number)?;
        let reserved_at = row.reserved_at.map(|at| at.to_jiff());
        let settlement = row.pricing.map(|pricing| document(pricing, "pricing")).transpose()?;
        let reported = Reported {
            address,
            channel,
            sid: row.carrier_sid,
            claimed: row.claimed,
            reserved_at,
            submitted_at: row.submitted_at.to_jiff(),
            settlement,
            message: columns!(row).into(),
        };
        found.insert((reported.message.tenant.clone(), reported.message.id), reported);
    }
    Ok(found)
}

/// What receipts make of one message.
#[derive(Debug, Clone)]
pub struct Merged<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The state, never lower than the row's.
    pub state: MessageState,
    /// Whether the state rises: only then version, time, code and passport change.
    pub raised: bool,
    /// The carrier's error code.
    pub code: Option<String>,
    /// The carrier's id of the text, where the row has none.
    pub sid: Option<&'a str>,
    /// Business time of the receipt.
    pub at: Timestamp,
    /// When counters took it, where the row has nothing reserved and they have taken it again.
    pub reserved_at: Option<Timestamp>,
    /// How its price is settled, and its cost, where a receipt has told of it.
    pub settled: Option<(PriceSettlement, Micros)>,
    /// Whether that cost is another one than the row's: version and time change for it too.
    pub repriced: bool,
    /// The stamp of this receipt.
    pub stamp: &'a Stamp,
}

/// Writes merged states to locked rows, and takes back what was parked: a message that the carrier
/// has is never released again. Answers in the order of `merged`.
pub async fn write(
    tx: &mut Scoped,
    merged: &[Merged<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    let order = LockOrder::by(merged, |one| (one.tenant, one.message));
    let sorted = order.sorted(merged);
    let tenants: Vec<&str> = sorted.iter().map(|one| one.tenant.as_str()).collect();
    let messages: Vec<Uuid> = sorted.iter().map(|one| one.message.0).collect();
    let states: Vec<i16> = sorted.iter().map(|one| one.state.code()).collect();
    let raised: Vec<bool> = sorted.iter().map(|one| one.raised).collect();
    let codes: Vec<Option<&str>> = sorted.iter().map(|one| one.code.as_deref()).collect();
    let sids: Vec<Option<&str>> = sorted.iter().map(|one| one.sid).collect();
    let times: Vec<jiff_sqlx::Timestamp> = sorted.iter().map(|one| one.at.to_sqlx()).collect();
    let stamps: Vec<String> = sorted.iter().map(|one| json(one.stamp)).collect();
    let reserved = sorted.iter().map(|one| one.reserved_at.map(|at| at.to_sqlx()));
    let settlements = sorted.iter().map(|one| one.settled.map(|(settled, _)| json(&settled)));
    let costs = sorted.iter().map(|one| one.settled.map(|(_, cost)| cost.0));
    let repriced: Vec<bool> = sorted.iter().map(|one| one.repriced).collect();

    let rows = sqlx::query!(
        r#"update messages m
           set state = k.state, carrier_sid = coalesce(m.carrier_sid, k.sid),
               gate = case when k.raised then null else m.gate end,
               code = case when k.raised then k.code else m.code end,
               due = case when k.raised then null else m.due end,
               reserved_at = coalesce(m.reserved_at, k.reserved_at),
               cost_micros = coalesce(k.cost, m.cost_micros),
               pricing = coalesce(k.pricing::jsonb, m.pricing),
               version = m.version + (k.raised or k.repriced)::int,
               changed_at = case when k.raised or k.repriced then k.changed_at
                                 else m.changed_at end,
               passport = case when k.raised then add_stamp(m.passport, k.stamp::jsonb)
                               else m.passport end
           from unnest($1::text[], $2::uuid[], $3::smallint[], $4::bool[], $5::text[], $6::text[],
                       $7::timestamptz[], $8::text[], $9::timestamptz[], $10::text[],
                       $11::bigint[], $12::bool[]) with ordinality
                as k (tenant_id, message_id, state, raised, code, sid, changed_at, stamp,
                      reserved_at, pricing, cost, repriced, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!""#,
        &tenants as _,
        &messages,
        &states,
        &raised,
        &codes as _,
        &sids as _,
        &times as _,
        &stamps,
        &reserved.collect::<Vec<_>>() as _,
        &settlements.collect::<Vec<_>>() as _,
        &costs.collect::<Vec<_>>() as _,
        &repriced,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut stored = vec![None; merged.len()];
    for row in rows {
        stored[order.index(row.at)] = Some(columns!(row).into());
    }
    Ok(stored)
}

/// Deletes the parked rows of these messages.
pub async fn unpark(tx: &mut Scoped, keys: &[(&TenantId, MessageId)]) -> Result<(), Fault> {
    let keys = in_lock_order(keys, |key| *key);
    let tenants: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let messages: Vec<Uuid> = keys.iter().map(|key| key.1.0).collect();

    sqlx::query!(
        "delete from parked p using unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
         where p.tenant_id = k.tenant_id and p.message_id = k.message_id",
        &tenants as _,
        &messages,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
