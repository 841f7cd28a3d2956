//! What a carrier's reply to "send this text" means for the message: the classes of architecture
//! section 6. A message's fate hangs on these, so nobody may match on them with a wildcard.

use std::time::Duration;

use crate::http::CallFault;

/// The outcome of one call that asked a carrier to send one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierReply {
    /// The carrier has it and named it.
    Accepted {
        /// The carrier's own id of the text.
        sid: String,
        /// Billed segments, where the carrier already counts them (Twilio: not before it has
        /// picked a sender).
        segments: Option<u16>,
    },
    /// The carrier will not send this text, now or later. Final.
    Refused {
        /// The carrier's error code.
        code: u32,
        /// Whose fault it is, in the tenant's terms.
        reason: Refusal,
    },
    /// Surely not sent: no connection was made, or the carrier's table says so for exactly this
    /// answer. May be tried again.
    NotSent {
        /// The carrier's error code; none where no connection was made.
        code: Option<u32>,
        /// What to slow down, where the carrier asked for it.
        throttle: Option<Throttle>,
    },
    /// Surely not sent, and no other text of this account will be: credentials or the account's
    /// state are wrong. Messages are held, not failed, until a person has seen to it.
    AuthFailed {
        /// The carrier's error code.
        code: u32,
    },
    /// The text may or may not have been taken. In doubt: never sent again without evidence.
    Unknown {
        /// What was seen of the call.
        why: Doubt,
    },
}

impl CarrierReply {
    /// A stable name of the class, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::NotSent { .. } => "not_sent",
            Self::AuthFailed { .. } => "auth_failed",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// Why a carrier refused a text for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The recipient opted out with the carrier; recorded as an opt-out here too.
    OptedOut,
    /// The recipient's number is wrong or cannot receive texts.
    Recipient,
    /// The sender is not usable for this text.
    Sender,
    /// The destination's country or region is not enabled.
    Region,
    /// Body, media or template are not acceptable.
    Content,
    /// The request itself is wrong: a fault of ours or of the account's settings.
    Request,
    /// A refusal in the carrier's own error form with a code that its table does not list.
    Unlisted,
}

/// A wish of the carrier to be called less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// What has been too fast.
    pub scope: ThrottleScope,
    /// How long to wait: the carrier's word, else the table's; none where neither says.
    pub retry_after: Option<Duration>,
}

/// How wide a throttle answer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThrottleScope {
    /// Every text of the carrier account.
    Account,
    /// Texts of this sender.
    Sender,
    /// Texts of this sender to this recipient.
    Pair,
}

/// What was seen when the outcome of a call is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// No complete reply within the request timeout.
    TimedOut,
    /// The connection broke after the request may have left.
    Broken,
    /// A 2xx without a readable id, or an error reply that is not in the carrier's own form.
    Unreadable {
        /// The reply's HTTP status.
        status: u16,
    },
    /// A status that says nothing certain: 5xx, 408, a redirect, an ambiguous code.
    Status {
        /// The reply's HTTP status.
        status: u16,
        /// The carrier's code, if the body held one.
        code: Option<u32>,
    },
}

/// A call that gave no complete reply: only without a connection nothing has left.
impl From<CallFault> for CarrierReply {
    fn from(fault: CallFault) -> Self {
        match Doubt::of(fault) {
            Some(why) => Self::Unknown { why },
            None => Self::NotSent { code: None, throttle: None },
        }
    }
}

impl Doubt {
    /// What a call without a complete reply leaves open; none where no connection was made.
    pub(crate) fn of(fault: CallFault) -> Option<Self> {
        match fault {
            CallFault::NoConnection => None,
            CallFault::TimedOut => Some(Self::TimedOut),
            CallFault::Broken | CallFault::TooLong => Some(Self::Broken),
        }
    }
}

/// What an error code says of the account that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountVerdict {
    /// The account or its credentials are not accepted.
    Refused,
    /// Nothing yet: the carrier wants to be called later or less, or explains nothing.
    Later,
    /// Nothing: the code is about something else, or this version does not know it.
    Unsaid,
}

/// What a carrier's error code means, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The carrier's code; 0 in the entry that stands for every code not listed.
    pub code: u32,
    /// What happened, one English sentence part without a full stop.
    pub cause: &'static str,
    /// What the tenant or the operator can do about it.
    pub next_step: &'static str,
    /// The recipient wants no more texts from this sender: record an opt-out.
    pub opt_out: bool,
}

/// The entry of a code.
pub(crate) const fn info(code: u32, cause: &'static str, next_step: &'static str) -> CodeInfo {
    CodeInfo { code, cause, next_step, opt_out: false }
}

/// The entry of a code that says that the recipient has opted out.
pub(crate) const fn opted_out(code: u32, cause: &'static str, next_step: &'static str) -> CodeInfo {
    CodeInfo { code, cause, next_step, opt_out: true }
}
