//! One question to the model, and what its answer means.

use std::time::{Duration, Instant};

use carriers::anthropic::{AiNextStep, AssistantQuestion, Breaker, Client, ToolAnswer};
use domain::{
    assistant::{AnswerDoubt, AssistantSettings, Turn, judge},
    money::Micros,
};
use jiff::Timestamp;
use stage::machine;
use store::conversations::replies::{AssistantFacts, Generation, ReplyDecision, ReplyReason};

use crate::{
    decide::{day_of, silence},
    question::Question,
};

/// The longest call: people who text do not wait for more.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The model that answers, as one process calls it.
#[derive(Debug)]
pub struct Model {
    client: Client,
    /// The name at the provider, where settings name none.
    name: String,
    breaker: Breaker,
}

impl Model {
    /// The model of this name, behind this client; a call may take 20 s.
    pub fn new(client: Client, name: String) -> Self {
        Self { client: client.with_timeout(TIMEOUT), name, breaker: Breaker::default() }
    }

    /// The same, with another limit for a call.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// Until when no call may begin, because too many have failed.
    pub(crate) fn paused_until(&self, machine: Timestamp) -> Option<Timestamp> {
        self.breaker.paused_until(machine)
    }
}

/// The model gave no answer, and may later.
pub(crate) struct NoAnswer {
    /// The wait that the provider asked for.
    pub(crate) after: Option<Duration>,
}

/// Asks the model once.
///
/// # Errors
/// No answer, which may come of another call. Everything else is a decision: the answer, or that a
/// person goes on.
pub(crate) async fn ask(
    model: &Model,
    now: Timestamp,
    question: &Question,
    assistant: &AssistantFacts,
    turns: &[Turn],
) -> Result<ReplyDecision, NoAnswer> {
    let reason = |reason| Ok(silence(question.ask.clone(), reason));
    let (Some(settings), Some(zone)) = (&assistant.settings, assistant.zone) else {
        return reason(ReplyReason::BadSettings);
    };
    if turns.is_empty() {
        return reason(ReplyReason::Empty);
    }

    let conversation =
        AssistantQuestion { settings, company: &assistant.company, turns, model: &model.name };
    let begun = Instant::now();
    let answer = model.client.converse(conversation).await;
    let took = begun.elapsed();
    metrics::histogram!("millrace_reply_model_seconds").record(took);

    let error = match answer {
        Ok(answer) => {
            model.breaker.answered();
            let day = day_of(now, zone);
            return Ok(decision(question, assistant, settings, answer, (day, took)));
        }
        Err(error) => error,
    };
    match error.next_step() {
        AiNextStep::Retry { after } => {
            tracing::warn!(%error, "the AI gives no answer");
            model.breaker.failed(machine::now(), after);
            Err(NoAnswer { after })
        }
        AiNextStep::StopAccount => {
            tracing::error!(%error, "the AI account refuses calls: check ANTHROPIC_API_KEY");
            reason(ReplyReason::AiAccount)
        }
        AiNextStep::GiveUp => {
            tracing::error!(%error, "the AI refuses a question: check the model's name");
            reason(ReplyReason::AiRefused)
        }
    }
}

/// What an answer becomes, with what it has cost.
fn decision(
    question: &Question,
    assistant: &AssistantFacts,
    settings: &AssistantSettings,
    answer: ToolAnswer,
    (day, took): (jiff::civil::Date, Duration),
) -> ReplyDecision {
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let (read, written) = (number(answer.input_tokens), number(answer.output_tokens));
    let mut generation = Generation {
        scope: assistant.scope,
        target: assistant.target,
        day,
        model: answer.model,
        input_tokens: read,
        cached_tokens: number(answer.cached_tokens),
        output_tokens: written,
        cost: settings.price.map_or(Micros::ZERO, |price| price.of(read, written)),
        latency_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
        confidence: None,
        qualification: Default::default(),
    };

    let judged = match answer.input {
        Some(said) => judge(settings, &said),
        None => Err(AnswerDoubt::Unreadable),
    };
    let (body, reason) = match judged {
        Ok(draft) => {
            generation.confidence = Some(draft.confidence);
            generation.qualification = draft.qualification;
            (Some(draft.body), ReplyReason::Answered)
        }
        Err(doubt) => (None, reason_of(doubt)),
    };
    ReplyDecision { ask: question.ask.clone(), body, reason, generation: Some(generation) }
}

fn reason_of(doubt: AnswerDoubt) -> ReplyReason {
    match doubt {
        AnswerDoubt::Unreadable => ReplyReason::AiIncomplete,
        AnswerDoubt::HandedOff => ReplyReason::AiHandsOff,
        AnswerDoubt::Unsure => ReplyReason::AiUnsure,
        AnswerDoubt::TooLong => ReplyReason::AiTooLong,
        AnswerDoubt::NotAllowed => ReplyReason::AiNotAllowed,
    }
}
