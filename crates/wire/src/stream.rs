//! The streams, and what each of them is allowed to do with what it holds.

use std::time::Duration;

/// A JetStream stream of Millrace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Messages as the API or a source accepted them.
    Submitted,
    /// Messages that are rendered, counted and stored.
    Enriched,
    /// Messages past the gates, waiting for their sender's pace.
    Admitted,
    /// Messages next to be sent.
    Released,
    /// Raw webhook requests of carriers that hold receipts alone.
    Carrier,
    /// Raw webhook requests of carriers that may hold texts: a STOP waits for no room behind
    /// receipts.
    Texts,
    /// Texts that want an answer.
    Inbound,
    /// What happened, for whoever wants to know.
    Events,
    /// The totals so far.
    Analytics,
    /// What could not be handled.
    Dead,
}

/// How a stream keeps what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Until acknowledged. The broker refuses a publish to a full one.
    WorkQueue,
    /// For this long, whoever has read it.
    Limits(Duration),
    /// The last value of each subject.
    LastValue,
}

/// How long a delivery may stay un-acked, unless an operator says otherwise. What a killed process
/// held comes again after it; a process that works says so at a third of it.
pub const ACK_WAIT: Duration = Duration::from_secs(6);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Stream {
    /// Every stream, in the order of `subjects.md`.
    pub const ALL: [Self; 10] = [
        Self::Submitted,
        Self::Enriched,
        Self::Admitted,
        Self::Released,
        Self::Carrier,
        Self::Texts,
        Self::Inbound,
        Self::Events,
        Self::Analytics,
        Self::Dead,
    ];

    /// The stream's name at the broker.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Enriched => "ENRICHED",
            Self::Admitted => "ADMITTED",
            Self::Released => "RELEASED",
            Self::Carrier => "CARRIER",
            Self::Texts => "TEXTS",
            Self::Inbound => "INBOUND",
            Self::Events => "EVENTS",
            Self::Analytics => "ANALYTICS",
            Self::Dead => "DEAD",
        }
    }

    /// The subjects it takes.
    pub fn subjects(self) -> &'static [&'static str] {
        match self {
            Self::Submitted => &["msg.submitted.*"],
            Self::Enriched => &["msg.enriched.*"],
            Self::Admitted => &["msg.admitted.*.*"],
            Self::Released => &["msg.released.*.*"],
            Self::Carrier => &["carrier.*.*.status"],
            Self::Texts => &["carrier.*.*.inbound", "carrier.*.*.mixed"],
            Self::Inbound => &["inbound.*"],
            Self::Events => &["events.*.*.*"],
            Self::Analytics => &["analytics.>"],
            Self::Dead => &["dead.*.*"],
        }
    }

    /// How it keeps what it holds.
    pub fn retention(self) -> Retention {
        match self {
            Self::Submitted | Self::Enriched | Self::Admitted | Self::Released => {
                Retention::WorkQueue
            }
            Self::Inbound => Retention::WorkQueue,
            Self::Carrier | Self::Texts => Retention::Limits(7 * DAY),
            Self::Events | Self::Dead => Retention::Limits(30 * DAY),
            Self::Analytics => Retention::LastValue,
        }
    }

    /// Whether payloads travel in frames (JSON arrays). Totals do not: each is one object, the last
    /// value of its subject.
    pub fn is_framed(self) -> bool {
        match self {
            Self::Submitted | Self::Enriched | Self::Admitted | Self::Released => true,
            Self::Carrier | Self::Texts | Self::Inbound | Self::Events | Self::Dead => true,
            Self::Analytics => false,
        }
    }

    /// How many bytes it may hold, unless an operator says otherwise. A full stream refuses new
    /// publishes (discard new), work queue and limits stream alike, so that nothing unread is ever
    /// dropped silently.
    pub fn max_bytes(self) -> i64 {
        const MIB: i64 = 1024 * 1024;

        match self {
            Self::Submitted => 512 * MIB,
            Self::Enriched | Self::Admitted | Self::Released | Self::Texts => 1024 * MIB,
            Self::Inbound => 256 * MIB,
            Self::Carrier | Self::Events => 4096 * MIB,
            Self::Analytics | Self::Dead => 512 * MIB,
        }
    }

    /// How long the broker remembers a `Nats-Msg-Id`. An optimisation only (law 4).
    pub fn dedup_window(self) -> Duration {
        Duration::from_secs(120)
    }
}
