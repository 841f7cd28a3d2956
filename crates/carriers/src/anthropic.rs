//! The Anthropic Messages API: one question, one answer. Which calls to repeat, and when, is the
//! caller's business; the errors say what is allowed.

mod assistant;
mod breaker;
mod client;
mod consult;
mod error;
mod tool;

pub use assistant::AssistantQuestion;
pub use breaker::Breaker;
pub use client::{Client, Message, Reply, Request, Speaker, StopReason};
pub use consult::{Consulted, Lookup, Toolbox};
pub use error::{AiError, AiFault, AiNextStep};
pub use tool::{Tool, ToolAnswer, ToolCall, ToolExchange, ToolRequest};

/// The API's own host.
pub const HOST: &str = "api.anthropic.com";

/// The model that answers texts, unless settings name another.
pub const MODEL: &str = "claude-haiku-5-5";

/// Where the API is, unless the settings say otherwise.
pub const BASE_URL: &str = "https://api.anthropic.com";
