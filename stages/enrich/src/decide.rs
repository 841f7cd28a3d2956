//! One message made complete. Pure: the same message and facts give the same entry.

use domain::{
    draft::{self, Draft, DraftRequest, Origin, Person, Supplies},
    ids::ContactId,
    message::{
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::Timestamp;
use stage::Cause;
use store::{drafts::ContactOnFile, messages::enrich::NewMessage};
use wire::Submitted;

/// What is to be stored of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftedMessage {
    /// The person.
    pub contact: ContactId,
    /// The message made complete, or failed.
    pub draft: Draft,
    /// Whether it was cancelled before it came here.
    pub cancelled: bool,
    /// SHA-256 of the submitted message.
    pub body_hash: Vec<u8>,
    /// The first stamp.
    pub passport: Passport,
}

/// Where the message's text and its senders come from.
pub fn origin(message: &Submitted) -> Origin<'_> {
    Origin {
        tenant: &message.head.tenant,
        campaign: message.head.campaign,
        content: &message.content,
        from: &message.from,
    }
}

/// Makes an entry.
///
/// # Errors
/// What no row can be made of: a tenant that does not exist, a hash that is none.
pub fn entry(
    now: Timestamp,
    message: &Submitted,
    contact: ContactId,
    found: &ContactOnFile,
    supplies: &Supplies,
) -> Result<DraftedMessage, Cause> {
    let body_hash = unhex(&message.body_hash).ok_or(Cause("bad_body_hash"))?;
    let unknown = Person::default();
    let person = found.contact.as_ref().unwrap_or(&unknown);
    let (class, to) = (message.head.class, message.head.to);
    let request = DraftRequest { class, to, origin: origin(message) };
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
    /// The same, withdrawn by its tenant before it was stored: nothing else is of interest.
    #[must_use]
    pub fn cancelled(mut self, now: Timestamp) -> Self {
        self.passport = Passport::default();
        self.passport.stamp(Stamp {
            reason: Some("it was cancelled before it was stored".into()),
            ..Stamp::plain("enrich", now, "cancel")
        });
        self.draft.failed = None;
        self.cancelled = true;
        self
    }

    /// The state that the message begins in.
    pub fn state(&self) -> MessageState {
        match (self.cancelled, self.draft.failed) {
            (true, _) => MessageState::Cancelled,
            (false, None) => MessageState::Accepted,
            (false, Some(_)) => MessageState::Failed,
        }
    }

    /// The row to store.
    pub fn row<'a>(&'a self, message: &'a Submitted) -> NewMessage<'a> {
        let metadata = (!message.metadata.is_empty()).then(|| {
            serde_json::to_string(&message.metadata).expect("a map of texts is plain data")
        });
        NewMessage {
            head: &message.head,
            contact: self.contact,
            state: self.state(),
            code: self.draft.failed,
            text: &self.draft.text,
            segments: self.draft.segments,
            cost: self.draft.cost,
            body_hash: &self.body_hash,
            metadata,
            passport: &self.passport,
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    bytes.filter(|bytes| bytes.len() == 32)
}
