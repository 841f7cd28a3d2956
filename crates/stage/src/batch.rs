//! The batch that a stage is handed: messages in, one outcome for each out.

use std::sync::Arc;

use tokio::sync::mpsc;
use wire::frame::Payload;

use crate::outcome::Outcome;

/// The messages of one hand-over, each to be answered once.
pub struct Batch<P> {
    /// Shared with the runtime, which takes unanswered messages back without a copy.
    items: Arc<Vec<P>>,
    answers: mpsc::UnboundedSender<(usize, Outcome)>,
}

impl<P: Payload> Batch<P> {
    /// A batch whose answers arrive at the receiver as `(index, outcome)`.
    pub fn new(items: Vec<P>) -> (Self, mpsc::UnboundedReceiver<(usize, Outcome)>) {
        Self::shared(Arc::new(items))
    }

    /// The same, for messages that the caller keeps as well.
    pub fn shared(items: Arc<Vec<P>>) -> (Self, mpsc::UnboundedReceiver<(usize, Outcome)>) {
        let (answers, receiver) = mpsc::unbounded_channel();
        (Self { items, answers }, receiver)
    }

    /// The messages, in the order of the indexes that they are answered by.
    pub fn items(&self) -> &[P] {
        &self.items
    }

    /// Says what became of one message. The runtime publishes, waits, or writes a dead letter, and
    /// ignores a second answer for the same message.
    pub fn answer(&self, index: usize, outcome: Outcome) {
        // The receiver is gone only when the runtime has been dropped: the message is redelivered.
        let _ = self.answers.send((index, outcome));
    }
}
