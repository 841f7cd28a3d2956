//! The wire contract in code: subjects, streams, payloads and frames. `subjects.md` says the same
//! for people, and a test compares the two.

pub mod carrier;
pub mod dead;
pub mod event;
pub mod frame;
pub mod inbound;
pub mod json;
pub mod message;
mod relayed;
pub mod stream;
pub mod subject;
pub mod totals;

pub use carrier::WebhookRequest;
pub use dead::DeadLetter;
pub use event::{Event, EventKind};
pub use frame::{MemberKey, Payload};
pub use inbound::InboundText;
pub use message::{Admitted, Enriched, Submitted};
pub use relayed::Relayed;
pub use stream::Stream;
pub use subject::Subject;

/// The digits of [`hex`].
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes bytes as lower-case hexadecimal, two digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        text.extend([digit(byte >> 4), digit(byte & 0xf)]);
    }
    text
}

/// Reads what [`hex`] has written; none for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };

    text.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back_and_nothing_else_does() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(hex(&[0x00, 0x0f, 0xa9, 0xff]), "000fa9ff");
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));

        for odd in ["0", "0g", "é", "+1", " 1"] {
            assert_eq!(unhex(odd), None, "{odd:?}");
        }
    }
}
