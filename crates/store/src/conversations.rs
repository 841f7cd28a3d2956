//! Conversations: the texts that people wrote, what they were answered, and who answers next.

pub mod answers;
mod arrival;
pub mod bursts;
pub mod canned;
pub mod echoes;
pub mod entries;
mod hand_offs;
pub mod inbound;
pub mod list;
pub mod replies;
pub mod row;
mod senders;
mod threads;
pub mod timeline;
pub mod unknown;
