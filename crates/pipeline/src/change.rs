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
    #[error("{0}")]
    NoSpace(LackOfSpace),
    /// The broker did not do it.
    #[error("{what} could not be read or declared: {why}")]
    Broker {
        /// Which stream or consumer.
        what: String,
        /// What the broker said.
        why: String,
    },
}

/// What the streams need, and what the broker has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LackOfSpace {
    /// The first stream that it refuses.
    pub stream: String,
    /// The sum of the limits of all streams, in bytes.
    pub needed: u64,
    /// What the broker has set aside so far, in bytes.
    pub reserved: u64,
    /// The limit of the stream that it refuses, in bytes.
    pub wanted: u64,
    /// How many bytes our account may use, where it has a limit of its own.
    pub limit: Option<u64>,
}

impl fmt::Display for LackOfSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, reserved, wanted) =
            (Size(self.needed), Size(self.reserved), Size(self.wanted));
        let stream = &self.stream;

        write!(
            f,
            "{stream} does not fit: the streams need {needed} in all (times the replicas), "
        )?;
        match self.limit {
            Some(limit) => {
                let limit = Size(limit);
                write!(f, "and the account may use {limit}, of which {reserved} are set aside")?;
            }
            None => write!(
                f,
                "and the broker, which does not tell how much it has, has set {reserved} aside for \
                 them and has no room for the {wanted} of this one"
            )?,
        }

        f.write_str(
            "; give it more disk (max_file_store) or the account a higher limit, or set smaller \
             sizes in MILLRACE_STREAM_SIZES",
        )
    }
}

/// Bytes as people read them.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 >> 20 {
            mebibytes @ 0..1024 => write!(f, "{mebibytes} MiB"),
            mebibytes @ 1024..1_048_576 => write!(f, "{:.1} GiB", mebibytes as f64 / 1024.0),
            mebibytes => write!(f, "{:.1} TiB", mebibytes as f64 / 1_048_576.0),
        }
    }
}

pub(crate) fn broker_said(what: &str, why: &dyn fmt::Display) -> ApplyError {
    ApplyError::Broker { what: what.into(), why: why.to_string() }
}

fn list(changes: &[DeclaredChange]) -> String {
    changes.iter().map(DeclaredChange::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_space_is_told_with_what_is_needed_and_what_is_there() {
        let gibibyte = 1 << 30;
        let mut lack = LackOfSpace {
            stream: "stream EVENTS".into(),
            needed: 41 * gibibyte,
            reserved: gibibyte / 2,
            wanted: 16 * gibibyte,
            limit: Some(10 * gibibyte),
        };
        let told = lack.to_string();
        assert!(told.contains("need 41.0 GiB in all"), "{told}");
        assert!(told.contains("may use 10.0 GiB, of which 512 MiB are"), "{told}");

        // What the broker has is not known: a figure for it would be one of ours.
        (lack.limit, lack.wanted) = (None, 900 * 1024 * gibibyte);
        let told = lack.to_string();
        assert!(told.contains("does not tell how much it has, has set 512 MiB aside"), "{told}");
        assert!(told.contains("no room for the 900.0 TiB of this one"), "{told}");
    }
}
