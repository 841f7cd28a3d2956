//! Declares the streams of [`wire::Stream`] at the broker: makes those that are missing, and
//! changes the others to what the code says, unless the change would lose what a stream holds.

use std::{fmt, time::Duration};

use async_nats::jetstream::{
    self,
    stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType},
};
use wire::stream::{Retention, Stream};

use crate::broker::Broker;

/// What differs between installations, for all streams alike.
#[derive(Debug, Clone, Copy)]
pub struct StreamSettings {
    /// Copies of each stream: 1 embedded, 3 in a cluster.
    pub replicas: usize,
    /// The most bytes that any stream may have, where the disk is small: the broker reserves the
    /// sum of all. None: each has its own limit.
    pub max_bytes: Option<i64>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { replicas: 1, max_bytes: None }
    }
}

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
    /// The broker did not do it.
    #[error("{what} could not be read or declared: {why}")]
    Broker {
        /// Which stream or consumer.
        what: String,
        /// What the broker said.
        why: String,
    },
}

/// What [`apply_streams`] would change.
///
/// # Errors
/// When the broker cannot say what it has.
pub async fn diff_streams(
    broker: &Broker,
    settings: &StreamSettings,
) -> Result<Vec<DeclaredChange>, ApplyError> {
    let mut changes = Vec::new();
    for stream in Stream::ALL {
        let found = look_up(broker, stream).await?;
        changes.extend(compare(&declared(stream, settings), found.as_ref()));
    }
    Ok(changes)
}

/// Makes the broker's streams what the code declares and says what that changed. Applying twice
/// changes nothing the second time.
///
/// # Errors
/// When a change would lose data (then nothing is changed at all), or the broker refuses.
pub async fn apply_streams(
    broker: &Broker,
    settings: &StreamSettings,
) -> Result<Vec<DeclaredChange>, ApplyError> {
    let changes = diff_streams(broker, settings).await?;
    let losses: Vec<DeclaredChange> =
        changes.iter().filter(|change| change.loses).cloned().collect();
    if !losses.is_empty() {
        return Err(ApplyError::Loses(losses));
    }

    for stream in Stream::ALL {
        let wanted = declared(stream, settings);
        let refused = |why: &dyn fmt::Display| broker_said(&wanted.name, why);

        match look_up(broker, stream).await? {
            None => {
                broker.api.create_stream(wanted.clone()).await.map_err(|why| refused(&why))?;
            }
            Some(found) if compare(&wanted, Some(&found)).is_empty() => {}
            Some(found) => {
                let updated = merged(&wanted, found.config);
                broker.api.update_stream(updated).await.map_err(|why| refused(&why))?;
            }
        }
    }
    Ok(changes)
}

/// The configuration that the code declares for a stream.
pub fn declared(stream: Stream, settings: &StreamSettings) -> Config {
    let (retention, max_age, discard, per_subject) = match stream.retention() {
        Retention::WorkQueue => {
            (RetentionPolicy::WorkQueue, Duration::ZERO, DiscardPolicy::New, -1)
        }
        Retention::Limits(age) => (RetentionPolicy::Limits, age, DiscardPolicy::New, -1),
        Retention::LastValue => (RetentionPolicy::Limits, Duration::ZERO, DiscardPolicy::Old, 1),
    };

    Config {
        name: stream.name().into(),
        subjects: vec![stream.subjects().into()],
        retention,
        max_age,
        discard,
        max_messages_per_subject: per_subject,
        max_bytes: stream.max_bytes().min(settings.max_bytes.unwrap_or(i64::MAX)),
        max_messages: -1,
        max_consumers: -1,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        duplicate_window: stream.dedup_window(),
        ..Config::default()
    }
}

async fn look_up(broker: &Broker, stream: Stream) -> Result<Option<Info>, ApplyError> {
    match broker.api.get_stream(stream.name()).await {
        Ok(found) => Ok(Some(found.cached_info().clone())),
        Err(why) => match why.kind() {
            jetstream::context::GetStreamErrorKind::JetStream(said)
                if said.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            _ => Err(broker_said(stream.name(), &why)),
        },
    }
}

/// Every difference, and whether closing it would lose messages that are there.
fn compare(wanted: &Config, found: Option<&Info>) -> Vec<DeclaredChange> {
    let what = format!("stream {}", wanted.name);
    let Some(Info { config: is, state, .. }) = found else {
        return vec![DeclaredChange { what, how: "missing".into(), loses: false }];
    };
    let holds = state.messages > 0;

    // which differences would lose messages
    let keeps_subjects = is.subjects.iter().all(|subject| wanted.subjects.contains(subject));
    let sooner = wanted.max_age > Duration::ZERO
        && (is.max_age == Duration::ZERO || wanted.max_age < is.max_age);
    let fewer = wanted.max_messages_per_subject > 0
        && (is.max_messages_per_subject <= 0
            || wanted.max_messages_per_subject < is.max_messages_per_subject);
    let to_old = wanted.discard == DiscardPolicy::Old;
    let too_small = wanted.max_bytes > 0 && state.bytes > wanted.max_bytes.unsigned_abs();

    let mut changes = Vec::new();
    let mut differs = |name: &str, from: String, to: String, loses: bool| {
        if from != to {
            let how = format!("{name} {from} -> {to}");
            changes.push(DeclaredChange { what: what.clone(), how, loses: loses && holds });
        }
    };
    let text = |value: &dyn fmt::Debug| format!("{value:?}");
    differs("retention", text(&is.retention), text(&wanted.retention), true);
    differs("storage", text(&is.storage), text(&wanted.storage), true);
    differs("subjects", is.subjects.join(","), wanted.subjects.join(","), !keeps_subjects);
    differs("max_age", text(&is.max_age), text(&wanted.max_age), sooner);
    differs("discard", text(&is.discard), text(&wanted.discard), to_old);
    differs("max_bytes", is.max_bytes.to_string(), wanted.max_bytes.to_string(), too_small);
    differs(
        "max_msgs_per_subject",
        is.max_messages_per_subject.to_string(),
        wanted.max_messages_per_subject.to_string(),
        fewer,
    );
    differs("replicas", is.num_replicas.to_string(), wanted.num_replicas.to_string(), false);
    differs("dedup window", text(&is.duplicate_window), text(&wanted.duplicate_window), false);

    changes
}

/// What is there, changed to what the code decides. An operator's placement and description stay.
fn merged(wanted: &Config, found: Config) -> Config {
    let wanted = wanted.clone();
    Config {
        subjects: wanted.subjects,
        retention: wanted.retention,
        storage: wanted.storage,
        max_age: wanted.max_age,
        discard: wanted.discard,
        max_bytes: wanted.max_bytes,
        max_messages_per_subject: wanted.max_messages_per_subject,
        num_replicas: wanted.num_replicas,
        duplicate_window: wanted.duplicate_window,
        ..found
    }
}

pub(crate) fn broker_said(what: &str, why: &dyn fmt::Display) -> ApplyError {
    ApplyError::Broker { what: what.into(), why: why.to_string() }
}

fn list(changes: &[DeclaredChange]) -> String {
    changes.iter().map(DeclaredChange::to_string).collect::<Vec<_>>().join("; ")
}
