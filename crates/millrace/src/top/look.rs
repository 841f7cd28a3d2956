//! One look at the broker and at the database.

use std::time::{Duration, Instant};

use pipeline::{
    Broker,
    backlog::{Backlog, ask, first_stored},
    consumers::{CONSUMERS, ConsumerSpec},
};
use store::{Store, analytics::counts, messages::in_doubt, parked::release};
use wire::stream::Stream;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What there was at one moment.
pub(super) struct Look {
    /// When the look began.
    pub(super) taken: Instant,
    /// What every consumer has before it; none where the broker does not answer.
    pub(super) consumers: Vec<(&'static ConsumerSpec, Option<ConsumerLook>)>,
    /// Frames of dead letters; none where the broker does not answer.
    pub(super) dead: Option<u64>,
    /// What waits in rows, or why it is not known.
    pub(super) rows: Result<RowsLook, String>,
}

/// What one consumer has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConsumerLook {
    pub(super) backlog: Backlog,
    /// How long the first entry that is not acked has been there.
    pub(super) oldest: Option<Duration>,
}

/// What waits in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowsLook {
    /// Messages that are parked until a time.
    pub(super) due: i64,
    /// Messages that are held for a cause.
    pub(super) held: i64,
    /// Messages in doubt.
    pub(super) doubts: i64,
    /// Groups of changes that are in no total yet.
    pub(super) unfolded: i64,
}

impl Look {
    /// Asks everybody at once.
    pub(super) async fn take(broker: &Broker, store: &Store) -> Self {
        let taken = Instant::now();
        let consumers = CONSUMERS.iter().map(|spec| async move {
            let look = tokio::time::timeout(PATIENCE, consumer(broker, spec)).await;
            (spec, look.ok().flatten())
        });
        let dead = async {
            let found = broker.api.get_stream(Stream::Dead.name());
            let found = tokio::time::timeout(PATIENCE, found).await.ok()?.ok()?;
            Some(found.cached_info().state.messages)
        };
        let rows = async {
            let asked = tokio::time::timeout(PATIENCE, rows(store)).await;
            asked.unwrap_or_else(|_| Err("no answer".into()))
        };

        let (consumers, dead, rows) =
            tokio::join!(futures::future::join_all(consumers), dead, rows);
        Self { taken, consumers, dead, rows }
    }
}

async fn consumer(broker: &Broker, spec: &ConsumerSpec) -> Option<ConsumerLook> {
    let backlog = ask(broker, spec).await?;
    let waits = backlog.pending + backlog.unacked > 0;
    let stored = if waits { first_stored(broker, spec, backlog.floor).await } else { None };
    let now = boot::clock::machine_now().as_microsecond();
    let age = |nanos: i64| u64::try_from(now - nanos / 1_000).unwrap_or_default();
    Some(ConsumerLook { backlog, oldest: stored.map(age).map(Duration::from_micros) })
}

async fn rows(store: &Store) -> Result<RowsLook, String> {
    let text = |why: stage::Fault| why.to_string();
    let (due, held) = release::parked(store).await.map_err(text)?;
    let doubts = in_doubt::count(store).await.map_err(text)?;
    let unfolded = counts::unfolded_of_all(store).await.map_err(text)?;
    Ok(RowsLook { due, held, doubts, unfolded })
}
