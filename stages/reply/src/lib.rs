//! Reply: the assistant answers what people write, through the same gates as everybody.
//!
//! | | |
//! |---|---|
//! | Consumes | `inbound.<tenant>`; due rows of `reply_bursts` |
//! | Emits | `msg.submitted.urgent`, class conversational; by way of the outbox |
//! | | conversation.handed_off |
//! | Reads | `conversations`, `standings`, `ai_replies`, `inbound_texts`, `assistant_settings`, |
//! | | `assistant_tools`, `assistant_usage`, `tenants` |
//! | Writes | `ai_replies`, `inbound_texts`, `reply_bursts`, `assistant_usage`, `conversations`, |
//! | | `conversation_entries`, `unsaid_events` |
//! | Calls | the Anthropic Messages API, once per burst of texts; tools of companies, and with |
//! | | what they say the API again, three times at most |
//! | Never | answers someone who opted out, or where a person answers; keeps quiet where somebody |
//! | | waits for an answer: then a person is told |
//!
//! Two parts share the work. The stage takes each text as it comes: it answers what needs no
//! model, and has all others wait in the burst of their conversation. The source takes bursts that
//! are due, asks the model, and says what it may.

mod answering;
mod ask;
mod decide;
mod load;
mod question;
mod record;
mod say;
mod texts;

pub use answering::AnswerSource;
pub use ask::Model;
pub use texts::ReplyStage;
