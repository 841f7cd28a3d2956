//! The wire contract in code: subjects, streams, payloads and frames. `subjects.md` says the same
//! for people, and a test compares the two.

pub mod carrier;
pub mod dead;
pub mod event;
pub mod frame;
pub mod inbound;
pub mod message;
pub mod stream;
pub mod subject;
pub mod totals;

pub use carrier::WebhookRequest;
pub use dead::DeadLetter;
pub use event::{Event, EventKind};
pub use frame::{Key, Payload};
pub use inbound::InboundText;
pub use message::{Admitted, Enriched, Submitted};
pub use stream::Stream;
pub use subject::Subject;

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
