//! What the assistant answered: one row per burst of texts, or per text that needs no model; the
//! first decision stands.

mod assistants;
mod load;
mod lock;
mod reason;
mod record;
mod usage;
mod waiting;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    address::Address,
    assistant::{AssistantScope, AssistantSettings, Confidence, Cues},
    conversation::Ownership,
    ids::{ContactId, ConversationId, MessageId, TenantId},
    message::class::Channel,
    money::Micros,
    zones::Zone,
};
use jiff::{Timestamp, civil::Date};
use sqlx::types::Uuid;

pub use load::{facts, written};
pub use lock::lock;
pub use reason::ReplyReason;
pub use record::{Recorded, record};
pub use usage::count;
pub use waiting::waiting;

/// A text that wants an answer, the last of its burst.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose number was texted.
    pub tenant: TenantId,
    /// The text that wants an answer.
    pub inbound: Uuid,
    /// The thread that the text is in.
    pub conversation: ConversationId,
    /// The thread's epoch when the text came.
    pub epoch: i32,
    /// The id that the answer will have.
    pub message: MessageId,
    /// The address that it came from.
    pub address: Address,
    /// The channel that it came by, which the answer travels on.
    pub channel: Channel,
    /// The person who wrote it.
    pub contact: ContactId,
    /// Its words as they are compared ([`domain::lexicon::wording`]).
    pub wording: String,
    /// The burst that it is the last of; none of a text that is answered, or not, by itself.
    pub burst: Option<Uuid>,
}

/// What is known of one text that wants an answer.
#[derive(Debug, Clone)]
pub struct ReplyFacts {
    /// The text that wants an answer.
    pub inbound: Uuid,
    /// Who answers the thread now.
    pub ownership: Ownership,
    /// Whether the person has opted out or must not be contacted.
    pub silenced: bool,
    /// What its thread and its person have had.
    pub had: HadAnswers,
    /// What the assistant goes by there: one for all threads under the same settings.
    pub assistant: Arc<AssistantFacts>,
    /// Whether it has joined a burst, which is answered for it.
    pub joined: bool,
    /// What was decided before, if anything.
    pub decided: Option<ReplyDecided>,
}

/// What the assistant goes by in a thread.
#[derive(Debug, Clone)]
pub struct AssistantFacts {
    /// Whose settings these are: the most specific that there are.
    pub scope: AssistantScope,
    /// The brand or the inbox; of the company the nil id.
    pub target: Uuid,
    /// The settings; none where this version cannot read them.
    pub settings: Option<AssistantSettings>,
    /// What these settings listen for.
    pub cues: Cues,
    /// The company's zone; none where this version does not know it.
    pub zone: Option<Zone>,
    /// What the company is called.
    pub company: String,
    /// The day of the company that `used` is of.
    pub used_on: Option<Date>,
    /// What was used under these settings on that day.
    pub used: Used,
}

/// What a model has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens that it read and wrote.
    pub tokens: i64,
    /// By the price in the settings.
    pub cost: Micros,
}

/// Texts and answers before a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HadAnswers {
    /// Answers of the assistant in the thread in the last hour.
    pub in_thread: i64,
    /// Of these, what was said outside the hours.
    pub closed_answers: i64,
    /// Texts of the person in the thread in the last hour.
    pub texts: i64,
    /// Automatic answers of any kind to the person in the last day.
    pub today: i64,
    /// Whether one of the last day was to the same words.
    pub to_same_words: bool,
    /// Whether one of the thread's last answers has the same words.
    pub says_same: bool,
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

/// A decision to record.
#[derive(Clone)]
pub struct ReplyDecision {
    /// The text that asked.
    pub ask: Ask,
    /// The answer; none for a decision not to answer.
    pub body: Option<String>,
    /// That it is answered, or why not.
    pub reason: ReplyReason,
    /// How the model came to it; none where none was asked.
    pub generation: Option<Generation>,
}

/// How a model came to an answer, or to none.
#[derive(Clone)]
pub struct Generation {
    /// The settings that it went by.
    pub scope: AssistantScope,
    /// The brand or the inbox of these settings; of the company the nil id.
    pub target: Uuid,
    /// The day of the company that it counts for.
    pub day: Date,
    /// The model, as the provider names it.
    pub model: String,
    /// Tokens that the model read.
    pub input_tokens: i64,
    /// Of these, tokens that came from the prompt's cache.
    pub cached_tokens: i64,
    /// Tokens that the model wrote.
    pub output_tokens: i64,
    /// By the price in the settings; zero without one.
    pub cost: Micros,
    /// From the question to the end of its answer.
    pub latency_ms: i32,
    /// How often it called tools.
    pub tool_calls: i16,
    /// Of these calls, those of which nothing came.
    pub tool_failures: i16,
    /// The model's own word; none where it has said nothing of use.
    pub confidence: Option<Confidence>,
    /// What the model has read of the person, by the settings' fields.
    pub qualification: BTreeMap<String, String>,
}

impl AssistantFacts {
    /// What was used on a day of the company.
    pub fn used_on(&self, day: Date) -> Used {
        if self.used_on == Some(day) { self.used } else { Used::default() }
    }
}

impl std::fmt::Debug for ReplyDecided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decided({})", self.reason.as_str())
    }
}
