//! The way back of messages that died: a redrive reopens their rows in the next turn, and enrich
//! gives those a text that never had one.

use domain::{
    gates::OnLate,
    message::{
        passport::{Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::{Json, Uuid};
use stage::Fault;

use super::{CODE, DeadRow};
use crate::{
    Scoped,
    core::keyed::{LockOrder, in_lock_order},
    fault,
    messages::{
        enrich::{NewMessage, listed},
        row::{StoredMessage, columns, json, segments, turn},
    },
};

/// A dead message that goes into the pipe again.
#[derive(Clone)]
pub struct Revival<'a> {
    /// The row as it was found.
    pub found: &'a DeadRow,
    /// SHA-256 of the submitted message, for a row that was made without it.
    pub body_hash: Option<Vec<u8>>,
    /// Text, segments and cost, for a row that was made without them, where its letter has them.
    pub text: Option<(&'a str, u16, Micros)>,
    /// The stamp of the redrive.
    pub stamp: Stamp,
}

/// Reopens rows that are `failed` with the code [`CODE`] and as they were found, in their next
/// turn, and locks their campaigns. Answers in the order of `again`, with the passport; none for
/// one that has moved on.
pub async fn reopen(
    tx: &mut Scoped,
    now: Timestamp,
    again: &[Revival<'_>],
) -> Result<Vec<Option<(StoredMessage, Passport)>>, Fault> {
    if again.is_empty() {
        return Ok(Vec::new());
    }
    let order = LockOrder::by(again, |one| (&one.found.message.tenant, one.found.message.id));
    let sorted = order.sorted(again);
    let found = || sorted.iter().map(|one| &one.found.message);

    let rows = sqlx::query!(
        r#"update messages m
           set turn = m.turn + 1, state = $12, gate = null, code = null, due = null,
               sender_id = null, policy_version = null, sendable_until = null, reserved_at = null,
               claim_owner = null, call_by = null,
               body_hash = case when m.segments = 0 then coalesce(k.hash, m.body_hash)
                                else m.body_hash end,
               body = case when m.segments = 0 then coalesce(k.body, m.body) else m.body end,
               segments = case when m.segments = 0 then coalesce(k.segments, 0)
                               else m.segments end,
               cost_micros = case when m.segments = 0 then coalesce(k.cost, m.cost_micros)
                                  else m.cost_micros end,
               passport = add_stamp(m.passport, k.stamp::jsonb), version = m.version + 1,
               changed_at = $1
           from unnest($3::text[], $4::uuid[], $5::int[], $6::bigint[], $7::text[], $8::bytea[],
                       $9::text[], $10::smallint[], $11::bigint[])
                with ordinality as k (tenant_id, message_id, turn, version, stamp, hash, body,
                                      segments, cost, at)
           where m.tenant_id = k.tenant_id and m.message_id = k.message_id and m.turn = k.turn
             and m.version = k.version and m.state = $13 and m.code = $2
           returning k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class,
                     m.contact_id, m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate,
                     m.code, m.due, m.version, m.changed_at,
                     m.carrier_sid is not null as "billed!",
                     m.passport as "passport: Json<Passport>""#,
        now.to_sqlx() as _,
        CODE,
        &found().map(|row| row.tenant.as_str()).collect::<Vec<_>>() as _,
        &found().map(|row| row.id.0).collect::<Vec<_>>(),
        &found().map(|row| turn(row.turn)).collect::<Vec<_>>(),
        &found().map(|row| row.version).collect::<Vec<_>>(),
        &sorted.iter().map(|one| json(&one.stamp)).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.body_hash.as_deref()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.text.map(|text| text.0)).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.text.map(|text| segments(text.1))).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.text.map(|text| text.2.0)).collect::<Vec<_>>() as _,
        MessageState::Accepted.code(),
        MessageState::Failed.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut reopened = vec![None; again.len()];
    for row in rows {
        let (i, passport) = (order.index(row.at), row.passport.0.clone());
        reopened[i] = Some((columns!(row).into(), passport));
    }
    let open: Vec<&StoredMessage> = reopened.iter().flatten().map(|(row, _)| row).collect();
    lock_campaigns(tx, &open).await?;
    Ok(reopened)
}

/// Locks the campaigns of messages that are open again, so that none of them is completed without
/// counting these: whoever completes one locks it and counts.
async fn lock_campaigns(tx: &mut Scoped, open: &[&StoredMessage]) -> Result<(), Fault> {
    let of_campaigns: Vec<(&str, Uuid)> =
        open.iter().filter_map(|row| Some((row.tenant.as_str(), row.campaign?.0))).collect();
    if of_campaigns.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "select c.campaign_id from campaigns c
         join (select distinct * from unnest($1::text[], $2::uuid[])) as k (tenant_id, campaign_id)
           on c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id
         order by c.tenant_id, c.campaign_id for update of c",
        &of_campaigns.iter().map(|of| of.0).collect::<Vec<_>>() as _,
        &of_campaigns.iter().map(|of| of.1).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Gives rows that were made without a text what enrich has made of their message. A row that has
/// moved on, or has a text by now, stays as it is.
pub async fn fill(tx: &mut Scoped, now: Timestamp, drafts: &[NewMessage<'_>]) -> Result<(), Fault> {
    if drafts.is_empty() {
        return Ok(());
    }
    let drafts = in_lock_order(drafts, |one| (&one.head.tenant, one.head.id));
    let stamps = drafts.iter().map(|one| one.passport.stamps().last().map(json));

    sqlx::query!(
        "update messages m
         set state = k.state, code = k.code, class = k.class, channel = k.channel,
             contact_id = k.contact_id, number = k.number, campaign_id = k.campaign_id,
             body = k.body, media = string_to_array(k.media, E'\n'), segments = k.segments,
             cost_micros = k.cost,
             metadata = k.metadata::jsonb, on_late = k.on_late, version = m.version + 1,
             changed_at = $1,
             passport = add_stamp(m.passport, k.stamp::jsonb)
         from unnest($2::text[], $3::uuid[], $4::int[], $5::smallint[], $6::text[], $7::text[],
                     $8::text[], $9::uuid[], $10::text[], $11::uuid[], $12::text[],
                     $13::smallint[], $14::bigint[], $15::text[], $16::text[], $17::text[],
                     $19::text[])
              as k (tenant_id, message_id, turn, state, code, class, channel, contact_id, number,
                    campaign_id, body, segments, cost, metadata, stamp, on_late, media)
         where m.tenant_id = k.tenant_id and m.message_id = k.message_id and m.turn = k.turn
           and m.state = $18 and m.segments = 0",
        now.to_sqlx() as _,
        &drafts.iter().map(|one| one.head.tenant.as_str()).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.head.id.0).collect::<Vec<_>>(),
        &drafts.iter().map(|one| turn(one.head.turn)).collect::<Vec<_>>(),
        &drafts.iter().map(|one| one.state.code()).collect::<Vec<_>>(),
        &drafts.iter().map(|one| one.code).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.head.class.as_str()).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.head.channel.as_str()).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.contact.0).collect::<Vec<_>>(),
        &drafts.iter().map(|one| one.head.to.as_str()).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.head.campaign.map(|id| id.0)).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.text).collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| segments(one.segments)).collect::<Vec<_>>(),
        &drafts.iter().map(|one| one.cost.0).collect::<Vec<_>>(),
        &drafts.iter().map(|one| one.metadata.as_deref()).collect::<Vec<_>>() as _,
        &stamps.collect::<Vec<_>>() as _,
        &drafts.iter().map(|one| one.head.on_late.map(OnLate::as_str)).collect::<Vec<_>>() as _,
        MessageState::Accepted.code(),
        &drafts.iter().map(|one| listed(one.media)).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
