//! What is known of texts that want an answer, for a whole batch.

use std::collections::{BTreeSet, HashMap};

use domain::{
    assistant::TurnSpeaker,
    conversation::Ownership,
    ids::{ContactId, ConversationId, TenantId},
    lexicon::wording,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{Ask, HadAnswers, ReplyDecided, ReplyFacts, ReplyReason, Since, assistants};
use crate::{
    Scoped,
    core::words::{optional, word},
    fault,
};

/// How many of a thread's last answers a text is compared with.
const COMPARED: i64 = 5;

/// How many texts and answers of a thread a model reads at most.
const SHOWN: i64 = 20;

/// Among how many of a thread's last texts, and of its last decisions, those are looked for. Epochs
/// only rise, so that those of the last one stand first.
const LOOKED_AT: i64 = 200;

/// Loads what is known of these texts.
pub async fn facts(tx: &mut Scoped, asks: &[Ask], since: Since) -> Result<Vec<ReplyFacts>, Fault> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let had = had_answers(tx, asks, since).await?;
    let assistants = assistants::of_threads(tx, asks).await?;
    let rows = sqlx::query!(
        r#"select k.inbound_id as "inbound_id!", v.epoch, v.owner, v.assignee,
                  (s.opted_out_at is not null or s.do_not_contact_at is not null) as "silenced!",
                  i.burst_at is not null as "joined!", r.body as "body?", r.reason as "reason?"
           from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
             as k (tenant_id, inbound_id, conversation_id, message_id, number, channel)
           join conversations v
             on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           cross join lateral (
               select p.opted_out_at, p.do_not_contact_at from standings p
               where p.tenant_id = k.tenant_id and p.number = k.number and p.channel = k.channel
               limit 1) s
           left join inbound_texts i
             on i.tenant_id = k.tenant_id and i.inbound_id = k.inbound_id
           left join ai_replies r on r.tenant_id = k.tenant_id and r.message_id = k.message_id"#,
        &asks.iter().map(|ask| ask.tenant.to_string()).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.conversation.0).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.message.0).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.address.as_str()).collect::<Vec<_>>() as _,
        &asks.iter().map(|ask| ask.channel.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let threads: HashMap<Uuid, ConversationId> =
        asks.iter().map(|ask| (ask.inbound, ask.conversation)).collect();
    let facts = rows.into_iter().filter_map(|row| {
        let assistant = assistants.get(threads.get(&row.inbound_id)?)?.clone();
        let read = || {
            let reason: Option<ReplyReason> = optional(row.reason.as_deref())?;
            let owner = word(&row.owner)?;
            Ok(ReplyFacts {
                inbound: row.inbound_id,
                ownership: Ownership { owner, assignee: row.assignee, epoch: row.epoch },
                silenced: row.silenced,
                had: had.get(&row.inbound_id).cloned().unwrap_or_default(),
                assistant,
                joined: row.joined,
                decided: reason.map(|reason| ReplyDecided { body: row.body, reason }),
            })
        };
        Some(read())
    });
    facts.collect()
}

/// What the threads and people of these texts have had, by text. Counted once a thread and person,
/// however many texts ask: a thread has thousands of decisions where somebody floods it.
pub(super) async fn had_answers(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Since,
) -> Result<HashMap<Uuid, HadAnswers>, Fault> {
    let in_threads = in_threads(tx, asks, since.hour_start).await?;
    let to_people = to_people(tx, asks, since.day_start).await?;

    let had = asks.iter().map(|ask| {
        let known = to_people.get(&ask.contact.0);
        let (today, words) = known.map_or((0, [].as_slice()), |(n, words)| (*n, words.as_slice()));
        let thread = in_threads.get(&ask.conversation.0).cloned().unwrap_or_default();
        let had = HadAnswers {
            in_thread: thread.answers,
            closed_answers: thread.closed_answers,
            texts: thread.texts,
            today,
            to_same_words: words.contains(&ask.wording),
            says_same: thread.said.contains(&ask.wording),
        };
        (ask.inbound, had)
    });
    Ok(had.collect())
}

/// What a thread has had in an hour.
#[derive(Debug, Clone, Default)]
struct InThread {
    answers: i64,
    closed_answers: i64,
    texts: i64,
    /// The words of its last answers.
    said: Vec<String>,
}

