//! What the carrier took, recorded under the claim of the call.

use domain::{
    ids::{MessageId, TenantId},
    message::{
        passport::{MAX_STAMPS, Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::keyed::LockOrder,
    fault,
    messages::row::{StoredMessage, columns, json, segments},
};

/// One message that the carrier took.
#[derive(Debug, Clone)]
pub struct Taken<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The message's id.
    pub message: MessageId,
    /// The number of the call.
    pub attempt: i16,
    /// The carrier's id of the text.
    pub sid: &'a str,
    /// What the carrier counted, and its cost, where that differs from the estimate.
    pub billed: Option<(u16, Micros)>,
    /// The passport up to the call.
    pub passport: &'a Passport,
    /// The stamp of this answer.
    pub stamp: &'a Stamp,
}

/// Records what the carrier took. A receipt may have been faster: the state is only ever raised
/// (from `sent` on, codes order as `MessageState::merge` does; a test holds them to it). The reason
/// of a doubt goes with the doubt. Answers in the order of `taken`, with the time of the gates'
/// reservation; none where the claim is no longer ours.
pub async fn sent(
    tx: &mut Scoped,
    owner: Uuid,
    now: Timestamp,
    taken: &[Taken<'_>],
) -> Result<Vec<Option<(StoredMessage, Option<Timestamp>)>>, Fault> {
    let order = LockOrder::by(taken, |one| (one.tenant, one.message));
    let sorted = order.sorted(taken);
    let tenants: Vec<&str> = sorted.iter().map(|one| one.tenant.as_str()).collect();
    let messages: Vec<Uuid> = sorted.iter().map(|one| one.message.0).collect();
    let attempts: Vec<i16> = sorted.iter().map(|one| one.attempt).collect();
    let sids: Vec<&str> = sorted.iter().map(|one| one.sid).collect();
    let counted = sorted.iter().map(|one| one.billed.map(|(counted, _)| segments(counted)));
    let costs = sorted.iter().map(|one| one.billed.map(|(_, cost)| cost.0));
    let passports = sorted.iter().map(|one| stamped(one.passport, one.stamp));
    let stamps: Vec<String> = sorted.iter().map(|one| json(one.stamp)).collect();

    let rows = sqlx::query!(
        r#"update messages m
           set state = greatest(m.state, $11::smallint),
               carrier_sid = coalesce(m.carrier_sid, k.sid),
               segments = coalesce(k.segments, m.segments),
               cost_micros = coalesce(k.cost, m.cost_micros),
               code = case when m.state < $11 then null else m.code end,
               passport = case when m.state < $11 then k.passport::jsonb
                               else add_stamp(m.passport, k.stamp::jsonb) end,
               version = m.version + (m.state < $11 or k.cost is not null)::int,
               changed_at = case when m.state < $11 or k.cost is not null then $2
                                 else m.changed_at end
           from unnest($3::text[], $4::uuid[], $5::smallint[], $6::text[], $7::smallint[],
                       $8::bigint[], $9::text[], $10::text[])
                with ordinality
                as k (tenant_id, message_id, attempt, sid, segments, cost, passport, stamp, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id
             and m.claim_owner = $1 and m.attempt = k.attempt
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!", m.reserved_at"#,
        owner,
        now.to_sqlx() as _,
        &tenants as _,
        &messages,
        &attempts,
        &sids as _,
        &counted.collect::<Vec<_>>() as _,
        &costs.collect::<Vec<_>>() as _,
        &passports.collect::<Vec<_>>(),
        &stamps,
        MessageState::Sent.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut stored = vec![None; taken.len()];
    for row in rows {
        let reserved_at = row.reserved_at.map(jiff_sqlx::Timestamp::to_jiff);
        stored[order.index(row.at)] = Some((columns!(row).into(), reserved_at));
    }
    Ok(stored)
}

/// A passport with one more stamp, as the column holds it.
pub(crate) fn stamped(passport: &Passport, stamp: &Stamp) -> String {
    let mut passport = passport.clone();
    passport.stamp(stamp.clone());
    json(&passport)
}

/// `add_stamp` of the migrations counts as [`Passport::stamp`] does: of a full passport the oldest
/// stamp of the second half goes.
const _: () = assert!(MAX_STAMPS == 32, "add_stamp in 0007 names 32 and 16");
