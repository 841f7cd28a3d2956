//! Reply: the AI answers a text, through the same gates as everybody.
//!
//! | | |
//! |---|---|
//! | Consumes | `inbound.<tenant>` |
//! | Emits | `msg.submitted.urgent`, class conversational |
//! | Reads | `conversations`, `standings`, `ai_replies`, `inbound_texts` |
//! | Writes | `ai_replies`, `inbound_texts`, `conversations` |
//! | Calls | the Anthropic Messages API, once per text |
//! | Never | answers someone who opted out, the same words twice a day, or more than a few times |
//! | | per thread and hour, or person and day |

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

        // decide, record and say what needs no model, all at once
        let threads = self.silence_texts(cx, &batch, threads).await?;

        // decide, record and say, thread by thread: each answer waits for the model
        self.answer_threads(cx, &batch, threads).await
    }
}

impl ReplyStage {
    /// Answers what was decided before, and ends the texts to which nothing is said whatever
    /// becomes of those before them. Gives the threads that are left.
    async fn silence_texts<'a>(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        threads: Vec<Thread<'a>>,
    ) -> Result<Vec<Thread<'a>>, Fault> {
        let (mut left, mut silent) = (Vec::new(), Vec::new());
        for thread in threads {
            let mut of_thread = Thread::new();
            for asked in thread {
                if let Some(decided) = asked.decided() {
                    let say = say::answer(&asked, decided);
                    batch.answer(asked.index, Outcome::Emit(say.into_iter().collect()));
                } else if let ReplyIntent::Silence(reason) = self.intent(&asked) {
                    silent.push((asked, reason));
                } else {
                    of_thread.push(asked);
                }
            }
            if !of_thread.is_empty() {
                left.push(of_thread);
            }
        }

        self.silence(cx, batch, &silent).await?;
        Ok(left)
    }

    /// Records that nothing is said to these texts, in one transaction, unless something was
    /// decided about one meanwhile: then that is said.
    async fn silence(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        silent: &[(Asked<'_>, ReplyReason)],
    ) -> Result<(), Fault> {
        if silent.is_empty() {
            return Ok(());
        }

        let silences: Vec<ReplyDecision> = silent
            .iter()
            .map(|(asked, reason)| decide::silence(asked.ask.clone(), *reason))
            .collect();
        let decided = record::silence(&self.store, cx.now, &silences).await?;
        for ((asked, _), decided) in silent.iter().zip(&decided) {
            let say = say::answer(asked, decided);
            batch.answer(asked.index, Outcome::Emit(say.into_iter().collect()));
        }
        Ok(())
    }

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

    /// Answers the texts of one thread, one after the other: each counts the questions before it,
    /// also those to which the model had no answer, and is silent to words that were asked. Once it
    /// has had as many as it may have answers, the rest end at once: no thread holds a batch for
    /// longer than so many calls.
    async fn answer_thread(
        &self,
        cx: &Cx,
        batch: &Batch<InboundText>,
        thread: Thread<'_>,
    ) -> Result<(), Fault> {
        let (mut words, mut silent) = (Vec::new(), Vec::new());
        for mut asked in thread {
            asked.count(&words);

            match self.intent(&asked) {
                ReplyIntent::Silence(reason) => silent.push((asked, reason)),
                ReplyIntent::Answer => {
                    let say = self.answer(cx, &asked).await?;
                    words.push(asked.ask.wording.clone());
                    batch.answer(asked.index, Outcome::Emit(say.into_iter().collect()));
                }
            }
        }
        self.silence(cx, batch, &silent).await
    }

    /// Answers one text.
    async fn answer(&self, cx: &Cx, asked: &Asked<'_>) -> Result<Option<Outgoing>, Fault> {
        // decide
        let decision = match &self.client {
            Some(client) => ask::ask(client, &self.model, asked.text, asked.ask.clone()).await?,
            None => decide::silence(asked.ask.clone(), ReplyReason::AiOff),
        };

        // record
        let decided = record::record(&self.store, cx.now, &decision).await?;

        // say
        Ok(say::answer(asked, &decided))
    }

    fn intent(&self, asked: &Asked<'_>) -> ReplyIntent {
        decide::decide(asked.text, asked.facts.as_ref(), self.client.is_some())
    }
}
