//! The Anthropic Messages API: one question, one answer, with what is looked up on the way. Which
//! calls to repeat, and when, is the caller's business; the errors say what is allowed.

mod assistant;
mod breaker;
mod client;
mod consult;
mod error;
mod tool;

pub use assistant::AssistantQuestion;
pub use breaker::Breaker;
pub use client::Client;
pub use consult::{Consulted, Lookup, Toolbox};
pub use error::{AiError, AiFault, AiNextStep};

/// The model that answers texts, unless settings name another.
pub const MODEL: &str = "claude-haiku-5-5";
