//! One lane: the task that owns what a consumer has delivered, from the pull to the ack. It holds
//! the permits; batches run in tasks of their own and report back.

use std::{sync::Arc, time::Duration};

use async_nats::{Client, Request, Subject, jetstream::Message};
use bytes::Bytes;
use domain::message::class;
use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use stage::Stage;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use wire::frame::{FrameError, MAX_MESSAGES, objection, unpack};

use super::{
    batch::{Crew, Ended, Note},
    config::StageConfig,
    drained::Drained,
    held::{Arrival, Frames, Member, Origin, Through},
    lag,
    pull::Puller,
    queue::Queue,
    runtime::Runtime,
    under_way::UnderWay,
    wait::{running, until},
};
use crate::{
    consumers::ConsumerSpec, measure::Measure, progress::Meter, publish::Publisher,
    settle::writes_letters,
};
/// How long an ack may take to be confirmed. One that is not is counted, no more.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// How many times as many members as may be worked on may be in frames that are not acked: so many
/// come again where a process dies, most of them done with.
const AGAIN_AT_MOST: usize = 16;

/// How soon what a drain gives back may come again: the others are up, or the restart takes longer.
const GIVE_BACK: &[u8] = b"-NAK {\"delay\": 100000000}";

/// How long a drain waits to hand what it gives back to a broker that may be away.
const BROKER_AWAY: Duration = Duration::from_secs(2);

/// How long after the last one the bulk lane begins a batch that is not full, while others are
/// under way: a batch costs the same statements however few messages it has, and what waits here is
/// behind those anyway. With none under way it begins at once.
const FILL: Duration = Duration::from_millis(10);

/// How often gauges are set and stale pulls are looked for.
const SURVEY: Duration = Duration::from_secs(1);

/// Everything that one consumer's messages go through in this process.
pub(super) struct Lane<S: Stage> {
    crew: Arc<Crew<S>>,
    config: StageConfig,
    /// How long a batch that is not full waits for more.
    linger: Duration,
    /// How long after the last one it begins, beside others.
    fill: Duration,
    client: Client,
    runtime: Runtime,
    puller: Puller,
    frames: Frames,
    queue: Queue<S::In>,
    batches: JoinSet<Ended>,
    under_way: UnderWay,
    notes: mpsc::UnboundedReceiver<Note<S::In>>,
    /// Progress beats on their way out.
    beating: Option<BoxFuture<'static, ()>>,
    acks: FuturesUnordered<BoxFuture<'static, Acked>>,
    /// How many publishes wait for a full or absent stream.
    blocked: watch::Receiver<usize>,
    /// Messages that are not through, and frames whose ack is under way: the permits in use.
    in_flight: usize,
    /// Messages given up by a drain.
    left: usize,
    measure: Measure,
    meter: Arc<Meter>,
}

/// What became of an ack.
struct Acked {
    slot: u32,
    confirmed: bool,
}

impl<S: Stage> Lane<S> {
    pub(super) fn new(
        stage: Arc<S>,
        spec: &'static ConsumerSpec,
        runtime: &Runtime,
        config: &StageConfig,
    ) -> Self {
        let urgent = spec.lane == Some(class::Lane::Urgent);
        let config = if urgent { config.urgent() } else { config.clone() };
        let config = StageConfig { in_flight: config.in_flight.max(512), ..config };
        let measure = Measure::new(spec);
        let meter = runtime.progress.meter(spec.name);

        let publisher = Publisher::new(&runtime.broker, S::NAME.as_str()).minding(S::FILLS);
        let blocked = publisher.blocked();
        let (notes_in, notes) = mpsc::unbounded_channel();
        let crew = Crew {
            stage,
            spec,
            clock: Arc::clone(&runtime.clock),
            publisher,
            seal: Arc::clone(&runtime.seal),
            longest_json: runtime.broker.longest_json(),
            measure: measure.clone(),
            meter: Arc::clone(&meter),
            gather: config.gather,
            draining: runtime.stop.clone(),
            deadline: CancellationToken::new(),
            notes: notes_in,
        };

        Self {
            crew: Arc::new(crew),
            queue: Queue::new(config.flood, config.turn),
            config,
            linger: if urgent { Duration::ZERO } else { S::LINGER },
            fill: if spec.lane == Some(class::Lane::Bulk) { FILL } else { Duration::ZERO },
            client: runtime.broker.client.clone(),
            runtime: runtime.clone(),
            puller: Puller::new(&runtime.broker, spec, Arc::clone(&meter)),
            frames: Frames::default(),
            batches: JoinSet::new(),
            under_way: UnderWay::default(),
            notes,
            beating: None,
            acks: FuturesUnordered::new(),
            blocked,
            in_flight: 0,
            left: 0,
            measure,
            meter,
        }
    }

