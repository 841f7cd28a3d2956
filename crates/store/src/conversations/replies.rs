//! What the AI answered: one row per text that asked, the first decision stands.

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::Address,
    automatic::AutomaticAnswer,
    conversation::{ConversationOwner, Ownership},
    ids::{ContactId, ConversationId, MessageId, TenantId},
    lexicon::wording,
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{answers, ownership};
use crate::{
    Scoped,
    core::words::{optional, word, words},
    fault,
};

/// That a text is answered, or why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyReason {
    /// The AI has answered it.
    Answered,
    /// The person has opted out or must not be contacted.
    OptedOut,
    /// The thread has begun anew since the text came.
    EpochOver,
    /// A person answers in the thread, or is to: the assistant is quiet.
    PersonAnswers,
    /// The thread has had its answers of this hour, or as many questions in one batch.
    AnswersPerHour,
    /// The person has had their automatic answers of this day.
    AnswersPerDay,
    /// The same words have had an answer this day: a machine says them.
    Repeated,
    /// There is nothing in the text.
    Empty,
    /// Nothing is known of the text's thread.
    NoFacts,
    /// No AI is set up.
    AiOff,
    /// The AI provider refuses the account.
    AiAccount,
    /// The AI provider refuses the question.
    AiRefused,
    /// The answer breaks off, or is empty.
    AiIncomplete,
}

impl ReplyReason {
    /// Every reason, the answer first.
    pub const ALL: [Self; 13] = [
        Self::Answered,
        Self::OptedOut,
        Self::EpochOver,
        Self::PersonAnswers,
        Self::AnswersPerHour,
        Self::AnswersPerDay,
        Self::Repeated,
        Self::Empty,
        Self::NoFacts,
        Self::AiOff,
        Self::AiAccount,
        Self::AiRefused,
        Self::AiIncomplete,
    ];

    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::OptedOut => "opted_out",
            Self::EpochOver => "epoch_over",
            Self::PersonAnswers => "person_answers",
            Self::AnswersPerHour => "answers_per_hour",
            Self::AnswersPerDay => "answers_per_day",
            Self::Repeated => "repeated",
            Self::Empty => "empty",
            Self::NoFacts => "no_facts",
            Self::AiOff => "ai_off",
            Self::AiAccount => "ai_account",
            Self::AiRefused => "ai_refused",
            Self::AiIncomplete => "ai_incomplete",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

words! { ReplyReason = "reason of a reply" }

/// What is known of one text that wants an answer.
#[derive(Debug, Clone)]
pub struct ReplyFacts {
    /// The text that wants an answer.
    pub inbound: Uuid,
    /// Who answers in the thread now, and in which epoch.
    pub ownership: Ownership,
    /// Whether the person has opted out or must not be contacted.
    pub silenced: bool,
    /// What its thread and its person have had.
    pub had: HadAnswers,
    /// What was decided before, if anything.
    pub decided: Option<ReplyDecided>,
}

/// Answers before a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HadAnswers {
    /// AI answers in the thread in the last hour.
    pub in_thread: i64,
    /// Automatic answers of any kind to the person in the last day.
    pub today: i64,
    /// Whether one of the last day was to the same words.
    pub to_same_words: bool,
}

/// Since when answers count.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// In the thread.
    pub hour_start: Timestamp,
    /// To the person.
    pub day_start: Timestamp,
}

/// A decision that stands.
#[derive(Clone)]
pub struct ReplyDecided {
    /// The answer; none when it was decided not to answer.
    pub body: Option<String>,
    /// That it was answered, or why not.
    pub reason: ReplyReason,
}

impl std::fmt::Debug for ReplyDecided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decided({})", self.reason.as_str())
    }
}

/// A text that wants an answer.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose number was texted.
    pub tenant: TenantId,
    /// The text that wants an answer.
    pub inbound: Uuid,
    /// The thread that the text is in.
    pub conversation: ConversationId,
    /// The id that the answer will have.
    pub message: MessageId,
    /// The thread's epoch when it came.
    pub epoch: u32,
    /// The address that it came from.
    pub address: Address,
    /// The channel that it came by, which the answer travels on.
    pub channel: Channel,
    /// The person who wrote it.
    pub contact: ContactId,
    /// Its words as they are compared ([`wording`]).
    pub wording: String,
}

