//! Writes down what was decided about texts: the first decision about a text stands. The people's
//! recipient statuses, the threads and the bursts are locked, in this order and each in key order,
//! so that two processes count one after the other, and nothing is answered that a person has taken
//! over in the meantime.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    assistant::Confidence,
    automatic::AutomaticAnswer,
    conversation::ConversationOwner,
    ids::{ConversationId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    Ask, Generation, HadAnswers, ReplyDecided, ReplyDecision, ReplyFacts, ReplyReason, Since, load,
};
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

/// Records decisions, each unless one stands, and says what became of each, in their order. `over`
/// gives the reason for which an answer becomes the decision not to answer, by the facts as they
/// are under the locks; of two answers in one thread the second counts the first.
pub async fn record(
    tx: &mut Scoped,
    decisions: &[ReplyDecision],
    at: Timestamp,
    since: Since,
    over: impl Fn(&Ask, &ReplyFacts) -> Option<ReplyReason>,
) -> Result<Vec<Recorded>, Fault> {
    if decisions.is_empty() {
        return Ok(Vec::new());
    }

    // lock
    let asks: Vec<Ask> = decisions.iter().map(|decision| decision.ask.clone()).collect();
    lock(tx, &asks).await?;
    let overtaken = bursts::overtaken(tx, &asks).await?;

    // decide by what holds under the locks; a silence that tells nobody depends on nothing
    let depending = decisions.iter().filter(|one| one.body.is_some() || one.reason.hands_off());
    let depending: Vec<Ask> = depending.map(|one| one.ask.clone()).collect();
    let facts = load::facts(tx, &depending, since).await?;
    let facts: HashMap<Uuid, ReplyFacts> =
        facts.into_iter().map(|facts| (facts.inbound, facts)).collect();
    let finals = finals(decisions, &facts, &overtaken, over);

    // record
    use_up(tx, &finals).await?;
    let kept: Vec<&Final<'_>> = finals.iter().filter(|one| !one.is_overtaken).collect();
    let mut new = insert(tx, &kept, at).await?;
    // Of a text that is there twice the first decision was inserted.
    let new: Vec<&Final<'_>> =
        kept.into_iter().filter(|one| new.remove(&one.ask().message.0)).collect();
    let answered: Vec<(&TenantId, Uuid, AutomaticAnswer)> = new
        .iter()
        .filter(|one| one.body.is_some())
        .map(|one| (&one.ask().tenant, one.ask().inbound, AutomaticAnswer::Ai))
        .collect();
    answers::record(tx, &answered).await?;
    note_answers(tx, &new, at).await?;
    give_to_nobody(tx, &new).await?;
    let handing: Vec<(&Ask, ReplyReason)> = new
        .iter()
        .filter(|one| one.reason.hands_off())
        .map(|one| (one.ask(), one.reason))
        .collect();
    hand_offs::record(tx, &handing, at).await?;
    bursts::close(tx, asks.iter().filter(|ask| !overtaken.contains(&ask.inbound))).await?;

    stands(tx, &asks, &overtaken).await
}

/// A decision as the facts under the locks leave it.
struct Final<'a> {
    decision: &'a ReplyDecision,
    body: Option<&'a str>,
    reason: ReplyReason,
    is_overtaken: bool,
}

impl Final<'_> {
    fn ask(&self) -> &Ask {
        &self.decision.ask
    }
}

