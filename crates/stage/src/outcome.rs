//! What a stage says about one message.

use std::time::Duration;

use jiff::Timestamp;
use wire::frame::Outgoing;

/// The longest that a message may wait in memory; longer waits are parked in a row.
pub const MAX_WAIT: Duration = Duration::from_secs(1);

/// What became of one message in one stage.
#[derive(Debug)]
pub enum Outcome {
    /// Publish these, then the message is done. Nothing to publish is fine: the end.
    Emit(Vec<Outgoing>),
    /// Hand it over again at this machine instant, at most [`MAX_WAIT`] away. For longer, park.
    Wait {
        /// When.
        until: Timestamp,
    },
    /// The stage has put it aside in a row, in the transaction that recorded the decision.
    Park {
        /// When the row is due; none while it waits for its cause to go away.
        due: Option<Timestamp>,
        /// Why, for the metrics.
        cause: Cause,
        /// What to announce.
        say: Vec<Outgoing>,
    },
    /// It cannot be handled, ever: a dead letter.
    Dead {
        /// Why, for the letter and the metrics.
        cause: Cause,
    },
}

/// A reason in one word, bounded in number: it becomes a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause(pub &'static str);

impl Outcome {
    /// The message ends here.
    pub const DONE: Self = Self::Emit(Vec::new());

    /// Hand the message over again so long after a machine instant, or after [`MAX_WAIT`].
    pub fn wait(machine: Timestamp, wait: Duration) -> Self {
        let until = machine.saturating_add(wait.min(MAX_WAIT)).unwrap_or(Timestamp::MAX);
        Self::Wait { until }
    }

    /// The metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Emit(_) => "emit",
            Self::Wait { .. } => "wait",
            Self::Park { .. } => "park",
            Self::Dead { .. } => "dead",
        }
    }
}
