//! What a letter says about its message. A message that could not be handled may not even decode,
//! so each field is read by itself, and the text never.

use std::collections::BTreeMap;

use domain::{
    address::Address,
    ids::{CampaignId, ContactId, MessageId},
    message::{
        class::{Channel, Lane, MessageClass},
        passport::Stamp,
        state::MessageState,
    },
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stage::StageName;
use store::{
    core::seal::Sealer,
    messages::dead_letter::{DeadKey, Shell},
};
use wire::DeadLetter;

/// The letters of one batch by message, in key order, each with its index in the batch.
pub(super) type Letters<'a> = BTreeMap<DeadKey, Vec<(usize, Letter<'a>)>>;

/// A letter that names a message.
pub(super) struct Letter<'a> {
    /// The stage that gave up.
    pub(super) stage: StageName,
    /// The message that it names.
    pub(super) message: MessageId,
    /// The turn in which it died.
    pub(super) turn: u32,
    /// Why, in a sentence without any text or number.
    pub(super) detail: &'a str,
    /// SHA-256 of the submitted message, where the letter holds one.
    pub(super) body_hash: Option<Vec<u8>>,
    letter: &'a DeadLetter,
    head: Value,
}

impl<'a> Letter<'a> {
    /// Reads a letter; none where it names no message.
    pub(super) fn read(letter: &'a DeadLetter, sealer: &Sealer) -> Option<Self> {
        let (stage, message) = (stage_of(letter)?, MessageId(letter.message?));
        let opened = sealer.open(&letter.sealed).unwrap_or_else(|why| {
            let (id, tenant) = (letter.id, &letter.tenant);
            tracing::warn!(%id, %tenant, %why, "a dead letter cannot be opened");
            Vec::new()
        });
        let mut content: Value = serde_json::from_slice(&opened).unwrap_or_default();
        // `Admitted` holds the message, `Submitted` and `Enriched` are it.
        let inner =
            if content["head"].is_object() { &mut content } else { &mut content["message"] };

        let body_hash = field::<String>(inner, "body_hash").and_then(|hash| wire::unhex(&hash));
        let head = inner["head"].take();
        // Versions before turns were written left no turn: then it is the lowest.
        let turn = letter.turn.or_else(|| field(&head, "turn")).unwrap_or(1);
        Some(Self { stage, message, turn, detail: &letter.detail, body_hash, letter, head })
    }

    /// The row of a message that has none. What the letter does not say is left empty.
    pub(super) fn shell(&self, now: Timestamp, state: MessageState, stamp: Stamp) -> Shell<'a> {
        let tenant = &self.letter.tenant;
        let address: Option<Address> = field(&self.head, "to");
        let urgent = self.letter.subject.split('.').any(|token| token == Lane::Urgent.as_str());
        let class = if urgent { MessageClass::Transactional } else { MessageClass::Promo };

        Shell {
            tenant,
            message: self.message,
            turn: self.turn,
            class: field(&self.head, "class").unwrap_or(class),
            channel: field(&self.head, "channel").unwrap_or(Channel::Sms),
            contact: ContactId::of(tenant, address.as_ref().map_or("", Address::as_str)),
            address,
            campaign: field::<CampaignId>(&self.head, "campaign"),
            body_hash: self.body_hash.clone().unwrap_or_default(),
            submitted_at: field(&self.head, "submitted_at").unwrap_or(now),
            expires_at: field(&self.head, "expires_at"),
            state,
            stamp,
        }
    }
}

/// The stage that wrote a letter.
pub(super) fn stage_of(letter: &DeadLetter) -> Option<StageName> {
    StageName::ALL.iter().copied().find(|name| name.as_str() == letter.stage)
}

/// Counts one letter of a stage by what it came to.
pub(super) fn count(stage: &'static str, outcome: &'static str) {
    metrics::counter!("millrace_dead_letters_read_total", "stage" => stage, "outcome" => outcome)
        .increment(1);
}

fn field<T: DeserializeOwned>(object: &Value, name: &str) -> Option<T> {
    T::deserialize(object.get(name)?).ok()
}