    /// Runs until stopped, then drains.
    pub(super) async fn run(mut self) -> Drained {
        let lag = lag::watch(&self.runtime, self.crew.spec, &self.measure, &self.meter);
        let stop = self.runtime.stop.clone();

        let third = self.config.ack_wait / 3;
        let mut beats = interval(third);
        let mut survey = interval(SURVEY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        survey.set_missed_tick_behavior(MissedTickBehavior::Delay);

        loop {
            self.start_batches();
            let may_pull = self.may_pull();
            let (due, begins) = (self.queue.next_due(), self.begins());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(note) = self.notes.recv() => self.take_notes(note),
                Some(ack) = self.acks.next() => self.acked(ack),
                Some(ended) = self.batches.join_next() => self.ended(ended),
                () = until(begins) => {}
                () = until(due) => self.queue.wake(Instant::now()),
                () = running(&mut self.beating) => self.beating = None,
                _ = beats.tick() => self.beat(),
                _ = survey.tick() => self.survey(third),
                _ = self.blocked.changed() => {}
                message = self.puller.next(), if may_pull => {
                    self.arrived(message);
                    self.take_what_is_there();
                }
            }
        }

        drop(lag);
        self.drain(beats).await
    }

    /// Reads on while frames are here already and a batch is not full. Waits for none.
    fn take_what_is_there(&mut self) {
        while self.may_pull() && self.queue.ready() < self.config.batch_max {
            match self.puller.next().now_or_never() {
                Some(message) => self.arrived(message),
                None => break,
            }
        }
    }

    /// A permit comes before the pull: room for one more full frame, nobody blocked, and room for
    /// what will be said.
    fn may_pull(&self) -> bool {
        let room = self.in_flight + MAX_MESSAGES <= self.config.in_flight;
        let few = self.frames.members() < AGAIN_AT_MOST * self.config.in_flight;
        room && few && *self.blocked.borrow() == 0 && self.crew.publisher.has_room()
    }

    fn start_batches(&mut self) {
        while self.begins().is_some_and(|begins| begins <= Instant::now()) {
            let alone = self.under_way.may_be_alone(self.config.batches_under_way);
            let Some(load) = self.queue.batch(self.config.batch_max, alone) else { break };
            self.under_way.begin(load.alone);
            self.batches.spawn(Arc::clone(&self.crew).run(load));
        }
    }

    /// When the next batch may begin; none while nothing is ready or enough are under way.
    fn begins(&self) -> Option<Instant> {
        let at_most = self.config.batches_under_way;
        let (room, alone) = (self.under_way.all < at_most, self.under_way.may_be_alone(at_most));
        let max = self.config.batch_max;
        let could = room.then(|| self.queue.begins(max, alone, self.linger)).flatten()?;
        Some(self.under_way.begins(could, self.queue.ready() >= max, self.fill))
    }

