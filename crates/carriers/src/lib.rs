//! The carriers and the AI provider: one folder each, with the client, the webhook codec, the
//! signature and the error table of that provider, and nothing else. [`Carrier`] and [`Client`]
//! are what the rest of Millrace asks; no other crate names a carrier.
//!
//! What a carrier says is turned into a [`CarrierReply`] here, once, by an explicit table; whoever
//! calls decides what to do with it. Nothing here retries or reads a clock, and only the fetch of
//! media follows a redirect.
//!
//! How a carrier is added: the README beside this crate.

pub mod abilities;
pub mod account;
pub mod answer;
pub mod anthropic;
pub mod bandwidth;
pub mod carrier;
pub mod hosts;
pub mod http;
#[cfg(feature = "loopback")]
pub mod loopback;
pub mod media;
mod media_reply;
mod media_url;
pub mod numbers;
pub mod outbound;
mod outcomes;
pub mod public;
pub mod record;
mod redact;
pub mod report;
mod said;
mod setup;
pub mod tag;
pub mod templates;
mod tls;
pub mod tools;
pub mod twilio;
pub mod webhook;
pub mod whatsapp;

pub use abilities::Abilities;
pub use account::{AccountFault, Client, Clients};
pub use answer::{AccountVerdict, CarrierReply, CodeInfo, Doubt, Refusal, Throttle, ThrottleScope};
pub use carrier::{Carrier, first_look, longest_list_lag};
pub use hosts::{BaseUrlError, check_base_url, is_same_place};
pub use media::MediaFetcher;
pub use media_reply::MediaReply;
pub use numbers::{AccountNumber, NumberQuery, NumberReply, OfferedNumber, OwnedNumber};
pub use outbound::Outbound;
pub use outcomes::outcomes;
pub use record::{MessageRecord, ReadError};
pub use report::{
    KeywordGroup, MarketingStop, PhoneEcho, ReceivedText, Reference, ReportedNumbers,
    ReportedStatus, StatusReport, WebhookError,
};
pub use setup::SetupError;
pub use templates::{CarrierTemplateError, NewCarrierTemplate, TemplateChange, TemplateNews};
pub use tools::{CallableTool, ToolAddressFault, ToolCallOf, ToolCaller};
pub use webhook::{Acknowledgement, Incoming, SIGNATURE_HEADERS};
