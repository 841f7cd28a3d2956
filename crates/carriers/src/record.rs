//! What a carrier has on record about texts: the evidence that settles a call in doubt.

use std::fmt;

use jiff::Timestamp;

use crate::{
    answer::{Doubt, Throttle, ThrottleScope},
    http::{CallFault, Reply, retry_after},
    redact::Hidden,
    report::ReportedStatus,
};

/// One outbound text as its carrier has it on record.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// The carrier's id of the text.
    pub sid: String,
    /// Where it stands.
    pub status: ReportedStatus,
    /// Recipient of the text, E.164.
    pub to: String,
    /// Sender; none until the carrier has picked one.
    pub from: Option<String>,
    /// The text as the carrier stored it; empty where it was redacted.
    pub body: String,
    /// When the carrier took it.
    pub created_at: Option<Timestamp>,
    /// When the carrier handed it on; none before.
    pub sent_at: Option<Timestamp>,
    /// Billed segments, once counted.
    pub segments: Option<u16>,
}

/// Why a record or a list could not be read. Says nothing about what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Ask again later, slower (429).
    #[error("the carrier asks to be called less")]
    Throttled(Throttle),
    /// Credentials or account are stopped (401, 403).
    #[error("the carrier does not accept the account ({status})")]
    Stopped {
        /// The reply's HTTP status.
        status: u16,
    },
    /// No usable reply; ask again later.
    #[error("no usable reply from the carrier: {0:?}")]
    Unavailable(Doubt),
    /// No connection was made.
    #[error("the carrier could not be reached")]
    NoConnection,
    /// The list goes on past the page limit, so absence cannot be read from it.
    #[error("more than {0} are listed")]
    TooMany(usize),
    /// The carrier offers no such look-up, see [`crate::Abilities`].
    #[error("the carrier offers no such look-up")]
    NotOffered,
}

/// A 200 that is not in the carrier's own form.
pub(crate) const UNREADABLE: ReadError = ReadError::Unavailable(Doubt::Unreadable { status: 200 });

impl ReadError {
    /// What a reply says that is no 200; `code` is the carrier's own, where the reply has one.
    pub(crate) fn of_reply(reply: &Reply, code: Option<u32>) -> Self {
        let status = reply.status;
        match status {
            401 | 403 => Self::Stopped { status },
            429 => Self::Throttled(Throttle {
                scope: ThrottleScope::Account,
                retry_after: retry_after(&reply.headers),
            }),
            ..=400 | 402 | 404..=428 | 430.. => Self::Unavailable(Doubt::Status { status, code }),
        }
    }
}

impl From<CallFault> for ReadError {
    fn from(fault: CallFault) -> Self {
        Doubt::of(fault).map_or(Self::NoConnection, Self::Unavailable)
    }
}

impl fmt::Debug for MessageRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRecord")
            .field("sid", &self.sid)
            .field("status", &self.status)
            .field("to", &Hidden(&self.to))
            .field("from", &self.from.as_deref().map(Hidden))
            .field("body", &Hidden(&self.body))
            .field("created_at", &self.created_at)
            .field("sent_at", &self.sent_at)
            .field("segments", &self.segments)
            .finish()
    }
}