fn finals<'a>(
    decisions: &'a [ReplyDecision],
    facts: &HashMap<Uuid, ReplyFacts>,
    overtaken: &HashSet<Uuid>,
    over: impl Fn(&Ask, &ReplyFacts) -> Option<ReplyReason>,
) -> Vec<Final<'a>> {
    let mut before: HashMap<ConversationId, Vec<&str>> = HashMap::new();
    let decide = |decision: &'a ReplyDecision| {
        let ask = &decision.ask;
        let said = before.entry(ask.conversation).or_default();
        let facts = facts.get(&ask.inbound).cloned().map(|mut facts| {
            facts.had.count(said, ask);
            facts
        });

        let over = match &facts {
            Some(facts) if decision.body.is_some() => over(ask, facts),
            None if decision.body.is_some() => Some(ReplyReason::NoFacts),
            Some(facts) if decision.reason.hands_off() => {
                let may = facts.ownership.lets_assistant_answer(ask.epoch);
                (!may).then_some(ReplyReason::EpochOver)
            }
            Some(_) | None => None,
        };
        let is_overtaken = overtaken.contains(&ask.inbound);
        let body = decision.body.as_deref().filter(|_| over.is_none());
        if body.is_some() && !is_overtaken {
            said.push(&ask.wording);
        }
        Final { decision, body, reason: over.unwrap_or(decision.reason), is_overtaken }
    };
    decisions.iter().map(decide).collect()
}

impl HadAnswers {
    /// Counts answers of the same transaction, by the words that they are to.
    fn count(&mut self, to: &[&str], ask: &Ask) {
        let answers = i64::try_from(to.len()).unwrap_or(i64::MAX);
        self.in_thread += answers;
        self.today += answers;
        self.to_same_words |= to.contains(&ask.wording.as_str());
    }
}

/// Locks what answers are counted by, and whose turn it is.
async fn lock(tx: &mut Scoped, asks: &[Ask]) -> Result<(), Fault> {
    let people: BTreeSet<(&str, &str, &str)> = asks
        .iter()
        .map(|ask| (ask.tenant.as_str(), ask.address.as_str(), ask.channel.as_str()))
        .collect();
    sqlx::query!(
        "select from standings s
         join unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
           on s.tenant_id = k.tenant_id and s.number = k.number and s.channel = k.channel
         order by s.tenant_id, s.number, s.channel for update of s",
        &people.iter().map(|person| person.0).collect::<Vec<_>>() as _,
        &people.iter().map(|person| person.1).collect::<Vec<_>>() as _,
        &people.iter().map(|person| person.2).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let threads: BTreeSet<(&str, Uuid)> =
        asks.iter().map(|ask| (ask.tenant.as_str(), ask.conversation.0)).collect();
    sqlx::query!(
        "select from conversations v
         join unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
           on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
         order by v.tenant_id, v.conversation_id for update of v",
        &threads.iter().map(|thread| thread.0).collect::<Vec<_>>() as _,
        &threads.iter().map(|thread| thread.1).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Inserts decisions, and gives the ids of those that are new.
async fn insert(
    tx: &mut Scoped,
    finals: &[&Final<'_>],
    at: Timestamp,
) -> Result<HashSet<Uuid>, Fault> {
    let sorted = in_lock_order(finals, |one| (&one.ask().tenant, one.ask().message.0));
    let made = |one: &&&Final<'_>| one.decision.generation.clone();
    let made: Vec<Option<Generation>> = sorted.iter().map(made).collect();
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
        &sorted.iter().map(|one| one.ask().tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.ask().message.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.ask().conversation.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.ask().inbound).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.body).collect::<Vec<_>>() as _,
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

/// Counts what the model has cost, also for what is thrown away: it is paid for.
async fn use_up(tx: &mut Scoped, finals: &[Final<'_>]) -> Result<(), Fault> {
    let made = finals.iter().filter_map(|one| {
        let made = one.decision.generation.as_ref()?;
        Some((&one.ask().tenant, made, one.body.is_some()))
    });
    count_all(tx, made).await
}

/// Counts what a model has cost that gave no answer in the end.
pub async fn count(tx: &mut Scoped, tenant: &TenantId, made: &Generation) -> Result<(), Fault> {
    count_all(tx, [(tenant, made, false)]).await
}

/// What was used under settings: the day, answers, tokens, cost and calls of tools.
type UsedSums = (jiff::civil::Date, i64, i64, i64, i64);

/// Counts what models have cost, each with whether it has become an answer.
async fn count_all<'a>(
    tx: &mut Scoped,
    all: impl IntoIterator<Item = (&'a TenantId, &'a Generation, bool)>,
) -> Result<(), Fault> {
    let mut sums: HashMap<(&TenantId, &str, Uuid), UsedSums> = HashMap::new();
    for (tenant, made, is_answer) in all {
        let key = (tenant, made.scope.as_str(), made.target);
        let sum = sums.entry(key).or_insert((made.day, 0, 0, 0, 0));
        sum.1 += i64::from(is_answer);
        sum.2 = sum.2.saturating_add(made.input_tokens).saturating_add(made.output_tokens);
        sum.3 = sum.3.saturating_add(made.cost.0);
        sum.4 += i64::from(made.tool_calls);
    }
    if sums.is_empty() {
        return Ok(());
    }

    let sums: Vec<_> = sums.into_iter().collect();
    let sorted = in_lock_order(&sums, |(key, _)| *key);
    sqlx::query!(
        "insert into assistant_usage as u (tenant_id, scope, target, day, answers, tokens,
                                           cost_micros, tool_calls)
         select tenant_id, scope, target, day::date, answers, tokens, cost_micros, tool_calls
         from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[])
              as k (tenant_id, scope, target, day, answers, tokens, cost_micros, tool_calls)
         on conflict (tenant_id, scope, target) do update
         set day = greatest(u.day, excluded.day),
             answers = excluded.answers + case when u.day >= excluded.day then u.answers else 0 end,
             tokens = excluded.tokens + case when u.day >= excluded.day then u.tokens else 0 end,
             cost_micros = excluded.cost_micros
                 + case when u.day >= excluded.day then u.cost_micros else 0 end,
             tool_calls = excluded.tool_calls
                 + case when u.day >= excluded.day then u.tool_calls else 0 end",
        &sorted.iter().map(|(key, _)| key.0.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(key, _)| key.1).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(key, _)| key.2).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.0.to_string()).collect::<Vec<String>>(),
        &sorted.iter().map(|(_, sum)| sum.1).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.2).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.3).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.4).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// An answer is the last text of its thread, unless a later one is.
