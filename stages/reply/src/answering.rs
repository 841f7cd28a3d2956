//! The source: bursts that are due are taken under a lease, answered side by side, and said. A tick
//! does not wait for the slowest model call: calls go on from tick to tick, and each answer is said
//! once it is there. Who dies with calls under way leaves bursts whose lease ends; an answer that
//! was recorded is then said again, under the same id.

use std::{sync::Arc, time::Duration};

use domain::assistant::{AssistantTool, Turn, turns};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use stage::{
    Cx, Fault, Source, StageName, Tick,
    machine::{self, NowAndThen, backoff, chance},
};
use store::{
    Store,
    conversations::{
        bursts::{self, Burst},
        replies::{self, Ask, Generation, Recorded, ReplyDecision, ReplyFacts, ReplyReason},
    },
    settings::assistant_tools,
};
use tokio::{
    sync::Mutex,
    task::{JoinError, JoinSet},
};
use wire::frame::Outgoing;

use crate::{
    ask::{Model, NoAnswer, ask},
    decide::{self, ReplyIntent},
    load,
    question::Question,
    record, say,
};

/// How many bursts one process has at the model at once.
const AT_ONCE: usize = 256;

/// How many of one tenant all processes have at once: who has many conversations, or a slow model,
/// leaves places to others.
const PER_TENANT: i64 = 64;

/// How many bursts one tick takes.
const TAKEN: usize = 64;

/// How long a tick waits for the next answer.
const TICK: Duration = Duration::from_millis(200);

/// How often a burst is taken before its conversation goes to people.
const TRIES: i16 = 3;

/// How often a burst is taken before no model is asked about it any more: whoever takes it dies of
/// it, or takes longer than a lease.
const MOST_TAKEN: i16 = 10;

/// How long a person waits for a model that gives no answer before people go on.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// How often the bursts are counted that wait for a place.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// The wait after the first call without an answer, and the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);

/// The source that answers bursts. Any number of processes may run it.
pub struct AnswerSource {
    answerer: Arc<Answerer>,
    under_way: Mutex<JoinSet<Result<Answered, Fault>>>,
    counting: NowAndThen,
}

/// What every answer is made with.
struct Answerer {
    store: Store,
    /// None: what waits ends without an answer.
    model: Option<Model>,
}

/// A burst, with all that is known of it.
struct Asked {
    burst: Burst,
    question: Question,
    facts: Option<ReplyFacts>,
    turns: Vec<Turn>,
    /// The tools of its company, with their sealed secrets.
    tools: Vec<(AssistantTool, Option<String>)>,
}

/// What became of a burst.
enum Answered {
    /// It is over once this is at the broker.
    Over(Box<Ask>, Option<Outgoing>),
    /// It waits for its time.
    Waits,
}

impl AnswerSource {
    /// Answers for this store by this model; without one it ends what waits.
    pub fn new(store: Store, model: Option<Model>) -> Self {
        let answerer = Arc::new(Answerer { store, model });
        Self { answerer, under_way: Mutex::default(), counting: NowAndThen::new(COUNT_EVERY) }
    }
}

impl Source for AnswerSource {
    const NAME: StageName = StageName::Reply;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        let mut under_way = self.under_way.lock().await;

        // load
        let room = AT_ONCE.saturating_sub(under_way.len()).min(TAKEN);
        let (asked, is_full) = self.answerer.take(cx, room).await?;

        // decide, ask and record, side by side
        for asked in asked {
            let (answerer, cx) = (Arc::clone(&self.answerer), cx.clone());
            under_way.spawn(async move { answerer.answer(&cx, asked).await });
        }

        self.count_waiting(cx).await?;

        // say what is there
        let done = harvest(&mut under_way).await;
        metrics::gauge!("millrace_replies_under_way").set(under_way.len() as f64);
        let more = is_full || !under_way.is_empty();
        Ok(self.tick_of(done, more))
    }
}

impl AnswerSource {
    /// Sets the gauge of bursts that wait for a place, unless it was set a moment ago.
    async fn count_waiting(&self, cx: &Cx) -> Result<(), Fault> {
        if self.counting.is_due(cx.machine) {
            let waiting = bursts::waiting(&self.answerer.store, cx.machine, PER_TENANT).await?;
            metrics::gauge!("millrace_replies_waiting").set(waiting as f64);
        }
        Ok(())
    }

    fn tick_of(&self, done: Vec<Result<Answered, Fault>>, more: bool) -> Tick {
        let (mut say, mut over) = (Vec::new(), Vec::new());
        for answered in done {
            match answered {
                Ok(Answered::Over(ask, said)) => {
                    say.extend(said);
                    over.push(*ask);
                }
                Ok(Answered::Waits) => {}
                // Its lease ends, and it is taken again.
                Err(fault) => tracing::warn!(%fault, "a burst was not answered"),
            }
        }

        let store = self.answerer.store.clone();
        let mark = async move { bursts::remove(&store, &over).await };
        Tick { say, published: Some(mark.boxed()), more }
    }
}

/// What has ended by now; where nothing has, what ends within a moment.
async fn harvest(under_way: &mut JoinSet<Result<Answered, Fault>>) -> Vec<Result<Answered, Fault>> {
    let mut done = Vec::new();
    let first = tokio::time::timeout(TICK, under_way.join_next()).await;
    done.extend(first.ok().flatten().and_then(ended));
    while let Some(next) = under_way.try_join_next() {
        done.extend(ended(next));
    }
    done
}

/// What a task came to. One that panicked leaves its burst to its lease. Why it did is not told
/// here: it may hold words of a text.
fn ended(done: Result<Result<Answered, Fault>, JoinError>) -> Option<Result<Answered, Fault>> {
    done.inspect_err(|why| tracing::error!(task = %why.id(), "an answer panicked")).ok()
}

