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
mod load;
mod record;
mod say;

use std::time::Duration;

use carriers::anthropic::Client;
use futures::{StreamExt, stream::FuturesUnordered};
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    conversations::replies::{ReplyDecision, ReplyReason},
};
use wire::{InboundText, Stream, frame::Outgoing};

use decide::ReplyIntent;
use load::{Asked, Thread};

/// How many questions one batch has at the model at once.
const AT_ONCE: usize = 16;

/// The stage that answers. Without a client it decides, for each text, not to answer.
pub struct ReplyStage {
    store: Store,
    client: Option<Client>,
    model: String,
}

impl ReplyStage {
    /// A reply over this store. `model` is the model's name at the provider.
    pub fn new(store: Store, client: Option<Client>, model: String) -> Self {
        Self { store, client, model }
    }
}

impl Stage for ReplyStage {
    const NAME: StageName = StageName::Reply;
    const FROM: &'static [Stream] = &[Stream::Inbound];
    type In = InboundText;
    const LONG: Duration = Duration::from_millis(250);

    async fn handle(&self, cx: &Cx, batch: Batch<InboundText>) -> Result<(), Fault> {
        // load
        let threads = load::load(&self.store, cx.now, batch.items()).await?;

        // decide, record and say, text by text: each answer waits for the model
        self.answer_threads(cx, &batch, threads).await
    }
}

impl ReplyStage {
    /// Answers several threads at once.
    async fn answer_threads(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        threads: Vec<Thread<'_>>,
    ) -> Result<(), Fault> {
        let mut threads = threads.into_iter();
        let answer = |thread| self.answer_thread(cx, batch, thread);
        let mut under_way: FuturesUnordered<_> =
            threads.by_ref().take(AT_ONCE).map(answer).collect();

        let mut failed = None;
        while let Some(done) = under_way.next().await {
            if let Err(fault) = done {
                failed.get_or_insert(fault);
            }
            // After a failure no thread begins, but calls under way are paid for: they end.
            if failed.is_none() {
                under_way.extend(threads.next().map(answer));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Answers the texts of one thread, one after the other: each counts the answers before it.
    async fn answer_thread(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        thread: Thread<'_>,
    ) -> Result<(), Fault> {
        let mut answered = 0;
        for mut asked in thread {
            if let Some(facts) = &mut asked.facts {
                facts.answers += answered;
            }

            let say = self.answer(cx, &asked).await?;
            let is_new = asked.facts.is_some_and(|facts| facts.decided.is_none());
            answered += i64::from(is_new && say.is_some());
            batch.answer(asked.index, Outcome::Emit(say.into_iter().collect()));
        }
        Ok(())
    }

    /// Answers one text. What was decided about it before stands.
    async fn answer(&self, cx: &Cx, asked: &Asked<'_>) -> Result<Option<Outgoing>, Fault> {
        if let Some(decided) = asked.facts.as_ref().and_then(|facts| facts.decided.as_ref()) {
            return Ok(say::answer(asked, decided));
        }

        // decide
        let decision = self.decide(asked).await?;

        // record
        let decided = record::record(&self.store, cx.now, &decision).await?;

        // say
        Ok(say::answer(asked, &decided))
    }

    /// Decides whether to answer, and asks the model for the answer.
    async fn decide(&self, asked: &Asked<'_>) -> Result<ReplyDecision, Fault> {
        let Asked { text, ask, facts, .. } = asked;
        let client = self.client.as_ref();
        let intent = decide::decide(text, facts.as_ref(), client.is_some());

        match (intent, client) {
            (ReplyIntent::Silence(reason), _) => Ok(decide::silence(ask.clone(), reason)),
            (ReplyIntent::Answer, None) => Ok(decide::silence(ask.clone(), ReplyReason::AiOff)),
            (ReplyIntent::Answer, Some(client)) => {
                ask::ask(client, &self.model, text, ask.clone()).await
            }
        }
    }
}