    /// Takes a delivery in and reads it, unless it is one that is held already.
    fn arrived(&mut self, message: Message) {
        let slot = match self.frames.arrive(&message) {
            Arrival::New { slot, again } => {
                self.measure.redeliveries.increment(u64::from(again));
                slot
            }
            Arrival::Known => return self.measure.redeliveries.increment(1),
            Arrival::Foreign => return,
        };

        let members = self.read(slot, &message);
        self.frames.fill(slot, members);
        self.in_flight += members;
        self.meter.hold(self.frames.len());
    }

    /// Reads a frame apart and says how many members it has. What does not decode becomes a letter,
    /// its neighbours go on; a frame that is none counts as one member.
    fn read(&mut self, slot: u32, message: &Message) -> usize {
        let subject = &message.subject;
        let origin = Arc::new(Origin { slot, subject: subject.clone() });
        let members = match unpack::<S::In>(&message.payload) {
            Ok(members) => members,
            Err(why) => {
                let detail = match why {
                    FrameError::Json(why) => objection(&why),
                    FrameError::Size(_) => why.to_string(),
                };
                let letter = || self.crew.writer().frame(subject, &message.payload, detail);
                self.queue.push_letter(slot, writes_letters(self.crew.spec.stream).then(letter));
                return 1;
            }
        };

        let size = members.len();
        for member in members {
            match member {
                Ok(payload) => {
                    let origin = Arc::clone(&origin);
                    self.queue.push(Member { payload, origin, attempts: 0, newer_since: None });
                }
                Err(bad) => {
                    let letter = || self.crew.writer().member(subject, &bad);
                    self.queue
                        .push_letter(slot, writes_letters(self.crew.spec.stream).then(letter));
                }
            }
        }
        size
    }

    /// A batch task ends by itself. One that panicked takes the lane with it: what the batch held
    /// would never be acked or given back.
    fn ended(&mut self, ended: Result<Ended, JoinError>) {
        match ended {
            Ok(Ended { took_long: false, alone }) => self.under_way.end(alone),
            // It has said so before.
            Ok(Ended { took_long: true, .. }) => {}
            Err(failed) => {
                if let Ok(payload) = failed.try_into_panic() {
                    std::panic::resume_unwind(payload);
                }
            }
        }
    }

    fn take_notes(&mut self, first: Note<S::In>) {
        self.noted(first);
        while let Ok(note) = self.notes.try_recv() {
            self.noted(note);
        }
    }

    fn noted(&mut self, note: Note<S::In>) {
        match note {
            Note::Done(slots) => {
                self.meter.moved();
                for slot in slots {
                    let through = self.frames.done(slot);
                    self.finish(through);
                }
            }
            Note::Again(member, _) if self.crew.draining.is_cancelled() => {
                self.give_up(vec![member.origin.slot]);
            }
            Note::Again(member, due) => self.queue.wait(member, due),
            Note::Left(slots) => self.give_up(slots),
            Note::TakesLong { alone } => self.under_way.end(alone),
        }
    }

    /// Gives up messages for now: their frames go back to the broker.
    fn give_up(&mut self, slots: Vec<u32>) {
        self.left += slots.len();
        for slot in slots {
            let through = self.frames.abandon(slot);
            self.finish(through);
        }
    }

    /// One member is through, which makes room for another: one that is stuck holds its own place,
    /// not those of its whole frame. The last one's place is free once the frame is acked.
    fn finish(&mut self, through: Option<Through>) {
        match through {
            Some(through) => self.ack(through),
            None => self.in_flight -= 1,
        }
    }

    /// Acks a frame whose members are all through, by a request: its answer pushes back when the
    /// broker lags, and it fails where `double_ack()` would say Ok to "no responders".
    fn ack(&mut self, Through { slot, reply, abandoned, .. }: Through) {
        let payload = Bytes::from_static(if abandoned { GIVE_BACK } else { b"+ACK" });
        let request = Request::new().payload(payload).timeout(Some(ACK_TIMEOUT));
        let client = self.client.clone();

        let ack = async move {
            let confirmed = client.send_request(reply, request).await.is_ok();
            Acked { slot, confirmed }
        };
        self.acks.push(ack.boxed());
    }

