//! One question to the model, with what it looks up on the way, and what its answer means.

use std::time::{Duration, Instant};

use carriers::{
    ToolCaller,
    anthropic::{
        AiError, AiNextStep, AssistantQuestion, Breaker, Client, Consulted, Lookup, Toolbox,
    },
};
use domain::{
    assistant::{AnswerDoubt, AssistantSettings, AssistantTool, ToolFailure, Turn, judge},
    money::Micros,
};
use jiff::{Timestamp, civil::Date};
use stage::machine;
use store::{
    conversations::replies::{AssistantFacts, Generation, ReplyDecision, ReplyReason},
    core::seal::Sealer,
};

use crate::{
    decide::{day_of, silence},
    question::Question,
};

/// The longest time for an answer, tools included: people who text do not wait for more.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The model that answers, as one process calls it.
#[derive(Debug)]
pub struct Model {
    client: Client,
    /// The name at the provider, where settings name none.
    name: String,
    breaker: Breaker,
    /// What calls the tools of companies; none: the model has none.
    tools: Option<ToolCalls>,
}

/// What tools are called with.
#[derive(Debug)]
struct ToolCalls {
    caller: ToolCaller,
    sealer: Sealer,
}

impl Model {
    /// The model of this name, behind this client; an answer may take 20 s.
    pub fn new(client: Client, name: String) -> Self {
        let client = client.with_timeout(TIMEOUT);
        Self { client, name, breaker: Breaker::default(), tools: None }
    }

    /// The same, with the tools of companies; `sealer` opens their secrets.
    #[must_use]
    pub fn with_tools(mut self, caller: ToolCaller, sealer: Sealer) -> Self {
        self.tools = Some(ToolCalls { caller, sealer });
        self
    }

    /// The same, with another limit for an answer.
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
    /// What it has cost until then; none where it cost nothing.
    pub(crate) spent: Option<Box<Generation>>,
}

/// Asks the model once, with the tools of the company.
///
/// # Errors
/// No answer, which may come of another call. Everything else is a decision: the answer, or that a
/// person goes on.
pub(crate) async fn ask(
    model: &Model,
    now: Timestamp,
    question: &Question,
    assistant: &AssistantFacts,
    (turns, tools): (&[Turn], &[(AssistantTool, Option<String>)]),
) -> Result<ReplyDecision, NoAnswer> {
    let reason = |reason| Ok(silence(question.ask.clone(), reason));
    let (Some(settings), Some(zone)) = (&assistant.settings, assistant.zone) else {
        return reason(ReplyReason::BadSettings);
    };
    if turns.is_empty() {
        return reason(ReplyReason::Empty);
    }

    // ask
    let conversation =
        AssistantQuestion { settings, company: &assistant.company, turns, model: &model.name };
    let callable = model.tools.as_ref().map(|ToolCalls { caller, sealer }| {
        (caller, caller.callable(tools, |sealed| sealer.open_secret(sealed)))
    });
    let toolbox = callable.as_ref().map(|(caller, tools)| {
        let from = Some(question.ask.address.as_str());
        Toolbox { caller, tools, from }
    });
    let begun = Instant::now();
    let consulted = model.client.consult(conversation, toolbox).await;
    let took = begun.elapsed();
    metrics::histogram!("millrace_reply_model_seconds").record(took);
    consulted.lookups.iter().for_each(tell);

    // decide
    let made = generation(assistant, settings, &consulted, (day_of(now, zone), took));
    match consulted.answer {
        Ok(said) => {
            model.breaker.answered();
            Ok(decision(question, settings, &consulted.looked_up, (said, made)))
        }
        Err(error) => unanswered(model, question, &error, made),
    }
}

/// Counts a call of a tool.
fn tell(lookup: &Lookup) {
    let outcome = lookup.failure.map_or("found", ToolFailure::as_str);
    metrics::counter!("millrace_reply_lookups_total", "outcome" => outcome).increment(1);
    metrics::histogram!("millrace_reply_lookup_seconds").record(lookup.took);
}

/// What a question becomes that the model gave no answer to.
fn unanswered(
    model: &Model,
    question: &Question,
    error: &AiError,
    made: Generation,
) -> Result<ReplyDecision, NoAnswer> {
    let spent = (made.input_tokens > 0).then_some(made);
    let reason = match error.next_step() {
        AiNextStep::Retry { after } => {
            tracing::warn!(%error, "the AI gives no answer");
            model.breaker.failed(machine::now(), after);
            return Err(NoAnswer { after, spent: spent.map(Box::new) });
        }
        AiNextStep::StopAccount => {
            tracing::error!(%error, "the AI account refuses calls: check ANTHROPIC_API_KEY");
            ReplyReason::AiAccount
        }
        AiNextStep::GiveUp => {
            tracing::error!(%error, "the AI refuses a question: check the model's name");
            ReplyReason::AiRefused
        }
    };
    Ok(ReplyDecision { generation: spent, ..silence(question.ask.clone(), reason) })
}

/// How the model came to what it said, or to nothing, and what that has cost.
fn generation(
    assistant: &AssistantFacts,
    settings: &AssistantSettings,
    consulted: &Consulted,
    (day, took): (Date, Duration),
) -> Generation {
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let (read, written) = (number(consulted.input_tokens), number(consulted.output_tokens));
    let few = |calls: usize| i16::try_from(calls).unwrap_or(i16::MAX);
    let failed = consulted.lookups.iter().filter(|lookup| lookup.failure.is_some());

    Generation {
        scope: assistant.scope,
        target: assistant.target,
        day,
        model: consulted.model.clone(),
        input_tokens: read,
        cached_tokens: number(consulted.cached_tokens),
        output_tokens: written,
        cost: settings.price.map_or(Micros::ZERO, |price| price.of(read, written)),
        latency_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
        tool_calls: few(consulted.lookups.len()),
        tool_failures: few(failed.count()),
        confidence: None,
        qualification: Default::default(),
    }
}

/// What becomes of what the model said, by what its tools have told.
fn decision(
    question: &Question,
    settings: &AssistantSettings,
    looked_up: &str,
    (said, mut made): (Option<serde_json::Value>, Generation),
) -> ReplyDecision {
    let judged = match said {
        Some(said) => judge(settings, looked_up, &said),
        None => Err(AnswerDoubt::Unreadable),
    };
    let (body, reason) = match judged {
        Ok(draft) => {
            made.confidence = Some(draft.confidence);
            made.qualification = draft.qualification;
            (Some(draft.body), ReplyReason::Answered)
        }
        Err(doubt) => (None, reason_of(doubt)),
    };
    ReplyDecision { ask: question.ask.clone(), body, reason, generation: Some(made) }
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
