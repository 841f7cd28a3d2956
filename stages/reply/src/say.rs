//! The message that an answer becomes. It goes to the gates as every other message does.

use domain::message::class::{Lane, MessageClass};
use store::conversations::replies::ReplyDecided;
use wire::{
    Subject, Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
};

use crate::load::Asked;

/// The message that a decision becomes; none for silence.
pub(crate) fn answer(asked: &Asked<'_>, decided: &ReplyDecided) -> Option<Outgoing> {
    let body = decided.body.clone()?;
    let text = asked.text;
    let head = Head {
        id: asked.ask.message,
        tenant: text.tenant.clone(),
        turn: 1,
        class: MessageClass::Conversational,
        channel: text.channel,
        to: text.address.clone(),
        campaign: None,
        submitted_at: text.received_at,
        expires_at: None,
        on_late: None,
        trace: text.trace.clone(),
    };

    let message = Submitted {
        head,
        content: Content::Body(body),
        from: From::Sender(text.sender),
        body_hash: String::new(),
        metadata: Default::default(),
        batch: None,
        rich: None,
    };
    Some(Outgoing::new(Subject::Submitted(Lane::Urgent), &message.with_body_hash()))
}
