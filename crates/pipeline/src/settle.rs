//! THE function from what a stage said, or how it failed, to what the runtime does about it.
//! Pure; its test lists every row. Nothing else in Millrace decides about an acknowledgement.

use std::time::Duration;

use jiff::Timestamp;
use wire::{frame::Outgoing, stream::Stream};

use stage::{
    fault::{Dependency, Fate, Fault},
    machine::backoff,
    outcome::{Cause, MAX_WAIT, Outcome},
};

/// The shortest wait, so that an instant already past does not become a busy loop.
pub const MIN_WAIT: Duration = Duration::from_millis(5);

/// The back-off after a first outage, doubled up to [`RETRY_CAP`].
pub const RETRY_BASE: Duration = Duration::from_millis(100);

/// The longest back-off during an outage.
pub const RETRY_CAP: Duration = Duration::from_secs(5);

/// How long a message waits for a version that can read what is stored about it, before it is a
/// dead letter: old and new stages run side by side while the platform is brought up to date.
pub const NEWER_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What the runtime does about messages. The frame is acknowledged when each of its members has
/// come to [`Settlement::Publish`], [`Settlement::DeadLetter`] or [`Settlement::Leave`], and what
/// these publish is stored.
#[derive(Debug)]
pub enum Settlement {
    /// Publish these, await every PubAck; then the message is done.
    Publish(Vec<Outgoing>),
    /// Hand this one message over again after the wait; its frame stays un-acked.
    Again {
        /// How long from now.
        after: Duration,
    },
    /// Hand the unanswered messages of this batch over again, together, after the back-off.
    Retry {
        /// How long from now.
        after: Duration,
    },
    /// Hand the unanswered messages over again in two halves, to find the culprit.
    Halve,
    /// Publish a dead letter, await its PubAck; then the message is done.
    DeadLetter {
        /// The cause in one word, see [`wire::DeadLetter::cause`].
        cause: &'static str,
        /// The cause in a sentence, without any text or number.
        detail: &'static str,
    },
    /// It was read from DEAD itself: a letter about a letter would never end. It is done here and
    /// stays in DEAD for as long as DEAD keeps it.
    Leave {
        /// The cause in one word.
        cause: &'static str,
    },
}

/// What [`settle`] may know.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// How many faults these messages met in a row, this one included. Hand-overs after a wait and
    /// redeliveries are no faults.
    pub failures: u32,
    /// How many messages it concerns: 1 for an outcome, the unanswered for a fault.
    pub batch: usize,
    /// How long this message has waited for a newer version so far; zero while it has not.
    pub waited: Duration,
    /// Where they were read.
    pub from: Stream,
    /// The instant, in machine time.
    pub now: Timestamp,
    /// A number in `0.0..1.0` for the jitter of back-offs.
    pub chance: f64,
}

/// What to do about one outcome, or about a fault of the messages that have no outcome yet.
pub fn settle(said: Result<Outcome, &Fault>, at: &Situation) -> Settlement {
    match said {
        Ok(Outcome::Emit(say) | Outcome::Park { say, .. }) => Settlement::Publish(say),
        Ok(Outcome::Wait { until }) => Settlement::Again { after: wait(until, at.now) },
        Ok(Outcome::Dead { cause: Cause(detail) }) => bury("refused_by_stage", detail, at.from),
        Err(fault) => match fault.fate() {
            Fate::Retry => {
                let after = backoff(at.failures, RETRY_BASE, RETRY_CAP, at.chance);
                Settlement::Retry { after }
            }
            Fate::Isolate | Fate::IsolateAndWait if at.batch > 1 => Settlement::Halve,
            Fate::IsolateAndWait if is_waited_for(at) => Settlement::Again { after: newer(at) },
            Fate::Isolate | Fate::IsolateAndWait => bury(cause_of(fault), fault.notice(), at.from),
        },
    }
}

/// The word for a fault in a dead letter.
fn cause_of(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unavailable { .. } => "unavailable",
        Fault::Refused { what: Dependency::Database, .. } => "refused_by_database",
        Fault::Refused { what: Dependency::Broker, .. } => "refused_by_broker",
        Fault::Refused { what: Dependency::Ai, .. } => "refused_by_ai",
        Fault::Newer { .. } => "not_understood",
        Fault::Panicked(_) => "panicked",
    }
}

/// Whether a message still waits for a newer version. A letter that was read from DEAD does so
/// without end: its message's row says that it died only once somebody can read the row.
fn is_waited_for(at: &Situation) -> bool {
    at.waited < NEWER_PATIENCE || !writes_letters(at.from)
}

/// The wait before a message is handed over again for which a newer version is waited: as long as
/// it has waited so far, so that it doubles, and jittered as back-offs are.
fn newer(at: &Situation) -> Duration {
    let doubled = at.waited.clamp(RETRY_BASE, RETRY_CAP);
    backoff(1, doubled, RETRY_CAP, at.chance)
}

fn bury(cause: &'static str, detail: &'static str, from: Stream) -> Settlement {
    if writes_letters(from) {
        Settlement::DeadLetter { cause, detail }
    } else {
        Settlement::Leave { cause }
    }
}

/// Whether what cannot be handled, or not even read, becomes a dead letter. What was read from
/// DEAD does not: see [`Settlement::Leave`].
pub fn writes_letters(from: Stream) -> bool {
    match from {
        Stream::Dead => false,
        Stream::Submitted
        | Stream::Enriched
        | Stream::Admitted
        | Stream::Released
        | Stream::Carrier
        | Stream::Texts
        | Stream::Inbound
        | Stream::Events
        | Stream::Analytics => true,
    }
}

fn wait(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default().clamp(MIN_WAIT, MAX_WAIT)
}
