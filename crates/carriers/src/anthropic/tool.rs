//! A question whose answer is in the form of a tool's input: the model must use the tool, in the
//! end, where there are others that it may use before. What is
//! the same from question to question - tool and instructions - is marked for the provider's cache.

use std::fmt;

use domain::storable::storable;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::{Client, Message},
    error::AiError,
};
use crate::redact::Hidden;

/// A tool that the model must use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool<'a> {
    /// Its name, as the model calls it.
    pub(super) name: &'a str,
    /// What it is for.
    pub(super) description: &'a str,
    /// The JSON schema of its input, an object.
    pub(super) schema: &'a Value,
}

/// One question to the model.
#[derive(Clone, Copy)]
pub(super) struct ToolRequest<'a> {
    /// The model's name; comes from settings.
    pub(super) model: &'a str,
    /// Instructions; must not be empty.
    pub(super) system: &'a str,
    /// The conversation so far, the oldest first, a user's message last.
    pub(super) messages: &'a [Message<'a>],
    /// Longest answer, in tokens.
    pub(super) max_tokens: u32,
    /// The tool that the model must use in the end.
    pub(super) tool: Tool<'a>,
    /// Tools that it may use before.
    pub(super) others: &'a [Tool<'a>],
    /// What it has used of them already.
    pub(super) exchanges: &'a [ToolExchange],
    /// Whether it must use the first tool now; it must where there are no others.
    pub(super) must_answer: bool,
}

/// What the model wants of one of the other tools.
#[derive(Clone, PartialEq)]
pub(super) struct ToolCall {
    /// The call's id, by the provider.
    pub(super) id: String,
    /// The tool's name, which need not be one that there is.
    pub(super) name: String,
    /// The tool's input, which need not follow its schema.
    pub(super) input: Value,
}

/// A call of a tool, and what came of it.
#[derive(Clone, PartialEq)]
pub(super) struct ToolExchange {
    /// What the model wanted.
    pub(super) call: ToolCall,
    /// What it is told.
    pub(super) result: String,
    /// Whether the tool has failed.
    pub(super) failed: bool,
}

/// What the model said to the tool.
#[derive(Clone, PartialEq)]
pub(super) struct ToolAnswer {
    /// The tool's input, which need not follow its schema; none where the model has not used the
    /// tool, or broke off.
    pub(super) input: Option<Value>,
    /// What it wants of another tool, where it has not used this one.
    pub(super) call: Option<ToolCall>,
    /// The model that answered, by the provider's word.
    pub(super) model: String,
    /// Tokens read, those to and from the prompt cache included.
    pub(super) input_tokens: u64,
    /// Of these, tokens that came from the prompt cache.
    pub(super) cached_tokens: u64,
    /// Tokens that the model wrote.
    pub(super) output_tokens: u64,
}

/// How many characters of a model's name are read.
const LONGEST_NAME: usize = 100;

// === impl Client ===

impl Client {
    /// Asks the model once, which must answer by the tool.
    ///
    /// # Errors
    /// Everything but a readable message; [`AiError::next_step`] says what may be done.
    pub(super) async fn use_tool(&self, request: ToolRequest<'_>) -> Result<ToolAnswer, AiError> {
        let name = request.tool.name;
        self.post(&body(request), |body| read(body, name)).await
    }
}

fn body(request: ToolRequest<'_>) -> Value {
    let ToolRequest { model, system, messages, max_tokens, tool, others, .. } = request;
    let mut messages: Vec<Value> = messages.iter().map(|message| json!(message)).collect();
    messages.extend(request.exchanges.iter().flat_map(ToolExchange::messages));

    let mut tools = vec![described(&tool)];
    tools[0]["strict"] = json!(true);
    tools.extend(others.iter().map(described));
    // One call at a time: each has its answer before the next.
    let choice = if others.is_empty() || request.must_answer {
        json!({ "type": "tool", "name": tool.name, "disable_parallel_tool_use": true })
    } else {
        json!({ "type": "any", "disable_parallel_tool_use": true })
    };
    json!({
        "model": model,
        "max_tokens": max_tokens,
        "system": [{ "type": "text", "text": system, "cache_control": { "type": "ephemeral" } }],
        "messages": messages,
        "tools": tools,
        "tool_choice": choice,
    })
}

