//! Writes down what was decided about texts: the first decision about a text stands. What it
//! depends on was locked and read in the same transaction ([`super::lock`]).

use std::collections::{HashMap, HashSet};

use domain::{
    assistant::Confidence, automatic::AutomaticAnswer, conversation::ConversationOwner,
    ids::TenantId,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{Ask, Generation, ReplyDecided, ReplyDecision, ReplyReason, usage};
use crate::{
    Scoped,
    conversations::{answers, bursts, hand_offs},
    core::{keyed::in_lock_order, words::word},
    fault,
};

/// What became of a decision.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// This stands: it, or an earlier decision about the same text.
    Stands(ReplyDecided),
    /// Nothing was decided: more was written since, and is answered together with it.
    Overtaken,
}

/// Records decisions, each unless one stands, and says what became of each, in their order. Of a
/// text that was overtaken nothing stands; what its answer has cost counts all the same.
pub async fn record(
    tx: &mut Scoped,
    decisions: &[ReplyDecision],
    overtaken: &HashSet<Uuid>,
    at: Timestamp,
) -> Result<Vec<Recorded>, Fault> {
    usage::use_up(tx, decisions).await?;
    let stays = |one: &&ReplyDecision| !overtaken.contains(&one.ask.inbound);
    let kept: Vec<&ReplyDecision> = decisions.iter().filter(stays).collect();
    let mut new = insert(tx, &kept, at).await?;
    // Of a text that is there twice the first decision was inserted.
    let new: Vec<&ReplyDecision> =
        kept.iter().copied().filter(|one| new.remove(&one.ask.message.0)).collect();

    let answered: Vec<(&TenantId, Uuid, AutomaticAnswer)> = new
        .iter()
        .filter(|one| one.body.is_some())
        .map(|one| (&one.ask.tenant, one.ask.inbound, AutomaticAnswer::Ai))
        .collect();
    answers::record(tx, &answered).await?;
    note_answers(tx, &new, at).await?;
    give_to_nobody(tx, &new).await?;
    let handing: Vec<(&Ask, ReplyReason)> =
        new.iter().filter(|one| one.reason.hands_off()).map(|one| (&one.ask, one.reason)).collect();
    hand_offs::record(tx, &handing, at).await?;
    bursts::close(tx, kept.iter().map(|one| &one.ask)).await?;

    stands(tx, decisions, overtaken).await
}

/// Inserts decisions, and gives the ids of those that are new.
async fn insert(
    tx: &mut Scoped,
    decisions: &[&ReplyDecision],
    at: Timestamp,
) -> Result<HashSet<Uuid>, Fault> {
    let sorted = in_lock_order(decisions, |one| (&one.ask.tenant, one.ask.message.0));
    let made: Vec<Option<Generation>> = sorted.iter().map(|one| one.generation.clone()).collect();
    let found = |one: &Option<Generation>| {
        let found = one.as_ref().filter(|one| !one.qualification.is_empty());
        found.map(|one| wire::json::to_value(&one.qualification))
    };
    let number = |read: fn(&Generation) -> i64| -> Vec<i64> {
        made.iter().map(|one| one.as_ref().map_or(0, read)).collect()
    };

    let new = sqlx::query_scalar!(
        "insert into ai_replies (tenant_id, message_id, conversation_id, inbound_id, body, reason,
                                 input_tokens, cached_tokens, output_tokens, cost_micros, model,
                                 latency_ms, confidence, qualification, handed_off, tool_calls,
                                 tool_failures, at)
         select tenant_id, message_id, conversation_id, inbound_id, body, reason, input, cached,
                output, cost, model, latency, confidence, qualification, handed_off, calls,
                failures, $18
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[],
                     $12::integer[], $13::text[], $14::jsonb[], $15::boolean[], $16::smallint[],
                     $17::smallint[])
              as k (tenant_id, message_id, conversation_id, inbound_id, body, reason, input, cached,
                    output, cost, model, latency, confidence, qualification, handed_off, calls,
                    failures)
         order by tenant_id, message_id
         on conflict do nothing returning message_id",
        &sorted.iter().map(|one| one.ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.ask.message.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.ask.conversation.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.ask.inbound).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.body.as_deref()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>() as _,
        &number(|one| one.input_tokens),
        &number(|one| one.cached_tokens),
        &number(|one| one.output_tokens),
        &number(|one| one.cost.0),
        &made.iter().map(|one| one.as_ref().map(|it| it.model.as_str())).collect::<Vec<_>>() as _,
        &made.iter().map(|one| one.as_ref().map(|one| one.latency_ms)).collect::<Vec<_>>() as _,
        &made.iter().map(confidence).collect::<Vec<_>>() as _,
        &made.iter().map(found).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.reason.hands_off()).collect::<Vec<_>>(),
        &made.iter().map(|one| one.as_ref().map_or(0, |it| it.tool_calls)).collect::<Vec<_>>(),
        &made.iter().map(|one| one.as_ref().map_or(0, |it| it.tool_failures)).collect::<Vec<_>>(),
        at.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(new.into_iter().collect())
}