async fn in_threads(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Timestamp,
) -> Result<HashMap<Uuid, InThread>, Fault> {
    let threads: BTreeSet<(&TenantId, ConversationId)> =
        asks.iter().map(|ask| (&ask.tenant, ask.conversation)).collect();
    let rows = sqlx::query!(
        r#"select k.conversation_id as "conversation_id!", a.answers as "answers!",
                  a.closed_answers as "closed_answers!",
                  (select count(*) from inbound_texts i
                   where i.tenant_id = k.tenant_id and i.conversation_id = k.conversation_id
                     and i.received_at > $3) as "texts!",
                  array(select l.body from ai_replies l
                        where l.tenant_id = k.tenant_id and l.conversation_id = k.conversation_id
                          and l.body is not null and l.at > $3
                        order by l.at desc limit $4) as "said!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
           cross join lateral (
               select count(*) as answers,
                      count(*) filter (where r.reason = 'closed_answer') as closed_answers
               from ai_replies r
               where r.tenant_id = k.tenant_id and r.conversation_id = k.conversation_id
                 and r.at > $3 and r.body is not null
           ) a"#,
        &threads.iter().map(|thread| thread.0.to_string()).collect::<Vec<_>>(),
        &threads.iter().map(|thread| thread.1.0).collect::<Vec<_>>(),
        since.to_sqlx(),
        COMPARED,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let thread = rows.into_iter().map(|row| {
        let said = row.said.iter().map(|body| wording(body)).collect();
        let (answers, closed_answers, texts) = (row.answers, row.closed_answers, row.texts);
        (row.conversation_id, InThread { answers, closed_answers, texts, said })
    });
    Ok(thread.collect())
}

/// How many automatic answers each person has had since then, and to which words the AI's were.
async fn to_people(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Timestamp,
) -> Result<HashMap<Uuid, (i64, Vec<String>)>, Fault> {
    let people: BTreeSet<(&TenantId, ContactId)> =
        asks.iter().map(|ask| (&ask.tenant, ask.contact)).collect();

    let rows = sqlx::query!(
        r#"select k.contact_id as "contact_id!", a.today as "today!", a.words as "words!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
           cross join lateral (
               select count(*) as today,
                      coalesce(array_agg(t.body) filter (where t.answer = 'ai'), '{}') as words
               from inbound_texts t
               where t.tenant_id = k.tenant_id and t.contact_id = k.contact_id
                 and t.answer is not null and t.received_at > $3
           ) a"#,
        &people.iter().map(|person| person.0.to_string()).collect::<Vec<_>>(),
        &people.iter().map(|person| person.1.0).collect::<Vec<_>>(),
        since.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let compared = |words: Vec<String>| words.iter().map(|one| wording(one)).collect();
    Ok(rows.into_iter().map(|row| (row.contact_id, (row.today, compared(row.words)))).collect())
}

/// What was written in the threads of these texts, the oldest first: of each the last texts and
/// answers of its epoch, up to the text, among its last [`LOOKED_AT`] of each. What was said before
/// a person had the thread is not in it.
pub async fn written(
    tx: &mut Scoped,
    asks: &[Ask],
) -> Result<HashMap<Uuid, Vec<(TurnSpeaker, String)>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.inbound_id as "inbound_id!", w.is_person as "is_person!", w.body as "body!"
           from unnest($1::text[], $2::uuid[], $3::uuid[], $4::integer[])
                as k (tenant_id, inbound_id, conversation_id, epoch)
           cross join lateral (
               select * from (
                   (select true as is_person, i.body, i.received_at as at, 0 as place
                    from (
                        select * from inbound_texts o
                        where o.tenant_id = k.tenant_id and o.conversation_id = k.conversation_id
                          and o.received_at <= (select l.received_at from inbound_texts l
                                                where l.tenant_id = k.tenant_id
                                                  and l.inbound_id = k.inbound_id)
                        order by o.received_at desc, o.inbound_id desc limit $6
                    ) i
                    where i.epoch = k.epoch and i.meaning = 'text'
                    order by i.received_at desc, i.inbound_id desc limit $5)
                   union all
                   (select false, r.body, r.at, 1
                    from (
                        select * from ai_replies o
                        where o.tenant_id = k.tenant_id and o.conversation_id = k.conversation_id
                        order by o.at desc, o.message_id desc limit $6
                    ) r
                    where r.body <> ''
                      and exists (select from inbound_texts t
                                  where t.tenant_id = k.tenant_id and t.inbound_id = r.inbound_id
                                    and t.epoch = k.epoch)
                    order by r.at desc, r.message_id desc limit $5)
               ) of_both
               order by at desc, place limit $5
           ) w
           order by k.inbound_id, w.at, w.place desc"#,
        &asks.iter().map(|ask| ask.tenant.to_string()).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.conversation.0).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.epoch).collect::<Vec<_>>(),
        SHOWN,
        LOOKED_AT,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut written: HashMap<Uuid, Vec<(TurnSpeaker, String)>> = HashMap::new();
    for row in rows {
        let speaker = if row.is_person { TurnSpeaker::Person } else { TurnSpeaker::Assistant };
        written.entry(row.inbound_id).or_default().push((speaker, row.body));
    }
    Ok(written)
}