impl Answerer {
    /// Takes bursts that are due, and loads what is known of them.
    async fn take(&self, cx: &Cx, room: usize) -> Result<(Vec<Asked>, bool), Fault> {
        if room == 0 {
            return Ok((Vec::new(), false));
        }
        let at_most = i64::try_from(room).unwrap_or(i64::MAX);
        let (taken, is_full) = bursts::take(&self.store, cx.machine, PER_TENANT, at_most).await?;
        if taken.is_empty() {
            return Ok((Vec::new(), is_full));
        }

        let asks: Vec<Ask> = taken.iter().map(|burst| burst.ask.clone()).collect();
        let mut facts = load::load(&self.store, cx.now, &asks).await?;
        let mut tx = self.store.scoped(asks.iter().map(|ask| &ask.tenant)).await?;
        let mut written = replies::written(&mut tx, &asks).await?;
        let tenants = asks.iter().map(|ask| &ask.tenant);
        let tools = assistant_tools::of_tenants(&mut tx, tenants).await?;
        drop(tx);

        let asked = taken.into_iter().map(|burst| {
            let written = written.remove(&burst.ask.inbound).unwrap_or_default();
            let texts = written.iter().map(|(speaker, text)| (*speaker, text.as_str()));
            Asked {
                question: Question::of_burst(&burst),
                facts: facts.remove(&burst.ask.inbound),
                turns: turns(texts),
                tools: tools.get(&burst.ask.tenant).cloned().unwrap_or_default(),
                burst,
            }
        });
        Ok((asked.collect(), is_full))
    }

    /// Answers one burst.
    async fn answer(&self, cx: &Cx, asked: Asked) -> Result<Answered, Fault> {
        let decided_before = |facts: &&ReplyFacts| facts.decided.is_some();
        if let Some(facts) = asked.facts.as_ref().filter(decided_before) {
            return Ok(over(&asked, say::again(&asked.question, facts)));
        }

        // decide
        let Some(decision) = self.decision(cx, &asked).await? else { return Ok(Answered::Waits) };

        // record
        let recorded = record::record(&self.store, cx.later(), &[decision]).await?;

        // say
        match recorded.into_iter().next() {
            Some(Recorded::Stands(decided)) => {
                Ok(over(&asked, say::answer(&asked.question, &decided)))
            }
            Some(Recorded::Overtaken) | None => {
                bursts::give_back(&self.store, &asked.burst).await?;
                Ok(Answered::Waits)
            }
        }
    }

    /// What is decided about a burst; none where it is tried again.
    async fn decision(&self, cx: &Cx, asked: &Asked) -> Result<Option<ReplyDecision>, Fault> {
        let question = &asked.question;
        let (facts, ask_of) = (asked.facts.as_ref(), || question.ask.clone());
        let intent = decide::decide(cx.now, question, facts, self.model.is_some());
        let (Some(model), Some(facts)) = (&self.model, facts) else {
            let reason = match intent {
                ReplyIntent::Silence(reason) => reason,
                ReplyIntent::Ask(_) | ReplyIntent::Say(..) => ReplyReason::AiOff,
            };
            return Ok(Some(decide::silence(ask_of(), reason)));
        };
        match intent {
            ReplyIntent::Say(body, reason) => {
                return Ok(Some(decide::said(ask_of(), body, reason)));
            }
            ReplyIntent::Silence(reason) => return Ok(Some(decide::silence(ask_of(), reason))),
            ReplyIntent::Ask(_) => {}
        }
        if asked.burst.tries > MOST_TAKEN {
            return Ok(Some(decide::silence(ask_of(), ReplyReason::AiUnavailable)));
        }

        if let Some(until) = model.paused_until(machine::now()) {
            return self.later(asked, until).await;
        }
        let read = (asked.turns.as_slice(), asked.tools.as_slice());
        match ask(model, cx.now, question, &facts.assistant, read).await {
            Ok(decision) => Ok(Some(decision)),
            Err(NoAnswer { after, spent }) => {
                self.count(&question.ask, spent.as_deref()).await?;
                let tries = u32::from(asked.burst.tries.unsigned_abs());
                let own = backoff(tries, FIRST, LONGEST, chance());
                let wait = after.map_or(own, |after| after.max(own));
                let again = machine::now().saturating_add(wait).unwrap_or(Timestamp::MAX);
                self.later(asked, again).await
            }
        }
    }

    /// Counts what a model has cost that gave no answer in the end.
    async fn count(&self, ask: &Ask, spent: Option<&Generation>) -> Result<(), Fault> {
        let Some(spent) = spent else { return Ok(()) };
        let mut tx = self.store.scoped([&ask.tenant]).await?;
        replies::count(&mut tx, &ask.tenant, spent).await?;
        tx.commit().await.map_err(store::fault)
    }

    /// Tries again at an instant, or gives the conversation to people where somebody would wait for
    /// too long.
    async fn later(&self, asked: &Asked, due: Timestamp) -> Result<Option<ReplyDecision>, Fault> {
        let waited = due.duration_since(asked.burst.began_at);
        if asked.burst.tries >= TRIES || waited > PATIENCE {
            let ask = asked.question.ask.clone();
            return Ok(Some(decide::silence(ask, ReplyReason::AiUnavailable)));
        }
        bursts::put_off(&self.store, &asked.burst, due).await?;
        Ok(None)
    }
}

fn over(asked: &Asked, said: Option<Outgoing>) -> Answered {
    Answered::Over(Box::new(asked.question.ask.clone()), said)
}
