//! What a letter holds, and what it becomes when it is sent again.

use store::{core::seal::Sealer, messages::dead_letter::DeadRow};
use wire::{
    Admitted, DeadLetter, Enriched, Event, InboundText, MemberKey, Subject, Submitted,
    WebhookRequest,
    frame::{Outgoing, Payload},
};

/// A letter that was opened and read.
pub(super) struct Opened {
    /// Where it was read from.
    origin: Subject,
    pub(super) content: Content,
    /// The bytes of what was read.
    json: Vec<u8>,
}

/// What a letter holds.
pub(super) enum Content {
    /// A message that enrich could not handle.
    Submitted(Box<Submitted>),
    /// A message that a stage after enrich could not handle: it goes to the gates again.
    Enriched(Box<Enriched>),
    /// A webhook, a text of a person, an event: no message of ours.
    Other,
}

impl Opened {
    /// Opens a letter.
    ///
    /// # Errors
    /// Why it cannot be sent again, in a sentence.
    pub(super) fn of(letter: &DeadLetter, sealer: &Sealer) -> Result<Self, String> {
        let origin = letter.origin().ok_or("no stage reads the subject that it was read from")?;
        let json = sealer.open(&letter.sealed).map_err(|why| why.to_string())?;
        let content = read(&origin, &json).ok_or("this version cannot read it either")?;
        Ok(Self { origin, content, json })
    }

    /// The turn that a message was in when it died; none where there is no message.
    pub(super) fn turn(&self) -> Option<u32> {
        match &self.content {
            Content::Submitted(message) => Some(message.head.turn),
            Content::Enriched(message) => Some(message.head.turn),
            Content::Other => None,
        }
    }

    /// What is published: a message in the turn and with the passport of its row, anything else as
    /// it was. The key of the latter names the frame that its letter lies in (`sequence`), so that
    /// the broker drops a repeat of this redrive alone.
    pub(super) fn outgoing(
        &self,
        letter: &DeadLetter,
        sequence: u64,
        row: Option<&DeadRow>,
    ) -> Outgoing {
        match (&self.content, row) {
            (Content::Submitted(message), Some(row)) => {
                let mut message = message.as_ref().clone();
                message.head.turn = row.message.turn;

                Outgoing::new(Subject::Submitted(message.head.class.lane()), &message)
            }
            (Content::Enriched(message), Some(row)) => {
                let mut message = message.as_ref().clone();
                message.head.turn = row.message.turn;
                message.passport = row.passport.clone();
                message.placed = None;

                Outgoing::new(Subject::Enriched(message.head.class.lane()), &message)
            }
            (Content::Other | Content::Submitted(_) | Content::Enriched(_), _) => {
                let key = MemberKey { body: sequence, ..MemberKey::of(letter.id) };
                let (subject, json) = (self.origin.clone(), self.json.clone());

                Outgoing { subject, key, trace: None, json }
            }
        }
    }
}

/// Reads what lay under a subject; none where it does not decode.
fn read(origin: &Subject, json: &[u8]) -> Option<Content> {
    fn decode<P: Payload>(json: &[u8]) -> Option<Box<P>> {
        serde_json::from_slice(json).ok().map(Box::new)
    }

    let other = |read: bool| read.then_some(Content::Other);

    match origin {
        Subject::Submitted(_) => decode(json).map(Content::Submitted),
        Subject::Enriched(_) => decode(json).map(Content::Enriched),
        Subject::Admitted(..) | Subject::Released(..) => {
            let admitted = decode::<Admitted>(json)?;
            Some(Content::Enriched(Box::new(admitted.message)))
        }
        Subject::Carrier(..) => other(decode::<WebhookRequest>(json).is_some()),
        Subject::Inbound(_) => other(decode::<InboundText>(json).is_some()),
        Subject::Event(..) => other(decode::<Event>(json).is_some()),
        Subject::Analytics(..) | Subject::Dead(..) => None,
    }
}
