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

use std::collections::{BTreeMap, HashMap};

use carriers::anthropic;
use decide::{ANSWERS_PER_HOUR, ReplyIntent};
use domain::{
    ids::{ConversationId, MessageId},
    message::class::{Channel, Lane, MessageClass},
};
use futures::{StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use stage::{Batch, Cx, Dependency, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    conversations::replies::{
        self, Ask, Limit, ReplyDecided, ReplyDecision, ReplyFacts, ReplyReason,
    },
};
use uuid::Uuid;
use wire::{
    InboundText, Stream, Subject, Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
};

/// The stage that answers. Without a client it decides, for each text, not to answer.
pub struct ReplyStage {
    store: Store,
    client: Option<anthropic::Client>,
    model: String,
}

/// How many questions one batch has at the model at once.
const AT_ONCE: usize = 16;

/// The time in which answers to one thread are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(1);

impl ReplyStage {
    /// A reply over this store. `model` is the model's name at the provider.
    pub fn new(store: Store, client: Option<anthropic::Client>, model: String) -> Self {
        Self { store, client, model }
    }
}

impl Stage for ReplyStage {
    const NAME: StageName = StageName::Reply;
    const FROM: Stream = Stream::Inbound;
    type In = InboundText;

    async fn handle(&self, cx: &Cx, batch: Batch<InboundText>) -> Result<(), Fault> {
        let facts = self.load(cx, batch.items()).await?;
        let one = |thread: Vec<usize>| self.answer_thread(cx, &batch, &facts, thread);
        let mut threads = by_thread(batch.items()).into_values();
        let mut under_way: FuturesUnordered<_> = threads.by_ref().take(AT_ONCE).map(one).collect();
        let mut failed = None;
        while let Some(done) = under_way.next().await {
            if let Err(fault) = done {
                failed.get_or_insert(fault);
            }
            // After a failure no thread begins, but calls under way are paid for: they end.
            if failed.is_none() {
                under_way.extend(threads.next().map(one));
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl ReplyStage {
    async fn load(
        &self,
        cx: &Cx,
        texts: &[InboundText],
    ) -> Result<HashMap<Uuid, ReplyFacts>, Fault> {
        let asks: Vec<Ask> = texts.iter().map(ask_of).collect();
        let mut tx = self.store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;
        let facts = replies::facts(&mut tx, &asks, cx.now - COUNTED).await?;
        Ok(facts.into_iter().map(|facts| (facts.inbound, facts)).collect())
    }

    /// The texts of one thread, one after the other: each counts the answers before it.
    async fn answer_thread(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        facts: &HashMap<Uuid, ReplyFacts>,
        thread: Vec<usize>,
    ) -> Result<(), Fault> {
        let mut answered = 0;
        for index in thread {
            let text = &batch.items()[index];
            let mut facts = facts.get(&text.id).cloned();
            if let Some(facts) = &mut facts {
                facts.answers += answered;
            }
            let say = self.answer(cx, text, facts.as_ref()).await?;
            let is_new = facts.is_some_and(|facts| facts.decided.is_none());
            answered += i64::from(is_new && !say.is_empty());
            batch.answer(index, Outcome::Emit(say));
        }
        Ok(())
    }

    /// One text: what was decided stands; else decide, ask the model, record.
    async fn answer(
        &self,
        cx: &Cx,
        text: &InboundText,
        facts: Option<&ReplyFacts>,
    ) -> Result<Vec<Outgoing>, Fault> {
        if let Some(decided) = facts.and_then(|facts| facts.decided.as_ref()) {
            return Ok(say(text, decided));
        }
        let client = self.client.as_ref();
        let decision = match decide::decide(text, facts, client.is_some()) {
            ReplyIntent::Silence(reason) => silence(text, reason),
            ReplyIntent::Answer => match client {
                Some(client) => ask::ask(client, &self.model, text, ask_of(text)).await?,
                None => silence(text, ReplyReason::AiOff),
            },
        };
        let decided = self.record(&decision, cx.now).await?;
        Ok(say(text, &decided))
    }

    async fn record(
        &self,
        decision: &ReplyDecision,
        now: Timestamp,
    ) -> Result<ReplyDecided, Fault> {
        let mut tx = self.store.scoped([&decision.ask.tenant]).await?;
        let limit = Limit { since: now - COUNTED, answers: ANSWERS_PER_HOUR };
        let decided = replies::decide(&mut tx, decision, now, limit).await?;
        tx.commit().await.map_err(store::fault)?;
        Ok(decided)
    }
}

/// The places of each thread's texts, in their order.
fn by_thread(texts: &[InboundText]) -> BTreeMap<ConversationId, Vec<usize>> {
    let mut threads: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        threads.entry(text.conversation).or_default().push(index);
    }
    threads
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

fn silence(text: &InboundText, reason: ReplyReason) -> ReplyDecision {
    ReplyDecision { ask: ask_of(text), body: None, reason, input_tokens: 0, output_tokens: 0 }
}

/// The message that a decision becomes; none for silence.
fn say(text: &InboundText, decided: &ReplyDecided) -> Vec<Outgoing> {
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
        on_late: None,
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
