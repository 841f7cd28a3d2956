//! Reply: the AI answers a text, through the same gates as everybody.
//!
//! | | |
//! |---|---|
//! | Consumes | `inbound.<tenant>` |
//! | Emits | `msg.submitted.urgent`, class conversational |
//! | Reads | `conversations`, `standings`, `ai_replies` |
//! | Writes | `ai_replies` |
//! | Calls | the Anthropic Messages API, once per text |
//! | Never | answers someone who opted out, or more than a few times per thread and hour |

mod ask;
mod decide;

use std::collections::HashMap;

use carriers::anthropic;
use decide::Intent;
use domain::{
    class::{Channel, Lane, MessageClass},
    ids::MessageId,
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Batch, Cx, Dependency, Fault, Outcome, Outgoing, Stage, StageName};
use store::{
    Store,
    replies::{self, Ask, Decided, Decision, Facts},
};
use uuid::Uuid;
use wire::{
    InboundText, Stream, Subject, Submitted,
    message::{Content, From, Head},
};

/// The stage that answers. Without a client it decides, for each text, not to answer.
pub struct Reply {
    store: Store,
    client: Option<anthropic::Client>,
    model: String,
}

/// How many questions one process has at the model at once.
const AT_ONCE: usize = 16;

/// The time in which answers to one thread are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(1);

impl Reply {
    /// A reply over this store. `model` is the model's name at the provider.
    pub fn new(store: Store, client: Option<anthropic::Client>, model: String) -> Self {
        Self { store, client, model }
    }
}

impl Stage for Reply {
    const NAME: StageName = StageName::Reply;
    const FROM: Stream = Stream::Inbound;
    type In = InboundText;

    async fn handle(&self, cx: &Cx, batch: Batch<InboundText>) -> Result<(), Fault> {
        let facts = self.load(cx, batch.items()).await?;
        let one = |index: usize| {
            let (text, facts) = (&batch.items()[index], &facts);
            async move { (index, self.answer(cx, text, facts.get(&text.id)).await) }
        };
        let mut answers = stream::iter(0..batch.items().len()).map(one).buffer_unordered(AT_ONCE);
        while let Some((index, answer)) = answers.next().await {
            batch.answer(index, Outcome::Emit(answer?));
        }
        Ok(())
    }
}

impl Reply {
    async fn load(&self, cx: &Cx, texts: &[InboundText]) -> Result<HashMap<Uuid, Facts>, Fault> {
        let asks: Vec<Ask> = texts.iter().map(ask_of).collect();
        let mut tx = self.store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;
        let facts = replies::facts(&mut tx, &asks, cx.now - COUNTED).await?;
        Ok(facts.into_iter().map(|facts| (facts.inbound, facts)).collect())
    }

    /// One text: what was decided stands; else decide, ask the model, record.
    async fn answer(
        &self,
        cx: &Cx,
        text: &InboundText,
        facts: Option<&Facts>,
    ) -> Result<Vec<Outgoing>, Fault> {
        if let Some(decided) = facts.and_then(|facts| facts.decided.as_ref()) {
            return Ok(say(text, decided));
        }
        let client = self.client.as_ref();
        let decision = match decide::decide(text, facts, client.is_some()) {
            Intent::Silence(reason) => silence(text, reason),
            Intent::Answer => match client {
                Some(client) => ask::ask(client, &self.model, text, ask_of(text)).await?,
                None => silence(text, "ai_off"),
            },
        };
        let decided = self.record(&decision, cx.now).await?;
        Ok(say(text, &decided))
    }

    async fn record(&self, decision: &Decision, now: Timestamp) -> Result<Decided, Fault> {
        let mut tx = self.store.scoped([&decision.ask.tenant]).await?;
        let decided = replies::decide(&mut tx, decision, now).await?;
        tx.commit().await.map_err(store::fault)?;
        Ok(decided)
    }
}

fn ask_of(text: &InboundText) -> Ask {
    Ask {
        tenant: text.tenant.clone(),
        inbound: text.id,
        conversation: text.conversation,
        message: MessageId::from_burst(text.conversation, text.epoch, text.id),
        number: text.number.as_str().to_owned(),
    }
}

fn silence(text: &InboundText, reason: &'static str) -> Decision {
    Decision { ask: ask_of(text), body: None, reason, input_tokens: 0, output_tokens: 0 }
}

/// The message that a decision becomes; none for silence.
fn say(text: &InboundText, decided: &Decided) -> Vec<Outgoing> {
    let Some(body) = &decided.body else { return Vec::new() };
    let head = Head {
        id: ask_of(text).message,
        tenant: text.tenant.clone(),
        turn: 1,
        class: MessageClass::Conversational,
        channel: Channel::Sms,
        to: text.number,
        campaign: None,
        submitted_at: text.received_at,
        expires_at: None,
        trace: text.trace.clone(),
    };
    let message = Submitted {
        head,
        content: Content::Body(body.clone()),
        from: From::Sender(text.sender),
        body_hash: String::new(),
        metadata: Default::default(),
    };
    vec![Outgoing::new(Subject::Submitted(Lane::Urgent), &message.with_body_hash())]
}

/// What a failed call means for the text: an outage is tried again, anything else is silence.
fn unavailable(error: carriers::anthropic::AiError) -> Fault {
    Fault::Unavailable { what: Dependency::Ai, source: error.into() }
}
