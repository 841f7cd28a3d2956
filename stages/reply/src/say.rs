//! The message that an answer becomes. It goes to the gates as every other message does.

use domain::{
    conversation::ConversationOwner,
    message::class::{Lane, MessageClass},
};
use store::conversations::replies::{ReplyDecided, ReplyFacts};
use wire::{
    Subject, Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
};

use crate::question::Question;

/// What an earlier decision says once more: whoever made it may have died before it was at the
/// broker. Nothing where a person has the conversation since.
pub(crate) fn again(question: &Question, facts: &ReplyFacts) -> Option<Outgoing> {
    match facts.ownership.owner {
        ConversationOwner::Person => None,
        ConversationOwner::Assistant | ConversationOwner::Nobody => {
            answer(question, facts.decided.as_ref()?)
        }
    }
}

/// The message that a decision becomes; none for silence.
pub(crate) fn answer(question: &Question, decided: &ReplyDecided) -> Option<Outgoing> {
    let body = decided.body.clone().filter(|body| !body.is_empty())?;
    let ask = &question.ask;
    let head = Head {
        id: ask.message,
        tenant: ask.tenant.clone(),
        turn: 1,
        class: MessageClass::Conversational,
        channel: ask.channel,
        to: ask.address.clone(),
        campaign: None,
        submitted_at: question.received_at,
        expires_at: None,
        on_late: None,
        trace: question.trace.clone(),
    };

    let message = Submitted {
        head,
        content: Content::Body(body),
        from: From::Sender(question.sender),
        body_hash: String::new(),
        metadata: Default::default(),
        batch: None,
        rich: None,
    };
    Some(Outgoing::new(Subject::Submitted(Lane::Urgent), &message.with_body_hash()))
}