    /// The ack is confirmed, or known to be lost: then the frame comes again, which is harmless.
    fn acked(&mut self, ack: Acked) {
        self.frames.leave(ack.slot);
        self.meter.hold(self.frames.len());
        self.in_flight -= 1;
        if !ack.confirmed {
            self.measure.ack_failures.increment(1);
        }
    }

    /// Tells the broker that everything held here is still being worked on, unless the last beat
    /// is still on its way: then there is no connection.
    fn beat(&mut self) {
        if self.beating.is_some() {
            return;
        }
        let parked = self.puller.parked().iter().filter_map(|message| message.reply.clone());
        let replies: Vec<Subject> = self.frames.replies().chain(parked).collect();
        self.beating = Some(send_all(self.client.clone(), replies, b"+WPI").boxed());
    }

    /// Sets the gauges, and beats at once for frames that have waited unread for that long.
    fn survey(&mut self, third: Duration) {
        if self.puller.relieve(third) {
            self.beat();
        }
        self.measure.in_flight.set(self.in_flight as f64);
        self.meter.set_oldest(self.frames.oldest());
        self.meter.hold(self.frames.len());
    }

    /// Lets batches under way end, publishes and acks what they say, and gives all else back to the
    /// broker.
    async fn drain(mut self, mut beats: Interval) -> Drained {
        // give back what no batch has
        let end = Instant::now() + self.config.drain;
        self.puller.close();
        let unread = self.puller.parked().len();
        let parked = self.puller.parked().iter().filter_map(|message| message.reply.clone());
        let give_back = send_all(self.client.clone(), parked.collect(), GIVE_BACK);
        let queued = self.queue.clear();
        self.give_up(queued);
        let _ = timeout(BROKER_AWAY, give_back).await;

        // let the batches end
        let time_up = sleep_until(end);
        tokio::pin!(time_up);
        let mut in_time = true;
        while !self.batches.is_empty() {
            tokio::select! {
                biased;
                Some(note) = self.notes.recv() => self.take_notes(note),
                Some(ack) = self.acks.next() => self.acked(ack),
                Some(ended) = self.batches.join_next() => self.ended(ended),
                () = running(&mut self.beating) => self.beating = None,
                _ = beats.tick() => self.beat(),
                () = &mut time_up, if in_time => {
                    in_time = false;
                    self.crew.deadline.cancel();
                }
            }
        }
        while let Ok(note) = self.notes.try_recv() {
            self.noted(note);
        }

        // give back what they left
        for through in self.frames.abandon_all() {
            self.left += through.open as usize;
            self.ack(through);
        }

        // await the acks; without one a frame comes again
        let unacked = self.last_acks().await;

        self.measure.in_flight.set(0.0);
        let left = self.left;
        let consumer = self.crew.spec.name;
        tracing::info!(consumer, left, unread, unacked, in_time, "drained");
        Drained { left, unread, unacked, in_time }
    }

    /// Awaits acks, and that they are on their way. Answers how many frames have none.
    async fn last_acks(&mut self) -> usize {
        let end = Instant::now() + ACK_TIMEOUT;
        let mut unacked = 0;
        while let Ok(Some(ack)) = timeout_at(end, self.acks.next()).await {
            unacked += usize::from(!ack.confirmed);
            self.acked(ack);
        }
        let _ = timeout_at(end, self.client.flush()).await;
        unacked + self.acks.len()
    }
}

/// Sends the same to many reply subjects, without awaiting answers.
#[expect(clippy::disallowed_methods, reason = "beats and naks: what is lost of them does no harm")]
async fn send_all(client: Client, replies: Vec<Subject>, what: &'static [u8]) {
    let sends = replies.into_iter().map(|reply| client.publish(reply, Bytes::from_static(what)));
    // Errors are those of a lost connection: the broker redelivers then anyway.
    let _ = join_all(sends).await;
}
