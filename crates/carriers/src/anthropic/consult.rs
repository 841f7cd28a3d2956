//! A conversation as the model is asked about it, with what it looks up on the way: it calls a
//! tool, reads what that has said, and so on for a few rounds; then it must answer.

use std::time::{Duration, Instant};

use domain::assistant::{TOOL_ROUNDS, ToolFailure};
use serde_json::Value;

use super::{
    assistant::AssistantQuestion,
    client::Client,
    error::AiError,
    tool::{ToolCall, ToolExchange},
};
use crate::tools::{CallableTool, ToolCallOf, ToolCaller};

/// The tools that the model may use for one answer.
#[derive(Clone, Copy)]
pub struct Toolbox<'a> {
    /// Who calls them.
    pub caller: &'a ToolCaller,
    /// What there is.
    pub tools: &'a [CallableTool],
    /// The address of the person who writes; none in a trial.
    pub from: Option<&'a str>,
}

/// What became of a question to the model. Holds what it has written and looked up: no `Debug`.
#[derive(Clone)]
pub struct Consulted {
    /// What it said to the tool by which it answers, which need not follow its schema; none where
    /// it has not used it, or broke off. Or why it gave no answer. What it had read and looked up
    /// until then is counted all the same.
    pub answer: Result<Option<Value>, AiError>,
    /// The model that answered, by the provider's word.
    pub model: String,
    /// Tokens read, in all rounds.
    pub input_tokens: u64,
    /// Of these, tokens that came from the prompt cache.
    pub cached_tokens: u64,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
    /// What the tools have told, for [`domain::assistant::judge`].
    pub looked_up: String,
    /// Every call of a tool, in their order.
    pub lookups: Vec<Lookup>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The tool, as the model has called it.
    pub tool: String,
    /// Why it has said nothing; none where it has said something.
    pub failure: Option<ToolFailure>,
    /// How long it took.
    pub took: Duration,
}

/// What is kept of the time for the answer, while tools are called.
const FOR_ANSWER: Duration = Duration::from_secs(6);

/// The longest name of a tool that is kept, in characters.
const LONGEST_NAME: usize = 64;

impl Client {
    /// Asks the model what the assistant says next, and calls the tools that it wants to use. All
    /// of it takes as long as one call of this client may take. What the model says is judged by
    /// [`domain::assistant::judge`].
    pub async fn consult(
        &self,
        question: AssistantQuestion<'_>,
        toolbox: Option<Toolbox<'_>>,
    ) -> Consulted {
        let begun = Instant::now();
        let left = || self.timeout().saturating_sub(begun.elapsed());
        let tools = toolbox.map_or(&[][..], |toolbox| toolbox.tools);
        let mut exchanges: Vec<ToolExchange> = Vec::new();
        let mut consulted = Consulted::new();

        loop {
            let must_answer = exchanges.len() >= TOOL_ROUNDS || left() < FOR_ANSWER;
            let asking = self.clone().with_timeout(left());
            let answer = match asking.converse(question, tools, &exchanges, must_answer).await {
                Ok(answer) => answer,
                Err(error) => {
                    consulted.answer = Err(error);
                    return consulted;
                }
            };
            consulted.model = answer.model;
            consulted.input_tokens = consulted.input_tokens.saturating_add(answer.input_tokens);
            consulted.cached_tokens = consulted.cached_tokens.saturating_add(answer.cached_tokens);
            consulted.output_tokens = consulted.output_tokens.saturating_add(answer.output_tokens);

            match (answer.call, toolbox) {
                (Some(call), Some(toolbox)) if !must_answer => {
                    let within = left().saturating_sub(FOR_ANSWER);
                    exchanges.push(toolbox.look_up(call, within, &mut consulted).await);
                }
                (Some(_) | None, _) => {
                    consulted.answer = Ok(answer.input);
                    return consulted;
                }
            }
        }
    }
}

impl Consulted {
    fn new() -> Self {
        Self {
            answer: Ok(None),
            model: String::new(),
            input_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
            looked_up: String::new(),
            lookups: Vec::new(),
        }
    }
}

impl Toolbox<'_> {
    /// Calls the tool that the model wants, and says what it gave.
    async fn look_up(
        &self,
        call: ToolCall,
        within: Duration,
        consulted: &mut Consulted,
    ) -> ToolExchange {
        let begun = Instant::now();
        let of = ToolCallOf { from: self.from, within };
        let found = match self.tools.iter().find(|one| one.tool.name == call.name) {
            Some(callable) => self.caller.call(callable, &call.input, of).await,
            None => Err(ToolFailure::Unknown),
        };

        consulted.lookups.push(Lookup {
            tool: call.name.chars().take(LONGEST_NAME).collect(),
            failure: found.as_ref().err().copied(),
            took: begun.elapsed(),
        });

        match found {
            Ok(result) => {
                consulted.looked_up.push_str(&result.told);
                consulted.looked_up.push('\n');
                ToolExchange { call, result: result.shown, failed: false }
            }
            Err(failure) => ToolExchange { call, result: failure.told().to_owned(), failed: true },
        }
    }
}
