//! What differs between what the code declares and what the broker has, and why it stays so.

use std::fmt;

/// One difference between what the code declares and what the broker has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredChange {
    /// What differs: `stream SUBMITTED` or `consumer gate-bulk`, for instance.
    pub what: String,
    /// Which property, from what to what; `missing` where nothing is there yet.
    pub how: String,
    /// Whether what the stream holds would be lost.
    pub loses: bool,
}

impl fmt::Display for DeclaredChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loses = if self.loses { " (would lose data)" } else { "" };
        write!(f, "{}: {}{loses}", self.what, self.how)
    }
}

/// Why streams or consumers are not as declared.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing was changed: what is there holds messages that the change would lose.
    #[error("refused, nothing was changed: {}; drain or move the stream first", list(.0))]
    Loses(Vec<DeclaredChange>),
    /// The broker has no room for what the streams may hold.
    #[error(
        "{stream} does not fit: the streams may hold {needed} bytes in all (times the replicas), \
         and the broker has set {reserved} aside for them and has not the rest; give it more disk \
         (max_file_store), or set smaller sizes in MILLRACE_STREAM_SIZES"
    )]
    NoSpace {
        /// The first stream that it refuses.
        stream: String,
        /// The sum of the limits of all streams.
        needed: u64,
        /// What the broker has set aside so far.
        reserved: u64,
    },
    /// The broker did not do it.
    #[error("{what} could not be read or declared: {why}")]
    Broker {
        /// Which stream or consumer.
        what: String,
        /// What the broker said.
        why: String,
    },
}

pub(crate) fn broker_said(what: &str, why: &dyn fmt::Display) -> ApplyError {
    ApplyError::Broker { what: what.into(), why: why.to_string() }
}

fn list(changes: &[DeclaredChange]) -> String {
    changes.iter().map(DeclaredChange::to_string).collect::<Vec<_>>().join("; ")
}
