//! The carriers and the AI provider: one folder each, with the client, the webhook codec, the
//! signature and the error table of that provider, and nothing else.
//!
//! What a carrier says is turned into an [`CarrierReply`] here, once, by an explicit table; whoever calls
//! decides what to do with it. Nothing here retries, follows a redirect or reads a clock.

pub mod answer;
pub mod anthropic;
pub mod hosts;
pub mod http;
mod redact;
mod setup;
mod tls;
pub mod twilio;

pub use answer::{CarrierReply, CodeInfo, Doubt, Refusal, Throttle, ThrottleScope};
pub use hosts::{BaseUrlError, check_base_url};
pub use setup::SetupError;
