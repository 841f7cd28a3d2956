//! Declares the streams of [`wire::Stream`] at the broker: makes those that are missing, and
//! changes the others to what the code says, unless the change would lose what a stream holds.

use std::{collections::BTreeMap, fmt, time::Duration};

use async_nats::jetstream::{
    self,
    stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType},
};
use wire::stream::{Retention, Stream};

use crate::{
    broker::Broker,
    change::{ApplyError, DeclaredChange, LackOfSpace, broker_said},
    moved::{MOVED, move_texts},
};

/// Less than this no stream is given where the disk is small, bytes.
pub const LEAST_BYTES: i64 = 64 << 20;

/// What differs between installations.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// Copies of each stream: 1 embedded, 3 or 5 in a cluster.
    pub replicas: usize,
    /// The most bytes that any stream may have, where the disk is small: the broker reserves the
    /// sum of all. None: each has its own limit.
    pub max_bytes: Option<i64>,
    /// The limits, in bytes, of streams that do not have the one of the code.
    pub sizes: BTreeMap<Stream, i64>,
}

impl StreamSettings {
    /// One copy of each stream, of at most so many bytes.
    pub const fn at_most(bytes: i64) -> Self {
        Self { replicas: 1, max_bytes: Some(bytes), sizes: BTreeMap::new() }
    }

    /// How many bytes one copy of every stream may hold together.
    pub fn needed_bytes(&self) -> u64 {
        Stream::ALL.map(|stream| self.max_bytes_of(stream).unsigned_abs()).iter().sum()
    }

    /// How many bytes a stream may hold.
    fn max_bytes_of(&self, stream: Stream) -> i64 {
        let own = self.sizes.get(&stream).copied().unwrap_or(stream.max_bytes());
        own.min(self.max_bytes.unwrap_or(i64::MAX))
    }
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { replicas: 1, max_bytes: None, sizes: BTreeMap::new() }
    }
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
        changes.extend(compare(stream, &declared(stream, settings), found.as_ref()));
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
        let done = match look_up(broker, stream).await? {
            None => broker.api.create_stream(wanted).await.map(drop),
            Some(found) if compare(stream, &wanted, Some(&found)).is_empty() => Ok(()),
            Some(found) => broker.api.update_stream(merged(&wanted, found.config)).await.map(drop),
        };
        if let Err(why) = done {
            return Err(refused(broker, settings, stream, &why).await);
        }
    }
    move_texts(broker).await?;
    Ok(changes)
}

/// The same on a disk that may be small: where the broker lacks the space and nobody has chosen
/// sizes, the largest streams are halved until all fit. Says what was applied.
///
/// # Errors
/// As for [`apply_streams`]; not even streams of [`LEAST_BYTES`] fit.
pub async fn apply_streams_that_fit(
    broker: &Broker,
    settings: &StreamSettings,
) -> Result<StreamSettings, ApplyError> {
    let largest = Stream::ALL.map(|stream| settings.max_bytes_of(stream)).into_iter().max();
    let mut most = largest.unwrap_or(LEAST_BYTES);
    let mut fitting = settings.clone();

    loop {
        most /= 2;
        match apply_streams(broker, &fitting).await {
            Err(ApplyError::NoSpace(_)) if settings.sizes.is_empty() && most >= LEAST_BYTES => {
                fitting.max_bytes = Some(most);
            }
            other => return other.map(|_| fitting),
        }
    }
}

/// Why the broker did not declare a stream, with the figures where it lacks the space.
async fn refused(
    broker: &Broker,
    settings: &StreamSettings,
    stream: Stream,
    why: &jetstream::context::CreateStreamError,
) -> ApplyError {
    use jetstream::{ErrorCode, context::CreateStreamErrorKind};

    let lacks_space = match why.kind() {
        CreateStreamErrorKind::JetStream(said) => matches!(
            said.error_code(),
            ErrorCode::STORAGE_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES
        ),
        _ => false,
    };
    if !lacks_space {
        return broker_said(stream.name(), why);
    }

    let account = broker.api.query_account().await.ok();
    ApplyError::NoSpace(LackOfSpace {
        stream: format!("stream {}", stream.name()),
        needed: settings.needed_bytes(),
        reserved: account.as_ref().map_or(0, |account| account.reserved_storage),
        wanted: settings.max_bytes_of(stream).unsigned_abs(),
        // Without a limit of the account's own, the server's holds, which it does not tell.
        limit: account.and_then(|account| u64::try_from(account.limits.max_storage?).ok()),
    })
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
        subjects: stream.subjects().iter().map(|&subject| subject.into()).collect(),
        retention,
        max_age,
        discard,
        max_messages_per_subject: per_subject,
        max_bytes: settings.max_bytes_of(stream),
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
fn compare(stream: Stream, wanted: &Config, found: Option<&Info>) -> Vec<DeclaredChange> {
    let what = format!("stream {}", wanted.name);
    let Some(Info { config: is, state, .. }) = found else {
        return vec![DeclaredChange { what, how: "missing".into(), loses: false }];
    };
    let holds = state.messages > 0;

    // which differences would lose messages
    let is_moved = |subject: &str| MOVED.contains(&(stream, subject));
    let stays = |subject: &String| wanted.subjects.contains(subject) || is_moved(subject);
    let keeps_subjects = is.subjects.iter().all(stays);
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    /// The cells of the row that names a stream in its first cell.
    fn row(page: &str, stream: Stream) -> Option<Vec<&str>> {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
        let mut rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
        rows.find(|cells| cells[0].split(", ").any(|name| name == stream.name()))
    }

    #[test]
    fn the_page_for_operators_has_the_size_of_every_stream_and_their_sum() {
        let page = include_str!("../../../docs/operating.md");
        for stream in Stream::ALL {
            let bytes = stream.max_bytes().unsigned_abs();
            let size = match bytes % GIB {
                0 => format!("{} GiB", bytes / GIB),
                _ => format!("{} MiB", bytes / MIB),
            };
            let cells = row(page, stream).expect("a row");
            assert!(cells[1] == size || cells[1] == format!("{size} each"), "{cells:?}: {size}");
        }

        let quarters = StreamSettings::default().needed_bytes() * 4 / GIB;
        let sum = format!(" {}.{:02} GiB by default", quarters / 4, quarters % 4 * 25);
        assert!(page.contains(&sum), "{sum}");
    }
}
