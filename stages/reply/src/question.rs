//! A text that wants an answer, whichever way it comes.

use domain::{
    ids::{MessageId, SenderId},
    lexicon,
};
use jiff::Timestamp;
use store::conversations::{bursts::Burst, replies::Ask};
use wire::InboundText;

/// A text that wants an answer: one that came, or the last of a burst.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) ask: Ask,
    /// The sender that was texted.
    pub(crate) sender: SenderId,
    pub(crate) body: String,
    /// Business time of its arrival.
    pub(crate) received_at: Timestamp,
    pub(crate) trace: Option<String>,
}

impl Question {
    /// A text by itself.
    pub(crate) fn of(text: &InboundText) -> Self {
        let ask = Ask {
            tenant: text.tenant.clone(),
            inbound: text.id,
            conversation: text.conversation,
            epoch: i32::try_from(text.epoch).unwrap_or(i32::MAX),
            message: MessageId::from_burst(text.conversation, text.epoch, text.id),
            address: text.address.clone(),
            channel: text.channel,
            contact: text.contact,
            wording: lexicon::wording(&text.body),
            burst: None,
        };
        Self {
            ask,
            sender: text.sender,
            body: text.body.clone(),
            received_at: text.received_at,
            trace: text.trace.clone(),
        }
    }

    /// The last text of a burst.
    pub(crate) fn of_burst(burst: &Burst) -> Self {
        Self {
            ask: burst.ask.clone(),
            sender: burst.sender,
            body: burst.body.clone(),
            received_at: burst.received_at,
            trace: burst.trace.clone(),
        }
    }
}
