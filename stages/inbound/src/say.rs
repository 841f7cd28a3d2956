//! What follows from a text: events, the one compliance answer, or a conversation. Pure.

use domain::{
    conversation::{ConversationOwner, ConversationStatus},
    ids::{CampaignId, MessageId},
    language::Language,
    message::class::{Lane, MessageClass},
};
use stage::Outcome;
use store::conversations::inbound::{Meaning, Thread};
use wire::{
    Event, EventKind, InboundText, Subject, Submitted,
    event::{ContactData, ConversationData, ReceivedData},
    frame::Outgoing,
    message::{Content, From, Head},
};

use crate::{
    answers::ComplianceAnswer,
    decide::{Arrived, Received},
    media,
    record::Recorded,
};

/// What follows from a request. A repeat says the same.
pub(crate) fn outcome(arrived: &Arrived, recorded: &Recorded) -> Outcome {
    match arrived {
        Arrived::Texts(received) => {
            let say = received.iter().flat_map(|one| say(one, recorded)).collect();
            Outcome::Emit(say)
        }
        Arrived::Dead(cause) => Outcome::Dead { cause: *cause },
    }
}

/// What to publish for one text. Saying it again gives the same ids.
fn say(received: &Received, recorded: &Recorded) -> Vec<Outgoing> {
    let thread = &recorded.threads[&received.text.id];
    let mut said = vec![received_event(received, thread)];
    // Who has said stop since is not told that messages will come again.
    if thread.overtaken {
        return said;
    }

    match received.text.meaning {
        Meaning::OptOut => said.push(contact_event(received, thread, EventKind::ContactOptedOut)),
        Meaning::OptIn => said.push(contact_event(received, thread, EventKind::ContactOptedIn)),
        Meaning::Text => said.extend(conversation(received, thread)),
        Meaning::Help | Meaning::Reaction | Meaning::Automatic => {}
    }
    said.extend(answer(received, thread));
    said.extend(opened_event(received, thread));
    said
}

fn received_event(received: &Received, thread: &Thread) -> Outgoing {
    let text = &received.text;
    let data = ReceivedData {
        inbound: text.id,
        contact: text.contact,
        sender: text.sender,
        conversation: Some(thread.conversation),
        campaign: thread.campaign.map(CampaignId),
        meaning: text.meaning.as_str().to_owned(),
        media: media::ids(received),
        carrier_id: Some(received.carrier_id.clone()),
        payload: received.payload.clone(),
    };
    let kind = EventKind::MessageReceived;
    Event::new(kind, &text.tenant, text.id, 1, thread.received_at, &data).outgoing()
}

/// That the text has opened its conversation, which happens once: its version is the first.
fn opened_event(received: &Received, thread: &Thread) -> Option<Outgoing> {
    let (text, opening) = (&received.text, thread.opens?);
    let data = ConversationData {
        conversation: thread.conversation,
        contact: text.contact,
        inbox: opening.inbox,
        status: ConversationStatus::Open,
        owner: ConversationOwner::Assistant,
        assignee: None,
        by: None,
    };
    let (kind, id) = (EventKind::ConversationOpened, thread.conversation.0);
    Some(Event::new(kind, &text.tenant, id, 1, thread.received_at, &data).outgoing())
}

/// An event of the contact, named by the text that caused it.
fn contact_event(received: &Received, thread: &Thread, kind: EventKind) -> Outgoing {
    let text = &received.text;
    let data = ContactData {
        contact: text.contact,
        cause: text.method.as_str().to_owned(),
        campaign: thread.campaign.map(CampaignId),
        merged: None,
    };
    Event::new(kind, &text.tenant, text.id, 1, thread.received_at, &data).outgoing()
}

/// The text as it goes to whoever answers; none where no person has written it, or where its number
/// is no sender that could answer.
fn conversation(received: &Received, thread: &Thread) -> Option<Outgoing> {
    let text = &received.text;
    if !thread.is_to_sender {
        return None;
    }
    let address = text.address()?.clone();
    let inbound = InboundText {
        id: text.id,
        tenant: text.tenant.clone(),
        conversation: thread.conversation,
        epoch: u32::try_from(thread.epoch).unwrap_or(1),
        contact: text.contact,
        address,
        sender: text.sender,
        channel: text.channel,
        body: text.body.clone(),
        payload: received.payload.clone(),
        language: language(received, thread).to_owned(),
        received_at: thread.received_at,
        trace: received.trace.clone(),
    };

    Some(Outgoing::new(Subject::Inbound(text.tenant.clone()), &inbound))
}

/// The compliance answer that was recorded for this text, from the sender that was texted.
fn answer(received: &Received, thread: &Thread) -> Option<Outgoing> {
    let answer = ComplianceAnswer::recorded_as(thread.answer?)?;
    let words = words(answer, received, thread);
    let text = &received.text;

    let head = Head {
        id: MessageId::from_inbound(text.id),
        tenant: text.tenant.clone(),
        turn: 1,
        class: MessageClass::Compliance,
        channel: text.channel,
        to: text.address()?.clone(),
        campaign: None,
        submitted_at: thread.received_at,
        expires_at: None,
        on_late: None,
        trace: received.trace.clone(),
    };

    let message = Submitted {
        head,
        content: Content::Body(words),
        from: From::Sender(text.sender),
        body_hash: String::new(),
        metadata: Default::default(),
        batch: None,
        rich: None,
    };

    Some(Outgoing::new(Subject::Submitted(Lane::Urgent), &message.with_body_hash()))
}

/// The language of the words said, else the person's, else English.
fn language<'a>(received: &Received, thread: &'a Thread) -> &'a str {
    let said = received.language.map(Language::as_str);
    said.or(thread.language.as_deref()).unwrap_or("en")
}

fn words(answer: ComplianceAnswer, received: &Received, thread: &Thread) -> String {
    let language = Language::from_tag(language(received, thread)).unwrap_or_default();
    answer.words(language, &thread.company)
}