/// Loads what is known of these texts.
pub async fn facts(tx: &mut Scoped, asks: &[Ask], since: Since) -> Result<Vec<ReplyFacts>, Fault> {
    let had = had_answers(tx, asks, since).await?;
    let rows = sqlx::query!(
        r#"select k.inbound_id as "inbound_id!", v.owner, v.assignee, v.epoch,
                  (s.opted_out_at is not null or s.do_not_contact_at is not null) as "silenced!",
                  r.message_id as "message_id?", r.body as "body?", r.reason as "reason?"
           from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
             as k (tenant_id, inbound_id, conversation_id, message_id, number, channel)
           join conversations v
             on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           cross join lateral (
               select p.opted_out_at, p.do_not_contact_at from standings p
               where p.tenant_id = k.tenant_id and p.number = k.number and p.channel = k.channel
               limit 1) s
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

    let facts = rows.into_iter().map(|row| {
        let reason: Option<ReplyReason> = optional(row.reason.as_deref())?;
        Ok(ReplyFacts {
            inbound: row.inbound_id,
            ownership: Ownership {
                owner: word(&row.owner)?,
                assignee: row.assignee,
                epoch: row.epoch,
            },
            silenced: row.silenced,
            had: had.get(&row.inbound_id).copied().unwrap_or_default(),
            decided: reason.map(|reason| ReplyDecided { body: row.body, reason }),
        })
    });
    facts.collect()
}

/// What the threads and people of these texts have had, by text. Counted once a thread and person,
/// however many texts ask: a thread has thousands of decisions where somebody floods it.
async fn had_answers(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Since,
) -> Result<HashMap<Uuid, HadAnswers>, Fault> {
    let in_thread = in_threads(tx, asks, since.hour_start).await?;
    let to_people = to_people(tx, asks, since.day_start).await?;

    let had = asks.iter().map(|ask| {
        let known = to_people.get(&ask.contact.0);
        let (today, words) = known.map_or((0, [].as_slice()), |(n, words)| (*n, words.as_slice()));
        let had = HadAnswers {
            in_thread: in_thread.get(&ask.conversation.0).copied().unwrap_or_default(),
            today,
            to_same_words: words.contains(&ask.wording),
        };
        (ask.inbound, had)
    });
    Ok(had.collect())
}

async fn in_threads(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Timestamp,
) -> Result<HashMap<Uuid, i64>, Fault> {
    let threads: BTreeSet<(&TenantId, ConversationId)> =
        asks.iter().map(|ask| (&ask.tenant, ask.conversation)).collect();
    let rows = sqlx::query!(
        r#"select k.conversation_id as "conversation_id!",
                  (select count(*) from ai_replies a
                   where a.tenant_id = k.tenant_id and a.conversation_id = k.conversation_id
                     and a.at > $3 and a.body is not null) as "answers!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)"#,
        &threads.iter().map(|thread| thread.0.to_string()).collect::<Vec<_>>(),
        &threads.iter().map(|thread| thread.1.0).collect::<Vec<_>>(),
        since.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(|row| (row.conversation_id, row.answers)).collect())
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

/// A decision to record.
#[derive(Clone)]
pub struct ReplyDecision {
    /// The text that asked.
    pub ask: Ask,
    /// The answer; none for a decision not to answer.
    pub body: Option<String>,
    /// That it is answered, or why not.
    pub reason: ReplyReason,
    /// Tokens that the model read.
    pub input_tokens: i64,
    /// Tokens that the model wrote.
    pub output_tokens: i64,
}

/// Records decisions not to answer, all at once, each unless one stands; says which stand, in the
/// order of `silences`.
pub async fn silence(
    tx: &mut Scoped,
    silences: &[ReplyDecision],
    at: Timestamp,
) -> Result<Vec<ReplyDecided>, Fault> {
    if silences.is_empty() {
        return Ok(Vec::new());
    }

    give_to_nobody(tx, silences).await?;
    let tenants: Vec<&str> = silences.iter().map(|one| one.ask.tenant.as_str()).collect();
    let messages: Vec<Uuid> = silences.iter().map(|one| one.ask.message.0).collect();
    sqlx::query!(
        "insert into ai_replies (tenant_id, message_id, conversation_id, inbound_id, reason,
                                 input_tokens, output_tokens, at)
         select tenant_id, message_id, conversation_id, inbound_id, reason, input, output, $8
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
                     $7::bigint[])
              as k (tenant_id, message_id, conversation_id, inbound_id, reason, input, output)
         order by tenant_id, message_id
         on conflict do nothing",
        &tenants as _,
        &messages,
        &silences.iter().map(|one| one.ask.conversation.0).collect::<Vec<_>>(),
        &silences.iter().map(|one| one.ask.inbound).collect::<Vec<_>>(),
        &silences.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>() as _,
        &silences.iter().map(|one| one.input_tokens).collect::<Vec<_>>(),
        &silences.iter().map(|one| one.output_tokens).collect::<Vec<_>>(),
        at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let rows = sqlx::query!(
        r#"select r.body, r.reason
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           cross join lateral (
               select a.body, a.reason from ai_replies a
               where a.tenant_id = k.tenant_id and a.message_id = k.message_id limit 1
           ) r
           order by k.at"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let decided = rows.into_iter().map(|row| {
        let reason = word(&row.reason)?;
        Ok(ReplyDecided { body: row.body, reason })
    });
    decided.collect()
}

