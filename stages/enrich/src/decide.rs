//! One message made complete. Pure: the same message and facts give the same draft.

use domain::{
    draft::{self, Draft, DraftRequest, Person, Supplies},
    ids::ContactId,
    message::{
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::Timestamp;
use stage::Cause;
use store::messages::enrich::NewMessage;
use wire::Submitted;

use crate::load::{Found, origin};

/// What is to be stored of one message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DraftedMessage {
    pub(crate) contact: ContactId,
    /// The message made complete, or why it cannot be.
    pub(crate) draft: Draft,
    /// Whether its tenant has cancelled it before it was stored.
    pub(crate) cancelled: bool,
    /// SHA-256 of the submitted message.
    pub(crate) body_hash: Vec<u8>,
    /// The first stamp.
    pub(crate) passport: Passport,
}

/// Makes a message complete. A message that cannot be rendered is drafted as failed.
///
/// # Errors
/// No row can be made: the tenant does not exist, or the hash of the body is none.
pub(crate) fn draft(
    now: Timestamp,
    found: &Found<'_>,
    supplies: &Supplies,
) -> Result<DraftedMessage, Cause> {
    let (message, contact) = (found.message, found.person.contact);
    let body_hash = body_hash(message).ok_or(Cause("bad_body_hash"))?;

    let unknown = Person::default();
    let person = found.on_file.contact.as_ref().unwrap_or(&unknown);
    let (class, channel, to) = (message.head.class, message.head.channel, &message.head.to);
    let request = DraftRequest { class, channel, to, origin: origin(message) };
    let draft = draft::draft(&request, contact, person, supplies);
    let draft = draft.ok_or(Cause("unknown_tenant"))?;

    let mut passport = Passport::default();
    passport.stamp(match draft.failed {
        None => Stamp::plain("enrich", now, "accept"),
        Some(code) => Stamp {
            code: Some(code.into()),
            reason: Some(draft::reason(code).into()),
            ..Stamp::plain("enrich", now, "fail")
        },
    });
    Ok(DraftedMessage { contact, draft, cancelled: false, body_hash, passport })
}

impl DraftedMessage {
    /// Withdraws the message, as its tenant did before it was stored. Whether it could have been
    /// rendered is of no interest any more.
    pub(crate) fn cancel(&mut self, now: Timestamp) {
        self.passport = Passport::default();
        self.passport.stamp(Stamp {
            reason: Some("it was cancelled before it was stored".into()),
            ..Stamp::plain("enrich", now, "cancel")
        });
        self.draft.failed = None;
        self.cancelled = true;
    }

    /// The state that the message begins in.
    pub(crate) fn state(&self) -> MessageState {
        match (self.cancelled, self.draft.failed) {
            (true, _) => MessageState::Cancelled,
            (false, None) => MessageState::Accepted,
            (false, Some(_)) => MessageState::Failed,
        }
    }

    /// The row to store.
    pub(crate) fn row<'a>(&'a self, message: &'a Submitted) -> NewMessage<'a> {
        let metadata = (!message.metadata.is_empty()).then(|| {
            serde_json::to_string(&message.metadata).expect("a map of texts is plain data")
        });

        NewMessage {
            head: &message.head,
            contact: self.contact,
            state: self.state(),
            code: self.draft.failed,
            variant: self.draft.variant.as_deref(),
            text: &self.draft.text,
            media: message.content.media(),
            segments: self.draft.segments,
            cost: self.draft.cost,
            body_hash: &self.body_hash,
            metadata,
            passport: &self.passport,
        }
    }
}

/// The SHA-256 that the message names; none for what is no SHA-256.
fn body_hash(message: &Submitted) -> Option<Vec<u8>> {
    wire::unhex(&message.body_hash).filter(|bytes| bytes.len() == 32)
}
