//! A message as people read it: the fields, the passport, and one sentence that a support agent can
//! read out.

use carriers::Carrier;
use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, SenderId},
    message::{
        class::{Channel, MessageClass},
        passport::Passport,
        state::{MessageState, NO_RECEIPT},
    },
    money::Money,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::messages::read::MessageDetail;
use utoipa::ToSchema;

use crate::{
    document::examples,
    dry_run::sentence::{self, Grounds, Mood, minute},
    http::view::money,
};

/// A message as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageView {
    id: MessageId,
    /// Where the message stands.
    #[schema(value_type = MessageState)]
    status: &'static str,
    /// What has become of it, in English, to be read out.
    sentence: String,
    class: MessageClass,
    channel: Channel,
    /// The person's number, in E.164.
    #[schema(example = json!(examples::PHONE))]
    to: String,
    contact_id: ContactId,
    /// The campaign that it belongs to; null for a message of its own.
    #[schema(required)]
    campaign_id: Option<CampaignId>,
    /// The key of the template's variant that it was made from; null for a text that came with the
    /// message, and where that is not known.
    #[schema(required, example = "a")]
    variant: Option<String>,
    /// The sender that carries it; null before one is chosen.
    #[schema(required)]
    sender_id: Option<SenderId>,
    /// The carrier of that sender, by its name.
    #[schema(required, example = json!(Carrier::ALL[0].as_str()))]
    carrier: Option<String>,
    /// The text as the person reads it; empty once it is no longer kept.
    body: String,
    /// What went with it, in order: ids of media, or addresses. Empty, as its text is, once that is
    /// no longer kept.
    media: Vec<String>,
    /// Since when the text is no longer kept.
    #[schema(required)]
    text_expired_at: Option<Timestamp>,
    /// Segments of the text, by the carrier's count once it told one.
    #[schema(minimum = 0)]
    segments: i16,
    /// What it costs; nothing where it has ended and no carrier took it.
    cost: Money,
    /// The carrier's own id of it.
    #[schema(required)]
    carrier_id: Option<String>,
    /// The gate that deferred, held or blocked it.
    #[schema(required)]
    gate: Option<Gate>,
    /// The reason of the gate, or the error of the carrier, for programs.
    #[schema(required)]
    code: Option<String>,
    /// Until when it waits.
    #[schema(required)]
    until: Option<Timestamp>,
    /// What went wrong, of a message that has failed.
    #[schema(required)]
    error: Option<ErrorView>,
    /// The caller's own fields, as they came with it; null where none did.
    #[schema(required, value_type = Option<BTreeMap<String, String>>)]
    metadata: Option<Value>,
    /// When it was accepted.
    submitted_at: Timestamp,
    /// From when on it is of no use; null where it has no validity of its own.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// When its state changed last.
    changed_at: Timestamp,
    /// How often it has gone through the gates from the start, from 1.
    #[schema(minimum = 1)]
    turn: i32,
    /// Calls to the carrier that were begun.
    #[schema(minimum = 0)]
    attempts: i16,
    /// Raised by every change.
    version: i64,
    /// When other bodies came under its key: this one stands.
    conflicts: Vec<Timestamp>,
    /// What each stage decided about it, the oldest first.
    passport: Passport,
}

/// What went wrong, and what to do.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageError)]
struct ErrorView {
    /// The error of the carrier, or of the platform.
    code: String,
    /// What it means, in English.
    cause: &'static str,
    /// What to do about it, in English.
    next_step: &'static str,
}

/// Makes the view.
pub(super) fn view(message: MessageDetail, currency: &str) -> MessageView {
    let (sentence, error) = (sentence(&message), error(&message));

    MessageView {
        sentence,
        error,
        id: message.id,
        status: message.state.as_str(),
        class: message.class,
        channel: message.channel,
        to: message.number,
        contact_id: message.contact,
        campaign_id: message.campaign,
        variant: message.variant,
        sender_id: message.sender,
        carrier: message.carrier,
        body: message.body,
        media: message.media,
        text_expired_at: message.text_expired_at,
        segments: message.segments,
        cost: money(message.cost, currency),
        carrier_id: message.carrier_sid,
        gate: message.gate,
        code: message.code,
        until: message.due,
        metadata: message.metadata,
        submitted_at: message.submitted_at,
        expires_at: message.expires_at,
        changed_at: message.changed_at,
        turn: message.turn,
        attempts: message.attempts,
        version: message.version,
        conflicts: message.conflicts,
        passport: message.passport.in_time_order(),
    }
}

/// What has become of a message, in one English sentence.
fn sentence(message: &MessageDetail) -> String {
    let grounds = grounds(message);
    let at = minute(message.changed_at);

    match message.state {
        MessageState::Accepted => "The message was accepted and is on its way to the gates.".into(),
        MessageState::Deferred => sentence::deferred(Mood::Is, &grounds),
        MessageState::Held => sentence::held(Mood::Is, &grounds),
        MessageState::Queued => sentence::admitted(Mood::Is),
        MessageState::InDoubt => {
            "The carrier was called and its answer was lost; the message is not sent again before \
             that is cleared up."
                .into()
        }
        MessageState::Blocked => sentence::blocked(Mood::Is, &grounds),
        MessageState::Cancelled if message.code.is_some() => {
            format!("The message was cancelled at {at}{}.", because(&grounds))
        }
        MessageState::Cancelled => format!("The message was cancelled at {at}."),
        MessageState::Expired => sentence::expired(Mood::Is, &grounds),
        MessageState::Unknown => {
            "The carrier was called, and whether it sent the message cannot be found out.".into()
        }
        MessageState::Sent if message.code.as_deref() == Some(NO_RECEIPT) => {
            let because = because(&grounds);
            format!("The carrier took the message; whether it was delivered is not known{because}.")
        }
        MessageState::Sent => {
            format!("The carrier took the message at {at}; no delivery was reported yet.")
        }
        MessageState::Failed => {
            format!("The message could not be delivered{}.", because(&grounds))
        }
        MessageState::Delivered => format!("The message was delivered at {at}."),
        MessageState::Read => format!("The message was delivered, and read at {at}."),
    }
}

fn because(grounds: &Grounds<'_>) -> String {
    let why = grounds.reason.or(grounds.code).map(|why| why.trim_end_matches('.'));
    why.map_or_else(String::new, |why| format!(": {why}"))
}

/// What the row says of its state, in the words of the last stamp that gives a reason.
fn grounds(message: &MessageDetail) -> Grounds<'_> {
    let stamps = message.passport.stamps();
    let said = stamps.iter().rev().find(|stamp| stamp.reason.is_some());
    let said = said.map(Grounds::of).unwrap_or_default();
    Grounds {
        gate: message.gate,
        code: message.code.as_deref(),
        until: message.due.or(said.until),
        ..said
    }
}

/// The carrier's error in words.
fn error(message: &MessageDetail) -> Option<ErrorView> {
    let code = message.code.clone().filter(|_| message.state == MessageState::Failed)?;
    let carrier = message.carrier.as_deref().and_then(Carrier::from_name);
    let info = carrier.zip(code.parse().ok()).map(|(carrier, code)| carrier.cause(code));
    let (cause, next_step) = match info {
        Some(info) => (info.cause, info.next_step),
        // Ours, not the carrier's: the passport says more.
        None => ("the platform could not send it", "read the passport"),
    };
    Some(ErrorView { code, cause, next_step })
}
