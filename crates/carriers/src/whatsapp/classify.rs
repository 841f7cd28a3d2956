//! From the Cloud API's reply to a send to a [`CarrierReply`]. Pure.
//!
//! An error has a code in Meta's own form, `{"error": {"code", ...}}`; which HTTP status it comes
//! with is not documented, so the code decides.
//!
//! - A code of the table is an answer to exactly this call: what it says of the message is so.
//! - Codes that say that something went wrong, and no more, are unknown, whatever the status.
//! - A code that the table does not list is a refusal with a 4xx, and unknown with any other.
//! - What is not in Meta's form did not surely come from Meta: unknown.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    answer::{AccountVerdict, CarrierReply, Doubt, Refusal, Throttle, ThrottleScope},
    http::{Reply, retry_after},
    record::ReadError,
};

/// What an error code says of the message that was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeVerdict {
    /// It is never sent.
    Refused(Refusal),
    /// It was not sent, nor will others of the account be.
    AccountRefused,
    /// It was not sent, and may be later; what is to be slowed down, and for how many seconds where
    /// the reply does not say it.
    TryLater(Option<(ThrottleScope, u64)>),
    /// Whether it was taken, nobody knows.
    Uncertain,
}

/// Reads an error code; none for one that Meta may add.
pub fn answered(code: u32) -> Option<CodeVerdict> {
    use CodeVerdict::{AccountRefused, Refused, TryLater, Uncertain};
    let later = |scope, seconds| TryLater(Some((scope, seconds)));

    Some(match code {
        // Token, permission, policy, payment: a person has to see to the account.
        0 | 3 | 10 | 190 | 200..=299 | 368 | 131_005 | 131_031 | 131_042 | 131_044 => {
            AccountRefused
        }

        4 | 80_007 => later(ThrottleScope::Account, 60),
        130_429 => later(ThrottleScope::Sender, 2),
        131_048 | 131_064 | 133_016 => later(ThrottleScope::Sender, 3_600),
        131_056 => later(ThrottleScope::Pair, 6),
        131_016 | 131_057 => TryLater(None),
        1 | 2 | 131_000 | 135_000 => Uncertain,

        131_021 | 131_026 | 131_030 | 131_049 | 131_050 | 131_062 | 130_472 => {
            Refused(Refusal::Recipient)
        }
        131_037 | 131_045 | 133_000..=133_015 => Refused(Refusal::Sender),
        130_497 => Refused(Refusal::Region),
        131_047 | 131_051..=131_053 | 132_000..=132_018 | 132_068 | 132_069 => {
            Refused(Refusal::Content)
        }
        33 | 100 | 131_008 | 131_009 | 131_063 | 137_000 => Refused(Refusal::Request),
        _ => return None,
    })
}

/// The code of an id that Meta does not know, or that the token may not see; where it was to be
/// read it is the subcode of a request that is not valid.
const NO_SUCH_ID: u32 = 33;

/// What a code says of the account that was called.
pub(crate) fn account_verdict(code: u32) -> AccountVerdict {
    match answered(code) {
        Some(CodeVerdict::AccountRefused) => AccountVerdict::Refused,
        Some(CodeVerdict::Refused(_)) if code == NO_SUCH_ID => AccountVerdict::Refused,
        Some(CodeVerdict::TryLater(_) | CodeVerdict::Uncertain) => AccountVerdict::Later,
        Some(CodeVerdict::Refused(_)) | None => AccountVerdict::Unsaid,
    }
}

/// Why a list could not be read, by a reply that is no 200. The code decides before the status:
/// Meta asks to be called less with a 400 or a 403 as well.
pub(super) fn read_error(reply: &Reply) -> ReadError {
    let code = GraphError::read(&reply.body).map(|error| match error.error_subcode {
        Some(NO_SUCH_ID) => NO_SUCH_ID,
        Some(_) | None => error.code,
    });
    match code.and_then(answered) {
        Some(CodeVerdict::TryLater(slow)) => {
            let (scope, seconds) = slow.unwrap_or((ThrottleScope::Account, 60));
            let retry_after = retry_after(&reply.headers).or(Some(Duration::from_secs(seconds)));
            ReadError::Throttled(Throttle { scope, retry_after })
        }
        Some(CodeVerdict::Uncertain) => {
            ReadError::Unavailable(Doubt::Status { status: reply.status, code })
        }
        Some(CodeVerdict::AccountRefused | CodeVerdict::Refused(_)) | None => {
            ReadError::of_reply(reply, code)
        }
    }
}

/// Reads a complete reply.
pub(super) fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> CarrierReply {
    if let 200..=299 = status {
        let unreadable = CarrierReply::Unknown { why: Doubt::Unreadable { status } };
        return accepted(body).unwrap_or(unreadable);
    }

    let Some(error) = GraphError::read(body) else {
        return CarrierReply::Unknown { why: Doubt::Unreadable { status } };
    };
    let code = error.code;
    let uncertain = CarrierReply::Unknown { why: Doubt::Status { status, code: Some(code) } };
    match answered(code) {
        Some(CodeVerdict::Refused(reason)) => CarrierReply::Refused { code, reason },
        Some(CodeVerdict::AccountRefused) => CarrierReply::AuthFailed { code },
        Some(CodeVerdict::TryLater(slow)) => {
            let throttle = slow.map(|(scope, seconds)| Throttle {
                scope,
                retry_after: retry_after.or(Some(Duration::from_secs(seconds))),
            });
            CarrierReply::NotSent { code: Some(code), throttle }
        }
        Some(CodeVerdict::Uncertain) => uncertain,
        None if (400..=499).contains(&status) && !error.is_transient && status != 408 => {
            CarrierReply::Refused { code, reason: Refusal::Unlisted }
        }
        None => uncertain,
    }
}

#[derive(Deserialize)]
struct Created {
    messages: Vec<CreatedMessage>,
}

#[derive(Deserialize)]
struct CreatedMessage {
    id: String,
}

/// One message was asked for, and one was taken. WhatsApp counts no segments.
fn accepted(body: &[u8]) -> Option<CarrierReply> {
    let created: Created = serde_json::from_slice(body).ok()?;
    let [message] = <[CreatedMessage; 1]>::try_from(created.messages).ok()?;
    super::is_message_id(&message.id)
        .then_some(CarrierReply::Accepted { sid: message.id, segments: None })
}

/// An error in the form of the Graph API.
#[derive(Deserialize)]
pub(super) struct GraphError {
    pub(super) code: u32,
    #[serde(default)]
    is_transient: bool,
    /// What is wrong more precisely, where Meta says it.
    #[serde(default)]
    pub(super) error_subcode: Option<u32>,
    /// What is wrong, in words for the developer.
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) error_user_msg: Option<String>,
}

impl GraphError {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: GraphError,
        }
        serde_json::from_slice::<Body>(body).ok().map(|body| body.error)
    }
}
