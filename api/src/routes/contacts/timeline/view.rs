//! What stands in a timeline, as callers read it.

use domain::{
    gates::Basis,
    ids::{CampaignId, ConversationId, MediaId, MessageId, SenderId},
    message::{
        class::{Channel, MessageClass},
        state::MessageState,
    },
};
use jiff::Timestamp;
use serde::Serialize;
use store::{
    contacts::timeline::{
        CampaignEntry, ConsentEntry, NoteEntry, PhoneEntry, TextEntry, TimelineEntry, TimelineFact,
    },
    messages::read::MessageDetail,
    recipients::consent::{Action, ConsentMethod},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::{examples, words::TimelineKindName};

/// One thing between the company and a person. The field of its kind says what it is; an opt-out is
/// a change of consent.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(super) struct TimelineEntryView {
    /// Its id: of the message, the text, what was written on the phone, the line of the ledger of
    /// consent, the note, or the campaign.
    id: Uuid,
    #[schema(value_type = TimelineKindName)]
    kind: &'static str,
    /// When it was: of a message, when it was accepted; of a campaign, when it started.
    at: Timestamp,
    /// Of a message.
    #[schema(required)]
    message: Option<TimelineMessage>,
    /// Of a text.
    #[schema(required)]
    text: Option<TimelineText>,
    /// Of what somebody of the company wrote to the person on the phone itself.
    #[schema(required)]
    phone: Option<TimelinePhone>,
    /// Of a change of consent, and of an opt-out.
    #[schema(required)]
    consent: Option<TimelineConsent>,
    /// Of a note.
    #[schema(required)]
    note: Option<TimelineNote>,
    /// Of a campaign.
    #[schema(required)]
    campaign: Option<TimelineCampaign>,
}

/// A message to the person; `GET /v1/messages/{id}` shows all of it.
#[derive(Serialize, ToSchema)]
struct TimelineMessage {
    id: MessageId,
    /// Where the message stands.
    #[schema(value_type = MessageState)]
    status: &'static str,
    class: MessageClass,
    channel: Channel,
    /// The number that it goes to, in E.164.
    #[schema(example = json!(examples::PHONE))]
    to: String,
    /// The text; empty once it is no longer kept.
    body: String,
    /// The campaign that it belongs to.
    #[schema(required)]
    campaign_id: Option<CampaignId>,
    /// The sender that carries it; null before one is chosen.
    #[schema(required)]
    sender_id: Option<SenderId>,
    /// The reason of the gate, or the error of the carrier.
    #[schema(required)]
    code: Option<String>,
}

/// A text of the person.
#[derive(Serialize, ToSchema)]
struct TimelineText {
    /// The conversation that it is in.
    conversation_id: ConversationId,
    channel: Channel,
    /// The sender that was texted.
    sender_id: SenderId,
    /// What they wrote; empty once it is no longer kept.
    body: String,
    /// What it was taken for: `opt_out`, `opt_in`, `help`, `text`, `reaction` or `automatic`.
    #[schema(example = "text")]
    meaning: String,
    /// What came with it, in order.
    media: Vec<MediaId>,
}

/// What somebody of the company wrote to the person on the phone itself.
#[derive(Serialize, ToSchema)]
struct TimelinePhone {
    /// The conversation that it is in.
    conversation_id: ConversationId,
    channel: Channel,
    /// The sender whose number it is.
    #[schema(required)]
    sender_id: Option<SenderId>,
    /// What it says; empty for a file without words, and once it is no longer kept.
    body: String,
}

/// A change of the person's consent; `GET /v1/contacts/{id}/consent` shows the whole line.
#[derive(Serialize, ToSchema)]
struct TimelineConsent {
    channel: Channel,
    action: Action,
    /// How it was captured.
    method: ConsentMethod,
    /// The program that it is about; null: everything of the company.
    #[schema(required)]
    program: Option<String>,
    /// The legal ground of a consent.
    #[schema(required)]
    basis: Option<Basis>,
    /// List, form or vendor; of the do-not-contact list the reason.
    #[schema(required)]
    source: Option<String>,
    /// Who wrote it: API key, user or part of the platform.
    recorded_by: String,
}

/// A note of somebody of the company.
#[derive(Serialize, ToSchema)]
struct TimelineNote {
    /// The conversation that it is in.
    conversation_id: ConversationId,
    /// Who has written it.
    author: String,
    /// What it says.
    body: String,
}

/// A campaign that had the person in its audience.
#[derive(Serialize, ToSchema)]
struct TimelineCampaign {
    id: CampaignId,
    /// What the company calls it.
    name: String,
    /// Where it stands.
    #[schema(value_type = store::campaigns::CampaignState)]
    state: &'static str,
}

/// Makes the view.
pub(super) fn view(entry: TimelineEntry) -> TimelineEntryView {
    let empty = TimelineEntryView {
        id: entry.id,
        kind: kind(&entry.what),
        at: entry.at,
        message: None,
        text: None,
        phone: None,
        consent: None,
        note: None,
        campaign: None,
    };
    match entry.what {
        TimelineFact::Message(one) => TimelineEntryView { message: Some(message(*one)), ..empty },
        TimelineFact::Text(one) => TimelineEntryView { text: Some(text(one)), ..empty },
        TimelineFact::Phone(one) => TimelineEntryView { phone: Some(phone(one)), ..empty },
        TimelineFact::Consent(one) => TimelineEntryView { consent: Some(consent(one)), ..empty },
        TimelineFact::Note(one) => TimelineEntryView { note: Some(note(one)), ..empty },
        TimelineFact::Campaign(one) => TimelineEntryView { campaign: Some(campaign(one)), ..empty },
    }
}

/// The word for what an entry is.
fn kind(what: &TimelineFact) -> &'static str {
    match what {
        TimelineFact::Message(_) => "message",
        TimelineFact::Text(_) => "text",
        TimelineFact::Phone(_) => "phone",
        TimelineFact::Consent(consent) if consent.action == Action::Revoke => "opt_out",
        TimelineFact::Consent(_) => "consent",
        TimelineFact::Note(_) => "note",
        TimelineFact::Campaign(_) => "campaign",
    }
}

fn message(message: MessageDetail) -> TimelineMessage {
    TimelineMessage {
        id: message.id,
        status: message.state.as_str(),
        class: message.class,
        channel: message.channel,
        to: message.number,
        body: message.body,
        campaign_id: message.campaign,
        sender_id: message.sender,
        code: message.code,
    }
}

fn text(text: TextEntry) -> TimelineText {
    TimelineText {
        conversation_id: text.conversation,
        channel: text.channel,
        sender_id: text.sender,
        body: text.body,
        meaning: text.meaning,
        media: text.media,
    }
}

fn phone(text: PhoneEntry) -> TimelinePhone {
    TimelinePhone {
        conversation_id: text.conversation,
        channel: text.channel,
        sender_id: text.sender,
        body: text.body,
    }
}

fn consent(consent: ConsentEntry) -> TimelineConsent {
    TimelineConsent {
        channel: consent.channel,
        action: consent.action,
        method: consent.method,
        program: consent.program,
        basis: consent.basis,
        source: consent.source,
        recorded_by: consent.by,
    }
}

fn note(note: NoteEntry) -> TimelineNote {
    TimelineNote { conversation_id: note.conversation, author: note.author, body: note.body }
}

fn campaign(campaign: CampaignEntry) -> TimelineCampaign {
    TimelineCampaign { id: campaign.id, name: campaign.name, state: campaign.state.as_str() }
}
