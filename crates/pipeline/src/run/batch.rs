//! One batch from hand-over to PubAck: hands it to the stage in a task of its own, settles each
//! answer, publishes what it says, and does about a fault what [`settle`] decides.

use std::{pin::pin, sync::Arc, time::Duration};

use async_nats::Subject;
use domain::message::class::Lane;
use stage::{Batch, Clock, Cx, Stage, fault::Fault, machine, outcome::Outcome};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;
use wire::frame::{Outgoing, Payload};

use super::{
    handed::{Handed, Open, Settled, State},
    held::Member,
    panicked::panicked,
    wait::until,
};
use crate::{
    consumers::ConsumerSpec,
    letter::{Seal, Why, Writer},
    measure::Measure,
    progress::Meter,
    publish::Publisher,
    settle::{Settlement, Situation, settle, writes_letters},
};

/// What the batches of one lane have in common.
pub(super) struct Crew<S: Stage> {
    pub(super) stage: Arc<S>,
    pub(super) spec: &'static ConsumerSpec,
    pub(super) clock: Clock,
    pub(super) publisher: Publisher,
    pub(super) seal: Arc<dyn Seal>,
    pub(super) longest_json: usize,
    pub(super) measure: Measure,
    pub(super) meter: Arc<Meter>,
    /// How long answers are gathered while the stage still works on the batch.
    pub(super) gather: Duration,
    /// Cancelled when a drain begins: no more retries.
    pub(super) draining: CancellationToken,
    /// Cancelled when a drain has taken too long: nothing more at all.
    pub(super) deadline: CancellationToken,
    pub(super) notes: UnboundedSender<Note<S::In>>,
}

/// What a batch tells its lane.
pub(super) enum Note<P> {
    /// These members are through, by the slot of their frame.
    Done(Vec<u32>),
    /// Hand this one over again at this instant.
    Again(Member<P>, Instant),
    /// These members are given up for now, by the slot of their frame: a drain is under way.
    Left(Vec<u32>),
    /// This batch takes long, and no longer counts among those under way.
    TakesLong { alone: bool },
}

/// How a batch has ended.
pub(super) struct Ended {
    /// Whether it has told the lane that it takes long.
    pub(super) took_long: bool,
    /// Whether it was of one tenant that had enough for a batch.
    pub(super) alone: bool,
}

/// The messages and letters that one batch begins with.
pub(super) struct Load<P> {
    pub(super) members: Vec<Member<P>>,
    /// Letters for what did not decode, with the slot of their frame; none for what stays in DEAD.
    pub(super) letters: Vec<(u32, Option<Outgoing>)>,
    /// Whether they are of one tenant that had enough for a batch.
    pub(super) alone: bool,
}

/// The time is up: what is not published yet is left for redelivery.
struct TimeUp;

/// What one hand-over left behind: messages without an answer, and why.
struct Rest<P> {
    members: Vec<Member<P>>,
    fault: Fault,
}

impl<S: Stage> Crew<S> {
    /// Works on a batch, and tells the lane once it takes long.
    pub(super) async fn run(self: Arc<Self>, load: Load<S::In>) -> Ended {
        let alone = load.alone;
        let mut work = pin!(Arc::clone(&self).work(load));
        tokio::select! {
            biased;
            () = &mut work => return Ended { took_long: false, alone },
            () = sleep(S::LONG) => {}
        }

        self.note(Note::TakesLong { alone });
        work.await;
        Ended { took_long: true, alone }
    }

    /// Works until every member is through, waiting, or given up by a drain.
    async fn work(self: Arc<Self>, load: Load<S::In>) {
        let mut settled = Settled::default();
        for (slot, letter) in load.letters {
            self.measure.letter("undecodable");
            settled.add(slot, letter.into_iter().collect());
        }

        let mut groups = Vec::new();
        if !load.members.is_empty() {
            groups.push(load.members);
        }
        let mut failures = 0;
        while let Some(group) = groups.pop() {
            let Ok(rest) = self.hand_over(group, &mut settled).await else { return };
            let back_off = rest
                .and_then(|rest| self.settle_fault(rest, failures + 1, &mut settled, &mut groups));
            let Some(after) = back_off else {
                failures = 0;
                continue;
            };

            failures += 1;
            if self.publish(&mut settled).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(after) => {}
                () = self.draining.cancelled() => return self.leave(groups),
            }
        }

