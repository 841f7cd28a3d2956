//! What a stage says about one message.

use std::time::Duration;

use jiff::Timestamp;
use wire::frame::Outgoing;

/// The longest that a message may wait in memory; longer waits are parked in a row.
pub const MAX_WAIT: Duration = Duration::from_secs(1);

/// What became of one message in one stage.
#[derive(Debug)]
pub enum Outcome {
    /// Publish these, then the message is done. With nothing to publish it is done at once.
    Emit(Vec<Outgoing>),
    /// Hand it over again at this machine instant, at most [`MAX_WAIT`] away. For longer, park.
    Wait {
        /// The machine instant at which it is due.
        until: Timestamp,
    },
    /// The stage has put it aside in a row, in the transaction that recorded the decision.
    Park {
        /// When the row is due; none while it waits for its cause to go away.
        due: Option<Timestamp>,
        /// Why it waits, for the metrics.
        cause: Cause,
        /// What to publish about it.
        say: Vec<Outgoing>,
    },
    /// It cannot be handled, ever: a dead letter.
    Dead {
        /// Why it died, for the letter and the metrics.
        cause: Cause,
    },
}

/// A reason in one word, bounded in number: it becomes a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause(pub &'static str);

impl Outcome {
    /// The message ends here.
    pub const DONE: Self = Self::Emit(Vec::new());

    /// Hand the message over again this long after a machine instant, [`MAX_WAIT`] at most.
    pub fn wait(machine: Timestamp, wait: Duration) -> Self {
        let until = machine.saturating_add(wait.min(MAX_WAIT)).unwrap_or(Timestamp::MAX);
        Self::Wait { until }
    }

    /// The outcome's name in metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Emit(_) => "emit",
            Self::Wait { .. } => "wait",
            Self::Park { .. } => "park",
            Self::Dead { .. } => "dead",
        }
    }
}
