//! What Twilio posts: status reports of texts we sent, and texts that people sent to us, as a form
//! or as JSON. Unknown parameters are ignored, because Twilio adds some without notice. Verify the
//! signature first.

use std::fmt;

use domain::media::MOST_PER_MESSAGE;

use super::form::{parameters, take};
use crate::{
    redact::Hidden,
    report::{ReportedStatus, WebhookError},
};

/// One status report (`StatusCallback`).
#[derive(Clone, PartialEq, Eq)]
pub struct StatusCallback {
    /// Twilio's id of the text.
    pub sid: String,
    /// Twilio's id of the account.
    pub account_sid: Option<String>,
    /// Where the text stands.
    pub status: ReportedStatus,
    /// Twilio's error code, also where the status itself carries none.
    pub error_code: Option<u32>,
    /// The recipient's number.
    pub to: Option<String>,
    /// Sender of the text.
    pub from: Option<String>,
}

/// One text that somebody sent to one of our numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// Twilio's id of the text.
    pub sid: String,
    /// Twilio's id of the account.
    pub account_sid: Option<String>,
    /// The messaging service whose number was texted, if any.
    pub messaging_service_sid: Option<String>,
    /// The number of whoever wrote.
    pub from: String,
    /// Our number that was texted.
    pub to: String,
    /// The text; empty for media without one.
    pub body: String,
    /// How many media came with it.
    pub num_media: u16,
    /// Where they are (`MediaUrl0` and on), in their order; at most ten.
    pub media: Vec<String>,
    /// Segments that Twilio bills.
    pub num_segments: Option<u16>,
    /// Set where Twilio's Advanced Opt-Out recognised a keyword, and thus answered it.
    pub opt_out_type: Option<OptOutType>,
}

/// What Advanced Opt-Out took a text for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptOutType {
    /// A wish to opt out.
    Stop,
    /// A wish to opt in.
    Start,
    /// A cry for help.
    Help,
}

/// Reads a status report.
///
/// # Errors
/// When the id or the status is missing, malformed or not known.
pub fn parse_status(body: &[u8]) -> Result<StatusCallback, WebhookError> {
    let mut pairs = parameters(body);
    let sid = sid(&mut pairs)?;
    let error_code = match take(&mut pairs, "ErrorCode") {
        Some(code) => Some(code.parse().map_err(|_| WebhookError::Parameter("ErrorCode"))?),
        None => None,
    };
    let status = take(&mut pairs, "MessageStatus")
        .or_else(|| take(&mut pairs, "SmsStatus"))
        .ok_or(WebhookError::Parameter("MessageStatus"))?;
    Ok(StatusCallback {
        sid,
        account_sid: take(&mut pairs, "AccountSid"),
        status: reported_status(&status, error_code).ok_or(WebhookError::UnknownStatus)?,
        error_code,
        to: take(&mut pairs, "To"),
        from: take(&mut pairs, "From"),
    })
}

/// Reads an inbound text.
///
/// # Errors
/// When the id or a number is missing, or a count is not one.
pub fn parse_inbound(body: &[u8]) -> Result<InboundMessage, WebhookError> {
    let mut pairs = parameters(body);
    let media = media(&mut pairs);
    Ok(InboundMessage {
        media,
        sid: sid(&mut pairs)?,
        account_sid: take(&mut pairs, "AccountSid"),
        messaging_service_sid: take(&mut pairs, "MessagingServiceSid"),
        from: take(&mut pairs, "From").ok_or(WebhookError::Parameter("From"))?,
        to: take(&mut pairs, "To").ok_or(WebhookError::Parameter("To"))?,
        body: take(&mut pairs, "Body").unwrap_or_default(),
        num_media: count(&mut pairs, "NumMedia")?.unwrap_or(0),
        num_segments: count(&mut pairs, "NumSegments")?,
        opt_out_type: take(&mut pairs, "OptOutType").and_then(|kind| OptOutType::read(&kind)),
    })
}

/// Twilio's word for an outbound status; none for the inbound ones and for words it may add.
pub(super) fn reported_status(status: &str, code: Option<u32>) -> Option<ReportedStatus> {
    match status {
        // Twilio has it, the recipient's carrier not yet.
        "accepted" | "scheduled" | "queued" | "sending" => Some(ReportedStatus::Pending),
        // `partially_delivered` proves no delivery of the whole.
        "sent" | "partially_delivered" => Some(ReportedStatus::Sent),
        "delivered" => Some(ReportedStatus::Delivered),
        "undelivered" => Some(ReportedStatus::Undelivered(code)),
        "failed" | "canceled" => Some(ReportedStatus::Failed(code)),
        "read" => Some(ReportedStatus::Read),
        _ => None,
    }
}

// === impl OptOutType ===

impl OptOutType {
    fn read(kind: &str) -> Option<Self> {
        match kind.to_ascii_uppercase().as_str() {
            "STOP" => Some(Self::Stop),
            "START" => Some(Self::Start),
            "HELP" => Some(Self::Help),
            _ => None,
        }
    }
}

fn sid(pairs: &mut [(String, String)]) -> Result<String, WebhookError> {
    take(pairs, "MessageSid")
        .or_else(|| take(pairs, "SmsSid"))
        .filter(|sid| super::is_sid(sid))
        .ok_or(WebhookError::Parameter("MessageSid"))
}

/// The addresses of media, as far as they follow each other from the first on.
fn media(pairs: &mut [(String, String)]) -> Vec<String> {
    (0..MOST_PER_MESSAGE).map_while(|i| take(pairs, &format!("MediaUrl{i}"))).collect()
}

fn count(pairs: &mut [(String, String)], name: &'static str) -> Result<Option<u16>, WebhookError> {
    let Some(text) = take(pairs, name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| WebhookError::Parameter(name))
}

impl fmt::Debug for StatusCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusCallback")
            .field("sid", &self.sid)
            .field("account_sid", &self.account_sid)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("to", &self.to.as_deref().map(Hidden))
            .field("from", &self.from.as_deref().map(Hidden))
            .finish()
    }
}

impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("sid", &self.sid)
            .field("account_sid", &self.account_sid)
            .field("messaging_service_sid", &self.messaging_service_sid)
            .field("from", &Hidden(&self.from))
            .field("to", &Hidden(&self.to))
            .field("body", &Hidden(&self.body))
            .field("num_media", &self.num_media)
            .field("media", &self.media.len())
            .field("num_segments", &self.num_segments)
            .field("opt_out_type", &self.opt_out_type)
            .finish()
    }
}