fn described(tool: &Tool<'_>) -> Value {
    json!({ "name": tool.name, "description": tool.description, "input_schema": tool.schema })
}

impl ToolExchange {
    /// The model's turn with the call, and ours with what came of it.
    fn messages(&self) -> [Value; 2] {
        let ToolCall { id, name, input } = &self.call;
        [
            json!({ "role": "assistant", "content": [
                { "type": "tool_use", "id": id, "name": name, "input": input },
            ] }),
            json!({ "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": id, "content": self.result,
                  "is_error": self.failed },
            ] }),
        ]
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolExchange")
            .field("call", &self.call)
            .field("result", &Hidden(&self.result))
            .field("failed", &self.failed)
            .finish()
    }
}

impl fmt::Debug for ToolAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolAnswer")
            .field("has_input", &self.input.is_some())
            .field("call", &self.call)
            .field("model", &self.model)
            .field("input_tokens", &self.input_tokens)
            .field("cached_tokens", &self.cached_tokens)
            .field("output_tokens", &self.output_tokens)
            .finish()
    }
}

// === the wire form ===

#[derive(Deserialize)]
struct WireMessage {
    #[serde(default)]
    model: String,
    content: Vec<WireBlock>,
    stop_reason: String,
    usage: WireUsage,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireBlock {
    ToolUse {
        #[serde(default)]
        id: String,
        name: String,
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
}

fn read(body: &[u8], tool: &str) -> Option<ToolAnswer> {
    let wire: WireMessage = serde_json::from_slice(body).ok()?;
    // An answer that broke off at its longest, or that the model refused to end, is none.
    let is_whole = wire.stop_reason == "tool_use";
    let (mut used, mut call) = (None, None);
    for block in wire.content.into_iter().filter(|_| is_whole) {
        match block {
            WireBlock::ToolUse { name, input, .. } if name == tool => {
                used.get_or_insert(stored(input));
            }
            WireBlock::ToolUse { id, name, input } => {
                let (id, name) = (storable(id), storable(name));
                call.get_or_insert(ToolCall { id, name, input: stored(input) });
            }
            WireBlock::Other => {}
        }
    }

    let usage = wire.usage;
    let cached_tokens = usage.cache_read_input_tokens.unwrap_or(0);
    let written = usage.cache_creation_input_tokens.unwrap_or(0);
    Some(ToolAnswer {
        call: call.filter(|_| used.is_none()),
        input: used,
        model: storable(wire.model.chars().take(LONGEST_NAME).collect()),
        input_tokens: usage.input_tokens.saturating_add(cached_tokens).saturating_add(written),
        cached_tokens,
        output_tokens: usage.output_tokens,
    })
}

/// A value whose texts can be stored.
fn stored(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(items) => items.into_iter().map(stored).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (storable(name), stored(value))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(content: &Value, stop_reason: &str) -> Vec<u8> {
        let usage = json!({ "input_tokens": 10, "output_tokens": 5,
                            "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4 });
        let message = json!({ "model": "m", "content": content, "stop_reason": stop_reason,
                              "usage": usage });
        message.to_string().into_bytes()
    }

    #[test]
    fn the_input_of_the_named_tool_is_the_answer_and_only_a_whole_one() {
        let used = json!([{ "type": "text", "text": "Let me see" },
                          { "type": "tool_use", "id": "t", "name": "answer", "input": { "a": 1 } }]);
        let read_as = |stop: &str| read(&message(&used, stop), "answer").expect("readable");

        let whole = read_as("tool_use");
        assert_eq!(whole.input, Some(json!({ "a": 1 })));
        assert_eq!((whole.input_tokens, whole.cached_tokens, whole.output_tokens), (17, 4, 5));
        for stop in ["max_tokens", "refusal", "end_turn"] {
            assert_eq!(read_as(stop).input, None, "{stop}");
        }

        assert_eq!(whole.call, None);
        let other = read(&message(&used, "tool_use"), "other").expect("readable");
        let call = ToolCall { id: "t".into(), name: "answer".into(), input: json!({ "a": 1 }) };
        assert_eq!((other.input, other.call), (None, Some(call)));
        let cut = read(&message(&used, "max_tokens"), "other").expect("readable");
        assert_eq!(cut.call, None);
        assert_eq!(read(b"{}", "answer"), None);
    }
}
