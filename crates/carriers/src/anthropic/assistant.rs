//! A conversation as the model is asked about it: the company's instructions, the person's texts,
//! the tool by which it answers, and the company's own.

use domain::assistant::{
    ANSWER_TOOL, AssistantSettings, AssistantTool, Turn, TurnSpeaker, answer_schema, instructions,
};

use super::{
    client::{Client, Message, Speaker},
    error::AiError,
    tool::{Tool, ToolAnswer, ToolExchange, ToolRequest},
};
use crate::tools::CallableTool;

/// The longest answer with all that is in its form: two segments, and what was found out.
const MAX_TOKENS: u32 = 600;

/// What the tool is for, as the model reads it.
const PURPOSE: &str = "Answers the person, or has a colleague go on.";

/// A conversation that wants an answer.
#[derive(Debug, Clone, Copy)]
pub struct AssistantQuestion<'a> {
    /// What the assistant is told.
    pub settings: &'a AssistantSettings,
    /// What the company is called.
    pub company: &'a str,
    /// What was written, the oldest first, a person's turn last.
    pub turns: &'a [Turn],
    /// The model's name, where the settings name none.
    pub model: &'a str,
}

impl Client {
    /// Asks the model once for what the assistant says next, or which of the tools it wants to use,
    /// after what it has used already; where it must answer, it cannot use another.
    ///
    /// # Errors
    /// As for [`Client::use_tool`].
    pub(super) async fn converse(
        &self,
        conversation: AssistantQuestion<'_>,
        tools: &[CallableTool],
        exchanges: &[ToolExchange],
        must_answer: bool,
    ) -> Result<ToolAnswer, AiError> {
        let AssistantQuestion { settings, company, turns, model } = conversation;
        let system = instructions(settings, company, !tools.is_empty());
        let schema = answer_schema(settings);
        let messages: Vec<Message<'_>> = turns.iter().map(message).collect();
        let others: Vec<Tool<'_>> = tools.iter().map(|one| offered(&one.tool)).collect();
        self.use_tool(ToolRequest {
            model: settings.model.as_deref().unwrap_or(model),
            system: &system,
            messages: &messages,
            max_tokens: MAX_TOKENS,
            tool: Tool { name: ANSWER_TOOL, description: PURPOSE, schema: &schema },
            others: &others,
            exchanges,
            must_answer,
        })
        .await
    }
}

fn offered(tool: &AssistantTool) -> Tool<'_> {
    Tool { name: &tool.name, description: &tool.description, schema: &tool.schema }
}

fn message(turn: &Turn) -> Message<'_> {
    let role = match turn.speaker {
        TurnSpeaker::Person => Speaker::User,
        TurnSpeaker::Assistant => Speaker::Assistant,
    };
    Message { role, content: &turn.text }
}
