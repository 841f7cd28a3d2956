//! Conversations: the texts that people wrote, and what the AI answered.

pub mod inbound;
pub mod replies;