async fn note_answers(tx: &mut Scoped, new: &[&Final<'_>], at: Timestamp) -> Result<(), Fault> {
    let said: Vec<&Ask> =
        new.iter().filter(|one| one.body.is_some()).map(|one| one.ask()).collect();
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
async fn give_to_nobody(tx: &mut Scoped, new: &[&Final<'_>]) -> Result<(), Fault> {
    let off: Vec<&Ask> =
        new.iter().filter(|one| one.reason == ReplyReason::AiOff).map(|one| one.ask()).collect();
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
    asks: &[Ask],
    overtaken: &HashSet<Uuid>,
) -> Result<Vec<Recorded>, Fault> {
    let rows = sqlx::query!(
        r#"select k.message_id as "message_id!", r.body, r.reason
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           cross join lateral (
               select a.body, a.reason from ai_replies a
               where a.tenant_id = k.tenant_id and a.message_id = k.message_id limit 1
           ) r"#,
        &asks.iter().map(|ask| ask.tenant.as_str()).collect::<Vec<_>>() as _,
        &asks.iter().map(|ask| ask.message.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let mut stored: HashMap<Uuid, ReplyDecided> = HashMap::new();
    for row in rows {
        let decided = ReplyDecided { body: row.body, reason: word(&row.reason)? };
        stored.insert(row.message_id, decided);
    }

    let stand = |ask: &Ask| match stored.get(&ask.message.0) {
        Some(decided) => Recorded::Stands(decided.clone()),
        None => {
            debug_assert!(overtaken.contains(&ask.inbound), "every other decision has a row");
            Recorded::Overtaken
        }
    };
    Ok(asks.iter().map(stand).collect())
}
