//! What the AI answered: one row per text that asked, the first decision stands.

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::Address,
    ids::{ConversationId, MessageId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

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
    /// The thread has had its answers of this hour, or as many questions in one batch.
    AnswersPerHour,
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
    pub const ALL: [Self; 10] = [
        Self::Answered,
        Self::OptedOut,
        Self::EpochOver,
        Self::AnswersPerHour,
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
            Self::AnswersPerHour => "answers_per_hour",
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
    /// The thread's epoch now.
    pub epoch: i32,
    /// Whether the person has opted out or must not be contacted.
    pub silenced: bool,
    /// AI answers in this thread since the given instant.
    pub answers: i64,
    /// What was decided before, if anything.
    pub decided: Option<ReplyDecided>,
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
    /// The address that it came from.
    pub address: Address,
}

/// Loads what is known of these texts; `since` begins the hour that answers are counted in.
pub async fn facts(
    tx: &mut Scoped,
    asks: &[Ask],
    since: Timestamp,
) -> Result<Vec<ReplyFacts>, Fault> {
    let answers = answers(tx, asks, since).await?;
    let rows = sqlx::query!(
        r#"select k.inbound_id as "inbound_id!", k.conversation_id as "conversation_id!", v.epoch,
                  (s.opted_out_at is not null or s.do_not_contact_at is not null) as "silenced!",
                  r.message_id as "message_id?", r.body as "body?", r.reason as "reason?"
           from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
             as k (tenant_id, inbound_id, conversation_id, message_id, number)
           join conversations v
             on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           join standings s
             on s.tenant_id = k.tenant_id and s.number = k.number and s.channel = 'sms'
           left join ai_replies r on r.tenant_id = k.tenant_id and r.message_id = k.message_id"#,
        &asks.iter().map(|ask| ask.tenant.to_string()).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.inbound).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.conversation.0).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.message.0).collect::<Vec<_>>(),
        &asks.iter().map(|ask| ask.address.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let facts = rows.into_iter().map(|row| {
        let reason: Option<ReplyReason> = optional(row.reason.as_deref())?;
        Ok(ReplyFacts {
            inbound: row.inbound_id,
            epoch: row.epoch,
            silenced: row.silenced,
            answers: answers.get(&row.conversation_id).copied().unwrap_or_default(),
            decided: reason.map(|reason| ReplyDecided { body: row.body, reason }),
        })
    });
    facts.collect()
}

/// How many answers each thread has had since then. Counted once a thread, however many texts ask:
/// a thread has thousands of decisions where somebody floods it.
async fn answers(
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

/// How many answers a thread may have.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Answers after this instant count.
    pub since: Timestamp,
    /// The most of them.
    pub answers: i64,
}

/// Records one decision, unless one stands; says which stands. An answer beyond the limit becomes
/// the decision not to answer: the thread is locked, so that two processes count one after the
/// other.
pub async fn decide(
    tx: &mut Scoped,
    decision: &ReplyDecision,
    at: Timestamp,
    limit: Limit,
) -> Result<ReplyDecided, Fault> {
    let (tenant, ask) = (decision.ask.tenant.as_str(), &decision.ask);
    sqlx::query!(
        "select epoch from conversations
         where tenant_id = $1 and conversation_id = $2 for update",
        tenant,
        ask.conversation.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "with used as (
             select count(*) >= $11 as up from ai_replies
             where tenant_id = $1 and conversation_id = $3 and at > $10 and body is not null
         )
         insert into ai_replies (tenant_id, message_id, conversation_id, inbound_id, body, reason,
                                 input_tokens, output_tokens, at)
         select $1, $2, $3, $4, case when not used.up then $5 end,
                case when used.up and $5 is not null then $12 else $6 end,
                $7, $8, $9
         from used on conflict do nothing",
        tenant,
        ask.message.0,
        ask.conversation.0,
        ask.inbound,
        decision.body,
        decision.reason.as_str(),
        decision.input_tokens,
        decision.output_tokens,
        at.to_sqlx(),
        limit.since.to_sqlx(),
        limit.answers,
        ReplyReason::AnswersPerHour.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let row = sqlx::query!(
        "select body, reason from ai_replies where tenant_id = $1 and message_id = $2",
        tenant,
        ask.message.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(ReplyDecided { body: row.body, reason: word(&row.reason)? })
}
