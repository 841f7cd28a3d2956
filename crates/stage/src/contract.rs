//! What a stage is: a batch of messages in, an outcome for each out. What a source is: due rows in,
//! messages out.

use std::{future::Future, time::Duration};

use futures::future::BoxFuture;
use wire::{
    frame::{Outgoing, Payload},
    stream::Stream,
};

use crate::{batch::Batch, fault::Fault, name::StageName, time::Cx};

/// One link of the pipeline: load facts for the whole batch, decide each message, record in one
/// transaction, say the outputs.
///
/// The runtime may hand over the same message again (crash, lost ack, slow ack), in another batch
/// and in two processes at once. So every effect must be keyed, and the answer must be the stored
/// one.
pub trait Stage: Send + Sync + 'static {
    /// What the stage does, as a verb.
    const NAME: StageName;
    /// The streams it reads.
    const FROM: &'static [Stream];
    /// The streams that it fills and does not empty. While more than half of one is unread, it
    /// takes nothing new.
    const FILLS: &'static [Stream] = &[];
    /// The payload of the messages it reads.
    type In: Payload;
    /// How long a message may wait for its batch to become fuller. Statements and frames cost by
    /// the batch, so a few milliseconds pay where nobody waits for the answer. Urgent lanes never
    /// linger.
    const LINGER: Duration = Duration::ZERO;
    /// After how long a batch no longer counts among those under way, so that others may begin: for
    /// stages that wait for somebody who may be slow. What they hold is bounded by their messages.
    const LONG: Duration = Duration::MAX;

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
    /// What the source does, as a verb.
    const NAME: StageName;
    /// The streams that it fills. While more than half of one is unread, it does not tick.
    const FILLS: &'static [Stream] = &[];

    /// Takes due rows under a short lease and says what to publish. [`Tick::published`] marks them,
    /// after every PubAck: a crash in between publishes them again, and skips none.
    ///
    /// # Errors
    /// An outage: the runtime backs off and ticks again.
    fn tick(&self, cx: &Cx) -> impl Future<Output = Result<Tick, Fault>> + Send;
}

/// What one tick of a source found.
#[derive(Default)]
pub struct Tick {
    /// What to publish, in this order.
    pub say: Vec<Outgoing>,
    /// Marks the rows as published; the runtime runs it after every PubAck.
    pub published: Option<Mark>,
    /// Whether more is due now, so that the runtime ticks again at once.
    pub more: bool,
}

/// What a source does once its messages are stored by the broker.
pub type Mark = BoxFuture<'static, Result<(), Fault>>;
