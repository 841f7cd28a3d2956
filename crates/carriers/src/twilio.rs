//! Twilio Programmable Messaging: one file per thing that its contract has.

mod adapter;
mod callback;
mod classify;
mod client;
mod codes;
mod delivery_codes;
mod form;
mod keywords;
mod number_codes;
mod numbers;
mod records;
pub mod signature;
pub mod webhook;

pub(crate) use adapter::{
    ABILITIES, REQUEST_NAME_HEADER, account_id_fault, account_id_of, acknowledgement, is_genuine,
    owns_host, read_report, read_text,
};
pub use callback::{callback_url, parse_callback_query};
pub use client::{Client, CreateMessage};
pub(crate) use codes::account_verdict;
pub use codes::cause;
pub(crate) use delivery_codes::COMPLAINTS;
pub use keywords::{HELP_KEYWORDS, OPT_IN_KEYWORDS, OPT_OUT_KEYWORDS, answered_by_carrier};

/// The REST API's own host.
pub const HOST: &str = "api.twilio.com";

/// Where the REST API is, unless a carrier account says otherwise.
pub const BASE_URL: &str = "https://api.twilio.com";

/// Whether a sender's name is the SID of a Messaging Service: `MG` and 32 hexadecimal digits.
pub(crate) fn is_service(sender: &str) -> bool {
    let digits = sender.strip_prefix("MG").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Ids are `SM` or `MM` and 32 hex digits; other forms are let through as long as they are safe in
/// a URL, a key and a log.
pub(crate) fn is_sid(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