/// Where no AI is set up, nobody answers yet: the threads wait for a person.
async fn give_to_nobody(tx: &mut Scoped, silences: &[ReplyDecision]) -> Result<(), Fault> {
    let off: BTreeSet<(&TenantId, ConversationId, u32)> = silences
        .iter()
        .filter(|one| one.reason == ReplyReason::AiOff)
        .map(|one| (&one.ask.tenant, one.ask.conversation, one.ask.epoch))
        .collect();
    if off.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "update conversations v set owner = $4
         from unnest($1::text[], $2::uuid[], $3::bigint[]) as k (tenant_id, conversation_id, epoch)
         where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           and v.epoch = k.epoch and v.owner = $5",
        &off.iter().map(|thread| thread.0.to_string()).collect::<Vec<_>>(),
        &off.iter().map(|thread| thread.1.0).collect::<Vec<_>>(),
        &off.iter().map(|thread| i64::from(thread.2)).collect::<Vec<_>>(),
        ConversationOwner::Nobody.as_str(),
        ConversationOwner::Assistant.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Records one decision, unless one stands; says which stands. The person's recipient status and
/// the thread are locked, in this order, so that two processes count one after the other: where
/// `over` gives a reason, an answer becomes the decision not to answer.
pub async fn decide(
    tx: &mut Scoped,
    decision: &ReplyDecision,
    at: Timestamp,
    since: Since,
    over: impl Fn(&HadAnswers) -> Option<ReplyReason>,
) -> Result<ReplyDecided, Fault> {
    let ask = &decision.ask;
    let ownership = lock(tx, ask).await?;

    let had = had_answers(tx, std::slice::from_ref(ask), since).await?;
    let taken = ownership.and_then(|now| void(&now, ask.epoch));
    let over = taken.or_else(|| had.get(&ask.inbound).and_then(over));
    let over = over.filter(|_| decision.body.is_some());
    let body = decision.body.as_deref().filter(|_| over.is_none());

    let is_new = sqlx::query!(
        "insert into ai_replies (tenant_id, message_id, conversation_id, inbound_id, body, reason,
                                 input_tokens, output_tokens, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        ask.tenant.as_str(),
        ask.message.0,
        ask.conversation.0,
        ask.inbound,
        body,
        over.unwrap_or(decision.reason).as_str(),
        decision.input_tokens,
        decision.output_tokens,
        at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?
    .rows_affected()
        > 0;

    if is_new && body.is_some() {
        answers::record(tx, &[(&ask.tenant, ask.inbound, AutomaticAnswer::Ai)]).await?;
        note_answer(tx, ask, at).await?;
    }
    stands(tx, ask).await
}

/// Why an answer that was begun in an epoch is void; none where it may be sent.
pub fn void(now: &Ownership, begun_in: u32) -> Option<ReplyReason> {
    if u32::try_from(now.epoch).ok() != Some(begun_in) {
        Some(ReplyReason::EpochOver)
    } else if now.owner != ConversationOwner::Assistant {
        Some(ReplyReason::PersonAnswers)
    } else {
        None
    }
}

/// The answer is the last text of its thread, unless a later one is.
async fn note_answer(tx: &mut Scoped, ask: &Ask, at: Timestamp) -> Result<(), Fault> {
    sqlx::query!(
        "update conversations
         set last_text_at = $3, last_text_id = $4
         where tenant_id = $1 and conversation_id = $2
           and (last_text_id is null or (last_text_at, last_text_id) < ($3, $4))",
        ask.tenant.as_str(),
        ask.conversation.0,
        at.to_sqlx() as _,
        ask.message.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Locks what answers are counted by, and says who answers in the thread under that lock.
async fn lock(tx: &mut Scoped, ask: &Ask) -> Result<Option<Ownership>, Fault> {
    sqlx::query!(
        "select from standings
         where tenant_id = $1 and number = $2 and channel = $3 for update",
        ask.tenant.as_str(),
        ask.address.as_str() as _,
        ask.channel.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    ownership::owner(tx, &ask.tenant, ask.conversation).await
}

/// The decision about a text that stands.
async fn stands(tx: &mut Scoped, ask: &Ask) -> Result<ReplyDecided, Fault> {
    let row = sqlx::query!(
        "select body, reason from ai_replies where tenant_id = $1 and message_id = $2",
        ask.tenant.as_str(),
        ask.message.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(ReplyDecided { body: row.body, reason: word(&row.reason)? })
}