        // An error here means that the time is up: the lane knows what it still holds.
        let _ = self.publish(&mut settled).await;
    }

    /// Hands messages to the stage and publishes what it answers. Gives back what it left without
    /// an answer.
    async fn hand_over(
        &self,
        members: Vec<Member<S::In>>,
        settled: &mut Settled,
    ) -> Result<Option<Rest<S::In>>, TimeUp> {
        let size = members.len();
        let (mut open, batch, mut answers) = Open::new(members);
        let begun = Instant::now();
        let mut handling = self.spawn(batch, size);

        let mut buffer = Vec::with_capacity(size.min(64));
        let mut answering = true;
        let ended = loop {
            let flush = settled.since.map(|since| since + self.gather);
            tokio::select! {
                biased;
                () = self.deadline.cancelled() => return Err(TimeUp),
                got = answers.recv_many(&mut buffer, 1024), if answering => {
                    answering = got > 0;
                    self.settle(&mut buffer, &mut open, settled);
                }
                ended = &mut handling => break ended,
                () = until(flush) => self.publish(settled).await?,
                () = until(open.next_wait()) => self.hand_back(&mut open),
            }
        };

        // The task has ended; its last answers may still be on their way.
        while let Ok(answer) = answers.try_recv() {
            buffer.push(answer);
        }
        self.settle(&mut buffer, &mut open, settled);
        self.measure.batch_seconds.record(begun.elapsed());
        self.measure.batch_size.record(size as f64);
        self.publish(settled).await?;

        let unanswered = open.close(|member, due| self.note(Note::Again(member, due)));
        if unanswered.is_empty() {
            return Ok(None);
        }
        Ok(Some(Rest { members: unanswered, fault: fault_of(ended) }))
    }

    /// The stage at work on a batch, in a task of its own: it ends when the handle is dropped.
    fn spawn(&self, batch: Batch<S::In>, size: usize) -> AbortOnDropHandle<Result<(), Fault>> {
        let lane = self.spec.lane.map_or("none", Lane::as_str);
        let span = tracing::info_span!("batch", stage = S::NAME.as_str(), lane, size);
        let cx = Cx::read(&self.clock);
        let stage = Arc::clone(&self.stage);

        let handle = async move { stage.handle(&cx, batch).await }.instrument(span);
        AbortOnDropHandle::new(tokio::spawn(handle))
    }

    /// Settles answers as they come.
    fn settle(
        &self,
        answers: &mut Vec<(usize, Outcome)>,
        open: &mut Open<S::In>,
        settled: &mut Settled,
    ) {
        if answers.is_empty() {
            return;
        }
        self.meter.moved();
        let now = machine::now();
        let waited = Duration::ZERO;
        let situation =
            Situation { failures: 0, batch: 1, waited, from: self.spec.stream, now, chance: 0.0 };

        for (index, outcome) in answers.drain(..) {
            let is_open = |one: &&mut Handed| one.state == State::Unanswered;
            let Some(handed) = open.handed.get_mut(index).filter(is_open) else { continue };
            self.measure.outcome(&outcome);
            handed.state = State::Through;
            // Whatever the answer is: this version reads the message now.
            handed.newer_since = None;

            let (origin, attempts) = (&*handed.origin, handed.attempts);
            let letter = |cause, detail: &'static str| {
                let why = Why { cause, detail: detail.into(), attempts };
                self.letter(&origin.subject, &open.items[index], why)
            };
            match settle(Ok(outcome), &situation) {
                Settlement::Publish(say) if say.iter().all(|one| self.publisher.fits(one)) => {
                    settled.add(origin.slot, say);
                }
                Settlement::Publish(_) => {
                    let detail = "what follows from it is larger than the broker takes";
                    settled.add(origin.slot, letter("too_large", detail));
                }
                Settlement::Again { after } => {
                    handed.state = State::Waiting(Instant::now() + after);
                }
                Settlement::DeadLetter { cause, detail } => {
                    settled.add(origin.slot, letter(cause, detail));
                }
                Settlement::Leave { cause } => {
                    self.measure.letter(cause);
                    settled.add(origin.slot, Vec::new());
                }
                // No outcome settles so; if one did, the message would count as not answered.
                Settlement::Retry { .. } | Settlement::Halve => handed.state = State::Unanswered,
            }
        }
    }

    /// Does what the fault asks for, but the back-off: that is given to the caller.
    fn settle_fault(
        &self,
        rest: Rest<S::In>,
        failures: u32,
        settled: &mut Settled,
        groups: &mut Vec<Vec<Member<S::In>>>,
    ) -> Option<Duration> {
        let Rest { mut members, fault } = rest;
        let batch = members.len();
        self.measure.fault(&fault);
        report(self.spec.name, &fault, &members, failures);

        let (now, chance) = (machine::now(), machine::chance());
        let waited = waited(&members);
        let situation = Situation { failures, batch, waited, from: self.spec.stream, now, chance };
        match settle(Err(&fault), &situation) {
            Settlement::Retry { after } => {
                groups.push(members);
                return Some(after);
            }
            Settlement::Again { after } => {
                let now = Instant::now();
                for mut member in members {
                    member.newer_since.get_or_insert(now);
                    self.note(Note::Again(member, now + after));
                }
            }
            Settlement::Halve => {
                let second = members.split_off(batch / 2);
                groups.push(second);
                groups.push(members);
            }
            Settlement::DeadLetter { cause, detail } => {
                for Member { payload, origin, attempts, .. } in members {
                    let why = Why { cause, detail: detail.into(), attempts };
                    let letter = self.letter(&origin.subject, &payload, why);
                    settled.add(origin.slot, letter);
                }
            }
            Settlement::Leave { cause } => {
                self.measure.letter(cause);
                members.iter().for_each(|member| settled.add(member.origin.slot, Vec::new()));
            }
            // No fault settles so; if one did, these would be through.
            Settlement::Publish(say) => {
                settled.outgoing.extend(say);
                members.iter().for_each(|member| settled.add(member.origin.slot, Vec::new()));
            }
        }
        None
    }

    /// Publishes what is settled, awaits every PubAck, and then tells the lane who is through.
    async fn publish(&self, settled: &mut Settled) -> Result<(), TimeUp> {
        let Settled { outgoing, done, .. } = std::mem::take(settled);
        if !outgoing.is_empty() {
            let stored = self.publisher.store(outgoing, &self.deadline).await;
            stored.map_err(|_| TimeUp)?;
        }

        if !done.is_empty() {
            self.note(Note::Done(done));
        }
        Ok(())
    }

    /// Gives those whose wait is over back while the stage still works on others.
    fn hand_back(&self, open: &mut Open<S::In>) {
        for (member, due) in open.take_due(Instant::now()) {
            self.note(Note::Again(member, due));
        }
    }

    /// Gives up what is not handed over again, because a drain has begun.
    fn leave(&self, groups: Vec<Vec<Member<S::In>>>) {
        let slots = groups.into_iter().flatten().map(|member| member.origin.slot);
        self.note(Note::Left(slots.collect()));
    }

    /// The letter of one message; none about what was read from DEAD.
    fn letter(&self, subject: &Subject, payload: &S::In, why: Why) -> Vec<Outgoing> {
        self.measure.letter(why.cause);
        let is_written = writes_letters(self.spec.stream);
        is_written.then(|| self.writer().message(subject, payload, why)).into_iter().collect()
    }

    pub(super) fn writer(&self) -> Writer<'_> {
        let (from, longest) = (self.spec.stream, self.longest_json);
        Writer { stage: S::NAME, from, seal: &*self.seal, longest }
    }

    fn note(&self, note: Note<S::In>) {
        // The lane outlives its batches; when it is gone, so is whoever would care.
        let _ = self.notes.send(note);
    }
}

