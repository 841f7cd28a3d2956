//! Bandwidth Messaging: one file per thing that its contract has. It has one webhook address for
//! everything, keeps no text, and brings our reference back as the tag of a message.

mod account_api;
mod adapter;
mod classify;
mod client;
mod codes;
mod credentials;
mod numbers;
mod records;
pub mod webhook;
mod xml;

pub(crate) use adapter::{ABILITIES, is_genuine, owns_host};
pub use client::{Client, MessageRequest};
pub use codes::cause;
pub(crate) use codes::{COMPLAINTS, account_verdict};
pub(crate) use credentials::{account_id_fault, account_id_of, secret_fault};
pub(crate) use webhook::{read_reports, read_texts, unread};

/// The Messaging API's own host.
pub const HOST: &str = "messaging.bandwidth.com";

/// Where the Messaging API is, unless a carrier account says otherwise.
pub const BASE_URL: &str = "https://messaging.bandwidth.com";

/// Ids are letters and digits; others are let through as long as they are safe in a URL, a key and
/// a log.
pub(crate) fn is_message_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}
