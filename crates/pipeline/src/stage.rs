//! What a stage is: a batch of messages in, an outcome for each out. What a source is: due rows in,
//! messages out.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::mpsc;
use wire::{
    frame::{Outgoing, Payload},
    stream::Stream,
};

use crate::{fault::Fault, machine, outcome::Outcome, run::Clock};

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// A link of the pipeline. Names its consumers, spans, metrics and dead letters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StageName {
            $(#[doc = $text] $name,)*
        }

        impl StageName {
            /// Every stage, in the order of the pipeline.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in subjects, consumers, metrics and commands.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

names! {
    Audience "audience"
    Enrich "enrich"
    Gate "gate"
    Throttle "throttle"
    Send "send"
    Reconcile "reconcile"
    Inbound "inbound"
    Reply "reply"
    Rollup "rollup"
    Schedule "schedule"
}

/// What a stage may know beside its messages.
#[derive(Clone)]
pub struct Cx {
    /// Business time, read once for the whole batch.
    pub now: Timestamp,
    /// Machine time, read once for the whole batch: for leases alone.
    pub machine: Timestamp,
    clock: Clock,
}

impl Cx {
    /// The times that the clocks tell.
    pub fn read(clock: &Clock) -> Self {
        Self { now: clock(), machine: machine::now(), clock: Arc::clone(clock) }
    }

    /// Times that stand still.
    pub fn at(now: Timestamp, machine: Timestamp) -> Self {
        Self { now, machine, clock: Arc::new(move || now) }
    }

    /// Business time as it is by now: for what is decided after a wait within the batch.
    pub fn later(&self) -> Timestamp {
        (self.clock)()
    }
}

/// One link of the pipeline: load facts for the whole batch, decide each message, record in one
/// transaction, say the outputs.
///
/// The runtime may hand over the same message again (crash, lost ack, slow ack), in another cut and
/// in two processes at once. So every effect must be keyed, and the answer must be the stored one.
pub trait Stage: Send + Sync + 'static {
    /// A verb.
    const NAME: StageName;
    /// The stream it reads.
    const FROM: Stream;
    /// What it reads.
    type In: Payload;
    /// How long a message may wait for its batch to become fuller. Statements and frames cost by
    /// the batch, so a few milliseconds pay where nobody waits for the answer. Urgent lanes never
    /// linger.
    const LINGER: Duration = Duration::ZERO;

    /// Answers each message once its outcome is known, through [`Batch::answer`].
    ///
    /// # Errors
    /// A fault concerns all messages not answered yet: an outage has them handed over again later,
    /// refused data has the batch halved until the culprit is alone.
    fn handle(
        &self,
        cx: &Cx,
        batch: Batch<Self::In>,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Rows in, messages out: campaigns' audiences, parked messages, the totals to publish.
pub trait Source: Send + Sync + 'static {
    /// A verb.
    const NAME: StageName;

    /// Takes due rows under a short lease and says what to publish. The rows are marked in
    /// [`Tick::published`], after every PubAck: a crash between repeats, it never skips.
    ///
    /// # Errors
    /// An outage; the runtime backs off and ticks again.
    fn tick(&self, cx: &Cx) -> impl Future<Output = Result<Tick, Fault>> + Send;
}

/// What one tick of a source found.
#[derive(Default)]
pub struct Tick {
    /// To publish.
    pub say: Vec<Outgoing>,
    /// Marks the rows as published; run after every PubAck.
    pub published: Option<Mark>,
    /// Whether more is due now: tick again at once.
    pub more: bool,
}

/// What a source does once its messages are stored by the broker.
pub type Mark = futures::future::BoxFuture<'static, Result<(), Fault>>;

/// The messages of one hand-over, each to be answered once.
pub struct Batch<P> {
    /// Shared with the runtime, which takes unanswered messages back without copying them.
    items: Arc<Vec<P>>,
    answers: mpsc::UnboundedSender<(usize, Outcome)>,
}

impl<P: Payload> Batch<P> {
    /// A batch whose answers arrive at the receiver as `(index, outcome)`.
    pub fn new(items: Vec<P>) -> (Self, mpsc::UnboundedReceiver<(usize, Outcome)>) {
        Self::shared(Arc::new(items))
    }

    pub(crate) fn shared(items: Arc<Vec<P>>) -> (Self, mpsc::UnboundedReceiver<(usize, Outcome)>) {
        let (answers, receiver) = mpsc::unbounded_channel();
        (Self { items, answers }, receiver)
    }

    /// The messages.
    pub fn items(&self) -> &[P] {
        &self.items
    }

    /// Says what became of one message. The runtime publishes, waits, or dead-letters accordingly;
    /// a second answer for the same message is ignored.
    pub fn answer(&self, index: usize, outcome: Outcome) {
        // The receiver is gone only when the runtime has been dropped: the message is redelivered.
        let _ = self.answers.send((index, outcome));
    }
}