/// How long a message has waited for a newer version. Of several, none has: it waits alone.
fn waited<P>(members: &[Member<P>]) -> Duration {
    let since = match members {
        [alone] => alone.newer_since,
        _ => None,
    };
    since.map_or(Duration::ZERO, |since| since.elapsed())
}

/// Why messages are without an answer after the stage's task has ended.
fn fault_of(ended: Result<Result<(), Fault>, tokio::task::JoinError>) -> Fault {
    match ended {
        Ok(Err(fault)) => fault,
        Ok(Ok(())) => Fault::Panicked("the stage did not answer".into()),
        Err(failed) => panicked("stage", failed),
    }
}

/// Logs an outage now and then while it lasts, refused data and bugs once the culprit is alone. Who
/// refused the data may quote it, so the log names only the message's id.
fn report<P: Payload>(consumer: &str, fault: &Fault, members: &[Member<P>], failures: u32) {
    let (label, messages) = (fault.label(), members.len());
    let culprit = match members {
        [alone] => Some(alone.payload.key().id),
        _ => None,
    };

    match (fault, culprit) {
        (Fault::Unavailable { source, .. }, _) => {
            if failures <= 2 || failures.is_power_of_two() {
                tracing::warn!(consumer, fault = label, messages, failures, %source, "waiting");
            }
        }
        (Fault::Refused { .. } | Fault::Newer { .. } | Fault::Panicked(_), None) => {
            tracing::debug!(consumer, fault = label, messages, "looking for the culprit");
        }
        (Fault::Refused { .. }, Some(id)) => {
            tracing::warn!(consumer, fault = label, %id, "a dead letter");
        }
        (Fault::Newer { what, value }, Some(id)) => {
            if members.iter().all(|member| member.newer_since.is_none()) {
                tracing::warn!(consumer, fault = label, %id, what, value, "waiting for an upgrade");
            }
        }
        (Fault::Panicked(_), Some(id)) => {
            tracing::error!(consumer, fault = label, %id, "a stage failed: a dead letter");
        }
    }
}
