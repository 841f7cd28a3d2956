//! What the gate stage records: one decision per message and turn, the first one stands.

use domain::{
    address::Address,
    gates::Gate,
    ids::{MessageId, SenderId, TenantId},
    message::{class::Channel, passport::Passport, state::MessageState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::{Json, Uuid};
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::{LockOrder, in_lock_order, index},
        words,
    },
    fault,
    messages::row::{StoredMessage, columns, json, turn},
};

/// Names a message: its tenant and its id.
pub type MessageKey<'a> = (&'a TenantId, MessageId);

/// Reads the turns and states of messages, in the order of the keys. Locks nothing: [`record`] sees
/// what has changed since. None where there is no row.
pub async fn turns(
    tx: &mut Scoped,
    keys: &[MessageKey<'_>],
) -> Result<Vec<Option<(u32, MessageState)>>, Fault> {
    let (tenants, messages): (Vec<&str>, Vec<Uuid>) = split(keys);
    let rows = sqlx::query!(
        r#"select k.at as "at!", m.turn, m.state
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           cross join lateral (
               select r.turn, r.state from messages r
               where r.tenant_id = k.tenant_id and r.message_id = k.message_id limit 1
           ) m"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; keys.len()];
    for row in rows {
        found[index(row.at)] = Some((row.turn.unsigned_abs(), words::state(row.state)?));
    }
    Ok(found)
}

/// What the gates have decided about one message.
#[derive(Debug, Clone)]
pub struct GateDecision<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The turn it was decided in.
    pub turn: u32,
    /// What it is now: `queued`, `deferred`, `held`, `blocked`, `cancelled` or `expired`.
    pub state: MessageState,
    /// The gate that did not pass.
    pub gate: Option<Gate>,
    /// The reason that this gate gave.
    pub code: Option<&'static str>,
    /// Until when a deferral waits.
    pub due: Option<Timestamp>,
    /// How an admission leaves.
    pub admission: Option<Admission>,
    /// The passport, this decision included.
    pub passport: &'a Passport,
}

/// How an admitted message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The sender that the gates chose.
    pub sender: SenderId,
    /// The policy version that admitted it.
    pub policy_version: i64,
    /// No call may begin that could end after this instant.
    pub sendable_until: Timestamp,
    /// Whether counters hold a reservation for it.
    pub reserved: bool,
}

/// Records decisions about messages that no gate has decided yet in this turn. Answers in the order
/// of `decided`, with the row as it is now; none where something else came first.
pub async fn record(
    tx: &mut Scoped,
    now: Timestamp,
    decided: &[GateDecision<'_>],
) -> Result<Vec<Option<StoredMessage>>, Fault> {
    if decided.is_empty() {
        return Ok(Vec::new());
    }

    let order = LockOrder::by(decided, |one| (one.tenant, one.message));
    let sorted = order.sorted(decided);
    let admissions = || sorted.iter().map(|one| one.admission);
    let reserved = admissions().map(|one| one?.reserved.then(|| now.to_sqlx()));
    let until = admissions().map(|one| Some(one?.sendable_until.to_sqlx()));
    let passports = sorted.iter().map(|one| json(one.passport));

    let rows = sqlx::query!(
        r#"update messages m
           set state = k.state, gate = k.gate, code = k.code, due = k.due,
               sender_id = k.sender_id, policy_version = k.policy_version,
               sendable_until = k.sendable_until, reserved_at = k.reserved_at,
               passport = k.passport::jsonb, version = m.version + 1, changed_at = $1
           from unnest($2::text[], $3::uuid[], $4::int[], $5::smallint[], $6::text[], $7::text[],
                       $8::timestamptz[], $9::uuid[], $10::bigint[], $11::timestamptz[],
                       $12::timestamptz[], $13::text[])
                with ordinality
                as k (tenant_id, message_id, turn, state, gate, code, due, sender_id,
                      policy_version, sendable_until, reserved_at, passport, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id
             and m.turn = k.turn and m.state = $14
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!""#,
        now.to_sqlx(),
        &sorted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.message.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| turn(one.turn)).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.state.code()).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.gate.map(Gate::as_str)).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.code).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.due.map(|due| due.to_sqlx())).collect::<Vec<_>>() as _,
        &admissions().map(|one| Some(one?.sender.0)).collect::<Vec<_>>() as _,
        &admissions().map(|one| Some(one?.policy_version)).collect::<Vec<_>>() as _,
        &until.collect::<Vec<_>>() as _,
        &reserved.collect::<Vec<_>>() as _,
        &passports.collect::<Vec<_>>(),
        MessageState::Accepted.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut recorded = vec![None; decided.len()];
    for row in rows {
        recorded[order.index(row.at)] = Some(columns!(row).into());
    }
    Ok(recorded)
}

/// Marketing admitted to one address.
#[derive(Debug, Clone)]
pub struct Marketed<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The address that it goes to.
    pub address: &'a Address,
    /// The channel that it travels on.
    pub channel: Channel,
    /// Whether a promotion is among it.
    pub promo: bool,
    /// How many messages.
    pub count: i32,
}

/// Counts marketing in the recipients' statuses: the latest ten admissions, and the last promotion.
/// The rows are locked already.
pub async fn market(
    tx: &mut Scoped,
    now: Timestamp,
    marketed: &[Marketed<'_>],
) -> Result<(), Fault> {
    if marketed.is_empty() {
        return Ok(());
    }

    let marketed = in_lock_order(marketed, |one| (one.tenant, one.address, one.channel));
    sqlx::query!(
        "update standings s
         set marketing_at = (array_fill($1::timestamptz, array[k.count]) || s.marketing_at)[1:10],
             last_promo_at = case when k.promo then $1 else s.last_promo_at end
         from unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::int[])
              as k (tenant_id, number, channel, promo, count)
         where s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel",
        now.to_sqlx(),
        &marketed.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &marketed.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &marketed.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        &marketed.iter().map(|one| one.promo).collect::<Vec<_>>(),
        &marketed.iter().map(|one| one.count).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// A decision that was recorded before.
#[derive(Debug, Clone)]
pub struct StoredDecision {
    /// The message as it is stored.
    pub message: StoredMessage,
    /// The passport with the decision.
    pub passport: Passport,
    /// How it leaves, where it was admitted and still waits for its call.
    pub admission: Option<Admission>,
}

/// What has been decided about messages, in the order of the keys. None where there is no row.
pub async fn stored(
    tx: &mut Scoped,
    keys: &[MessageKey<'_>],
) -> Result<Vec<Option<StoredDecision>>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, messages): (Vec<&str>, Vec<Uuid>) = split(keys);

    let rows = sqlx::query!(
        r#"select k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id,
                  m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due,
                  m.version, m.changed_at, m.carrier_sid is not null as "billed!",
                  m.passport as "passport: Json<Passport>",
                  m.policy_version, m.sendable_until, m.reserved_at
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; keys.len()];
    for row in rows {
        let admission = row.sender_id.zip(row.policy_version).zip(row.sendable_until);
        let admission = admission.map(|((sender, policy_version), until)| Admission {
            sender: SenderId(sender),
            policy_version,
            sendable_until: until.to_jiff(),
            reserved: row.reserved_at.is_some(),
        });

        let (i, passport) = (index(row.at), row.passport.0);
        found[i] = Some(StoredDecision { message: columns!(row).into(), passport, admission });
    }
    Ok(found)
}

fn split<'a>(keys: &[MessageKey<'a>]) -> (Vec<&'a str>, Vec<Uuid>) {
    keys.iter().map(|(tenant, message)| (tenant.as_str(), message.0)).unzip()
}
