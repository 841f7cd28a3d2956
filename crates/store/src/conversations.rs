//! Conversations: the texts that people wrote, and what they were answered.

pub mod answers;
pub mod inbound;
pub mod replies;
