//! The message that an answer becomes. It goes to the gates as every other message does.

use domain::message::class::{Lane, MessageClass};
use store::conversations::replies::ReplyDecided;
use wire::{
    Subject, Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
};

use crate::question::Question;

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