fn confidence(made: &Option<Generation>) -> Option<&'static str> {
    made.as_ref()?.confidence.map(Confidence::as_str)
}

/// An answer is the last text of its thread, unless a later one is.
async fn note_answers(tx: &mut Scoped, new: &[&ReplyDecision], at: Timestamp) -> Result<(), Fault> {
    let said: Vec<&Ask> = new.iter().filter(|one| one.body.is_some()).map(|one| &one.ask).collect();
    if said.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "update conversations v
         set last_text_at = $4, last_text_id = k.message_id
         from (select distinct on (tenant_id, conversation_id) *
               from unnest($1::text[], $2::uuid[], $3::uuid[])
                    as u (tenant_id, conversation_id, message_id)
               order by tenant_id, conversation_id, message_id desc) k
         where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           and (v.last_text_id is null
                or (v.last_text_at, v.last_text_id) < ($4::timestamptz, k.message_id))",
        &said.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &said.iter().map(|ask| ask.conversation.0).collect::<Vec<_>>(),
        &said.iter().map(|ask| ask.message.0).collect::<Vec<_>>(),
        at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Where no AI is set up, nobody answers yet: the threads wait for a person.
async fn give_to_nobody(tx: &mut Scoped, new: &[&ReplyDecision]) -> Result<(), Fault> {
    let off: Vec<&Ask> =
        new.iter().filter(|one| one.reason == ReplyReason::AiOff).map(|one| &one.ask).collect();
    if off.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "update conversations v set owner = $4
         from unnest($1::text[], $2::uuid[], $3::integer[])
              as k (tenant_id, conversation_id, epoch)
         where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           and v.epoch = k.epoch and v.owner = $5",
        &off.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &off.iter().map(|ask| ask.conversation.0).collect::<Vec<_>>(),
        &off.iter().map(|ask| ask.epoch).collect::<Vec<_>>(),
        ConversationOwner::Nobody.as_str(),
        ConversationOwner::Assistant.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// What stands of each text, in their order.
async fn stands(
    tx: &mut Scoped,
    decisions: &[ReplyDecision],
    overtaken: &HashSet<Uuid>,
) -> Result<Vec<Recorded>, Fault> {
    let rows = sqlx::query!(
        r#"select k.message_id as "message_id!", r.body, r.reason
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           cross join lateral (
               select a.body, a.reason from ai_replies a
               where a.tenant_id = k.tenant_id and a.message_id = k.message_id limit 1
           ) r"#,
        &decisions.iter().map(|one| one.ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &decisions.iter().map(|one| one.ask.message.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let mut stored: HashMap<Uuid, ReplyDecided> = HashMap::new();
    for row in rows {
        let decided = ReplyDecided { body: row.body, reason: word(&row.reason)? };
        stored.insert(row.message_id, decided);
    }

    let stand = |one: &ReplyDecision| match stored.get(&one.ask.message.0) {
        Some(decided) => Recorded::Stands(decided.clone()),
        None => {
            debug_assert!(overtaken.contains(&one.ask.inbound), "every other decision has a row");
            Recorded::Overtaken
        }
    };
    Ok(decisions.iter().map(stand).collect())
}
