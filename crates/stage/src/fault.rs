//! What can go wrong with a whole batch, and three answers about it: retry when, whose fault, and
//! what the tenant may read.

/// Something a stage cannot work without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// Postgres, behind the store.
    Database,
    /// NATS, with its streams and buckets.
    Broker,
    /// The AI provider.
    Ai,
}

/// The boxed cause of a fault.
pub type BoxedCause = Box<dyn std::error::Error + Send + Sync>;

/// Why a batch could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// An outage: nothing is wrong with the messages.
    #[error("{what:?} is unavailable: {source}")]
    Unavailable {
        /// What is away.
        what: Dependency,
        /// How it said so.
        source: BoxedCause,
    },
    /// The data itself was refused, for instance a text that the database cannot store.
    #[error("{what:?} refused the data: {source}")]
    Refused {
        /// Who refused the request.
        what: Dependency,
        /// How it said so.
        source: BoxedCause,
    },
    /// A stored value that this version does not know, because a newer version wrote it.
    #[error("a newer version stored the {what} {value:?}")]
    Newer {
        /// What kind of value it is.
        what: &'static str,
        /// The value itself: a word or a number of a fixed set.
        value: String,
    },
    /// The stage panicked.
    #[error("the stage panicked: {0}")]
    Panicked(String),
}

/// What the runtime does about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Hand the same messages over again after a back-off.
    Retry,
    /// Halve the batch until the culprit is alone; alone, it is a dead letter.
    Isolate,
    /// Halve the batch until the culprit is alone; alone, it is handed over again for a while, and
    /// then it is a dead letter.
    IsolateAndWait,
}

/// Whose fault it is, for alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Something around us is away: alert when it lasts.
    Operations,
    /// The message: no alert, one dead letter.
    Message,
    /// Our code: alert at once.
    Ours,
}

impl Fault {
    /// Retry, isolate the culprit, or have the culprit wait.
    pub fn fate(&self) -> Fate {
        match self {
            Self::Unavailable { .. } => Fate::Retry,
            Self::Refused { .. } | Self::Panicked(_) => Fate::Isolate,
            Self::Newer { .. } => Fate::IsolateAndWait,
        }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unavailable { .. } | Self::Newer { .. } => Blame::Operations,
            Self::Refused { .. } => Blame::Message,
            Self::Panicked(_) => Blame::Ours,
        }
    }

    /// What the tenant may read about it.
    pub fn notice(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "delayed by an outage; it goes on by itself",
            Self::Refused { .. } => "the message holds something that cannot be stored",
            Self::Newer { .. } => {
                "something about it was stored by a newer version of the platform"
            }
            Self::Panicked(_) => "an internal error; it has been reported",
        }
    }

    /// The metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unavailable { what: Dependency::Database, .. } => "database_unavailable",
            Self::Unavailable { what: Dependency::Broker, .. } => "broker_unavailable",
            Self::Unavailable { what: Dependency::Ai, .. } => "ai_unavailable",
            Self::Refused { .. } => "refused",
            Self::Newer { .. } => "newer",
            Self::Panicked(_) => "panicked",
        }
    }
}
