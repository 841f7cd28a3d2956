//! One accepted text: what a carrier must know to accept it, and the states it goes through.

use std::sync::Arc;

use jiff::Timestamp;

use crate::phone::Phone;

/// The index of a text in the ledger.
pub(crate) type Index = u32;

/// Who accepted a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    Twilio,
    Bandwidth,
    Whatsapp,
}

impl Carrier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Bandwidth => "bandwidth",
            Self::Whatsapp => "whatsapp",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Twilio, Self::Bandwidth, Self::Whatsapp]
            .into_iter()
            .find(|carrier| carrier.name() == name)
    }
}

/// What has become of a text, in Twilio's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Accepted,
    Scheduled,
    Queued,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Canceled,
}

impl Status {
    /// In the order of their discriminants, which index counts.
    pub(crate) const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Scheduled,
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Failed,
        Self::Canceled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the carrier is done with it: it may be redacted and deleted.
    pub(crate) fn is_done(self) -> bool {
        match self {
            Self::Accepted | Self::Scheduled | Self::Queued => false,
            Self::Sent | Self::Delivered | Self::Undelivered | Self::Failed | Self::Canceled => {
                true
            }
        }
    }
}

/// What a carrier must know to accept a text.
pub(crate) struct Draft {
    pub(crate) carrier: Carrier,
    pub(crate) account: u16,
    pub(crate) to: Phone,
    pub(crate) from: Arc<str>,
    pub(crate) body: Box<str>,
    pub(crate) segments: u8,
    pub(crate) media: u8,
    /// The service or the application that it was sent by.
    pub(crate) service: Option<Arc<str>>,
    pub(crate) callback: Option<Arc<str>>,
    pub(crate) reference: Option<Arc<str>>,
    /// What the caller wants to have back with every receipt, where the carrier has tags.
    pub(crate) tag: Option<Box<str>>,
    pub(crate) trace: Option<Box<str>>,
    pub(crate) status: Status,
    /// Business time of acceptance.
    pub(crate) at: Timestamp,
    /// Machine time of acceptance.
    pub(crate) received_at: Timestamp,
}

/// An accepted text.
pub(crate) struct Text {
    pub(crate) sid: u128,
    pub(crate) carrier: Carrier,
    pub(crate) account: u16,
    pub(crate) to: Phone,
    pub(crate) from: Arc<str>,
    pub(crate) body: Box<str>,
    pub(crate) segments: u8,
    pub(crate) media: u8,
    /// The service or the application that it was sent by.
    pub(crate) service: Option<Arc<str>>,
    /// Where receipts go; given up after the last one.
    pub(crate) callback: Option<Arc<str>>,
    pub(crate) reference: Option<Arc<str>>,
    /// What the caller wants to have back with every receipt, where the carrier has tags.
    pub(crate) tag: Option<Box<str>>,
    /// The `traceparent` header of the call.
    pub(crate) trace: Option<Box<str>>,
    pub(crate) status: Status,
    /// The carrier's error code, 0 for none.
    pub(crate) error: u32,
    /// Hidden from the carrier's API; the ledger keeps it.
    pub(crate) redacted: bool,
    pub(crate) deleted: bool,
    /// Business time of acceptance.
    pub(crate) at: Timestamp,
    /// Machine times, as the carrier's API shows them.
    pub(crate) received_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
    /// The text to the same phone before this one, if any.
    pub(super) previous: Index,
}

impl Text {
    pub(super) fn new(sid: u128, previous: Index, draft: Draft) -> Self {
        Self {
            previous,
            sid,

            carrier: draft.carrier,
            account: draft.account,
            to: draft.to,
            from: draft.from,
            body: draft.body,
            segments: draft.segments,
            media: draft.media,
            service: draft.service,
            callback: draft.callback,
            reference: draft.reference,
            tag: draft.tag,
            trace: draft.trace,
            at: draft.at,
            received_at: draft.received_at,

            status: draft.status,
            error: 0,
            redacted: false,
            deleted: false,
            updated_at: draft.received_at,
            sent_at: None,
        }
    }

    /// 32 hexadecimal digits; of Twilio's after `SM` or, with media, `MM`, of
    /// WhatsApp's after `wamid.`.
    pub(crate) fn sid_text(&self) -> String {
        let prefix = match self.carrier {
            Carrier::Twilio if self.media > 0 => "MM",
            Carrier::Twilio => "SM",
            Carrier::Bandwidth => "",
            Carrier::Whatsapp => return format!("wamid.{:032X}", self.sid),
        };
        format!("{prefix}{:032x}", self.sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stand_at_their_discriminant() {
        for (i, status) in Status::ALL.iter().enumerate() {
            assert_eq!(*status as usize, i);
        }
    }
}
