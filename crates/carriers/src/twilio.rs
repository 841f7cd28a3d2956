//! Twilio Programmable Messaging: one file per thing that its contract has.

mod callback;
mod classify;
mod client;
mod codes;
mod delivery_codes;
mod form;
mod keywords;
mod records;
pub mod signature;
pub mod webhook;

use std::time::Duration;

pub use callback::{CallbackRef, callback_url, parse_callback_query};
pub use client::{Client, Outbound};
pub use codes::cause;
pub use keywords::{
    HELP_KEYWORDS, KeywordGroup, OPT_IN_KEYWORDS, OPT_OUT_KEYWORDS, answered_by_carrier,
};
pub use records::{MessageRecord, ReadError};

/// The REST API's own host.
pub const HOST: &str = "api.twilio.com";

/// Where the REST API is, unless a carrier account says otherwise.
pub const BASE_URL: &str = "https://api.twilio.com";

/// How long its list may miss a text that it took. Twilio names no number; this is ours, and
/// `MILLRACE_LIST_LAG` sets another.
pub const LIST_LAG: Duration = Duration::from_secs(30);

/// Ids are `SM` or `MM` and 32 hex digits; other forms are let through as long as they are safe in
/// a URL, a key and a log.
pub(crate) fn is_sid(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
