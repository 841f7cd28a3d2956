//! WhatsApp, by Meta's Cloud API: one file per thing that its contract has. It has one webhook
//! address for everything, which Meta verifies by a GET first; it lists nothing that was sent, and
//! brings our reference back as callback data.
//!
//! Source of what is said here: Meta's documents of the Cloud API (2026-03 to 2026-11) and the SDK
//! pywa 4.5. What these leave open is read tolerantly.

mod adapter;
mod callback;
mod classify;
mod client;
mod codes;
mod components;
mod content;
mod credentials;
mod echoes;
mod envelope;
mod media;
mod numbers;
mod paging;
mod preferences;
mod signature;
mod template_news;
mod templates;
pub mod webhook;

pub(crate) use adapter::{ABILITIES, owns_host};
pub(crate) use callback::{read_echoes, read_reports, read_texts, unread};
pub(crate) use classify::account_verdict;
pub use classify::{CodeVerdict, answered};
pub use client::{Client, VERSION, WhatsappMessage};
pub use codes::cause;
pub(crate) use codes::{COMPLAINTS, MARKETING_STOPS};
pub use content::{MessageContent, Recipient};
pub use credentials::Credentials;
pub(crate) use credentials::{account_id_fault, account_id_of, check_sender, secret_fault};
pub(crate) use media::media_address;
pub(crate) use preferences::read_marketing_stops;
pub use signature::SIGNATURE_HEADER;
pub(crate) use signature::{handshake, is_genuine};
pub(crate) use template_news::read_template_news;

/// The host of the Graph API.
pub const HOST: &str = "graph.facebook.com";

/// Whether a host is one of Meta's own that gives media.
fn owns_media_host(host: &str) -> bool {
    let of = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == HOST || of("fbsbx.com") || of("whatsapp.net")
}

/// Where the Graph API is, unless a carrier account says otherwise.
pub const BASE_URL: &str = "https://graph.facebook.com";

/// An id as Meta writes one (`wamid.` and base64), safe in a row, a key and a log.
pub(crate) fn is_message_id(text: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+' | b'/' | b'=')
    };
    (1..=255).contains(&text.len()) && text.bytes().all(plain)
}

/// The id of media, as Meta writes one. It is safe in a path, and no address.
pub(crate) fn is_media_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

/// The id of a number, an account or a template: digits.
pub(crate) fn is_node(text: &str) -> bool {
    (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
