//! The stage: texts as they come. What needs no model is answered or ended at once; all others join
//! the burst of their conversation, which the source answers.

use std::collections::HashMap;

use jiff::SignedDuration;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    conversations::{
        bursts::{self, Joining},
        replies::{Ask, Recorded, ReplyDecision, ReplyFacts},
    },
};
use uuid::Uuid;
use wire::{InboundText, Stream};

use crate::{
    decide::{self, ReplyIntent},
    load,
    question::Question,
    record, say,
};

/// The stage that takes texts in.
pub struct ReplyStage {
    store: Store,
    has_model: bool,
}

/// What is to be done about one text of a batch.
enum Course {
    /// It is in a burst already, or was decided about: this is said again.
    Known(Option<wire::frame::Outgoing>),
    /// Nothing needs a model.
    Settled(Box<ReplyDecision>),
    /// It waits with others for so long.
    Waits(SignedDuration),
}

impl ReplyStage {
    /// A reply over this store. Without a model it answers by keywords alone.
    pub fn new(store: Store, has_model: bool) -> Self {
        Self { store, has_model }
    }

    fn course(&self, cx: &Cx, question: &Question, facts: Option<&ReplyFacts>) -> Course {
        if let Some(facts) = facts.filter(|facts| facts.decided.is_some()) {
            return Course::Known(say::again(question, facts));
        }
        if facts.is_some_and(|facts| facts.joined) {
            return Course::Known(None);
        }

        match decide::decide(cx.now, question, facts, self.has_model) {
            ReplyIntent::Ask(settings) => Course::Waits(settings.quiet()),
            ReplyIntent::Say(body, reason) => {
                Course::Settled(Box::new(decide::said(question.ask.clone(), body, reason)))
            }
            ReplyIntent::Silence(reason) => {
                Course::Settled(Box::new(decide::silence(question.ask.clone(), reason)))
            }
        }
    }
}

impl Stage for ReplyStage {
    const NAME: StageName = StageName::Reply;
    const FROM: &'static [Stream] = &[Stream::Inbound];
    type In = InboundText;

    async fn handle(&self, cx: &Cx, batch: Batch<InboundText>) -> Result<(), Fault> {
        // load
        let questions: Vec<Question> = batch.items().iter().map(Question::of).collect();
        let asks: Vec<Ask> = questions.iter().map(|question| question.ask.clone()).collect();
        let facts = load::load(&self.store, cx.now, &asks).await?;

        // decide
        let courses: Vec<Course> = questions
            .iter()
            .map(|question| self.course(cx, question, facts.get(&question.ask.inbound)))
            .collect();

        // record
        let recorded = self.settle(cx, &courses).await?;
        self.join(cx, &questions, &courses).await?;

        // say
        for (index, (question, course)) in questions.iter().zip(courses).enumerate() {
            let say = match course {
                Course::Known(said) => said,
                Course::Waits(_) => None,
                Course::Settled(decision) => match recorded.get(&decision.ask.inbound) {
                    Some(Recorded::Stands(decided)) => say::answer(question, decided),
                    Some(Recorded::Overtaken) | None => None,
                },
            };
            batch.answer(index, Outcome::Emit(say.into_iter().collect()));
        }
        Ok(())
    }
}

impl ReplyStage {
    /// Records what needs no model, and gives what stands of it, by text.
    async fn settle(&self, cx: &Cx, courses: &[Course]) -> Result<HashMap<Uuid, Recorded>, Fault> {
        let settled: Vec<ReplyDecision> = courses
            .iter()
            .filter_map(|course| match course {
                Course::Settled(decision) => Some(decision.as_ref().clone()),
                Course::Known(_) | Course::Waits(_) => None,
            })
            .collect();
        if settled.is_empty() {
            return Ok(HashMap::new());
        }

        let recorded = record::record(&self.store, cx.now, &settled).await?;
        let inbound = settled.iter().map(|decision| decision.ask.inbound);
        Ok(inbound.zip(recorded).collect())
    }

    /// Has texts join the bursts of their conversations.
    async fn join(&self, cx: &Cx, questions: &[Question], courses: &[Course]) -> Result<(), Fault> {
        let joining: Vec<Joining<'_>> = questions
            .iter()
            .zip(courses)
            .filter_map(|(question, course)| match course {
                Course::Waits(quiet) => Some(joining(question, *quiet)),
                Course::Known(_) | Course::Settled(_) => None,
            })
            .collect();
        if joining.is_empty() {
            return Ok(());
        }

        let mut tx = self.store.scoped(joining.iter().map(|text| &text.ask.tenant)).await?;
        bursts::join(&mut tx, &joining, cx.machine).await?;
        tx.commit().await.map_err(store::fault)
    }
}

fn joining(question: &Question, quiet: SignedDuration) -> Joining<'_> {
    Joining {
        ask: &question.ask,
        sender: question.sender,
        received_at: question.received_at,
        trace: question.trace.as_deref(),
        quiet,
    }
}
