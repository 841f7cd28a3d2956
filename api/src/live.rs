//! What moves, said to pages while it moves. One subscription of this process to EVENTS and to
//! ANALYTICS feeds whoever reads `GET /v1/live`: a feed for each topic that somebody reads.
//!
//! Everything said has a position in this process. Who was away for a moment reads on behind theirs
//! as long as it is kept; anybody else begins with a snapshot. A reader that falls behind what is
//! kept is dropped, and begins anew.

mod follow;
mod said;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::ids::TenantId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    time::Instant,
};

pub(crate) use follow::keep;
pub(crate) use said::{LiveMessage, Said, Topic};

use crate::{http::problem::Problem, ids, shares::Shares};

/// How much of a topic is kept, and how far a reader may be behind.
const KEPT: usize = 64;

/// How long a topic is kept that nobody reads any more.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(60);

/// From how many topics on one that nobody reads is forgotten at once.
const MANY: usize = 4_096;

/// Which part of all connections may read, and those of one tenant.
const READERS_PART: usize = 2;
const READERS_OF_TENANT_PART: usize = 8;

/// The feeds of a process.
pub(crate) struct Live {
    /// Tells positions of this process from those of others.
    process: String,
    state: Mutex<State>,
    readers: Arc<Semaphore>,
    readers_of_tenant: Shares,
}

#[derive(Default)]
struct State {
    /// The position of the latest thing said.
    position: u64,
    feeds: HashMap<TenantId, HashMap<Topic, Feed>>,
    followed: [bool; 2],
    is_closed: bool,
}

/// What is said about one topic.
struct Feed {
    said: broadcast::Sender<Arc<Said>>,
    kept: VecDeque<Arc<Said>>,
    /// Everything behind this position is kept.
    complete_after: u64,
    used_at: Instant,
}

/// What feeds the feeds.
#[derive(Debug, Clone, Copy)]
enum Source {
    Events,
    Totals,
}

/// The right to read, until it is dropped.
pub(crate) struct ReaderPermit {
    _held: [OwnedSemaphorePermit; 2],
}

/// One topic as one caller reads it.
pub(crate) struct Reader {
    /// What is said from now on. It ends where the reader is too slow.
    pub(crate) said: broadcast::Receiver<Arc<Said>>,
    /// What was said since the caller's position; none: they need a snapshot.
    pub(crate) missed: Option<Vec<Arc<Said>>>,
    /// The position at which `said` begins.
    pub(crate) position: u64,
}

impl Live {
    /// Feeds for a process that has so many connections at most.
    pub(crate) fn new(connections: usize) -> Self {
        let part = |of: usize| (connections / of).max(1);
        Self {
            process: ids::fresh().simple().to_string(),
            state: Mutex::default(),
            readers: Arc::new(Semaphore::new(part(READERS_PART))),
            readers_of_tenant: Shares::new(part(READERS_OF_TENANT_PART)),
        }
    }

    /// Lets a caller of this tenant read.
    ///
    /// # Errors
    /// The broker is not followed yet, or too many read already.
    pub(crate) fn admit(&self, tenant: &TenantId) -> Result<ReaderPermit, Problem> {
        if !self.lock().is_live() {
            return Err(Problem::unavailable("what moves is not followed right now", 1));
        }

        let of_tenant = self.readers_of_tenant.of(tenant.as_str()).try_acquire_owned();
        let of_all = Arc::clone(&self.readers).try_acquire_owned();
        let Ok(of_tenant) = of_tenant else {
            let detail = "too many pages of yours read live: close some, or ask again in a minute";
            return Err(Problem::too_many(detail, 60));
        };
        let Ok(of_all) = of_all else {
            return Err(Problem::unavailable("too many pages read live: ask again later", 60));
        };
        Ok(ReaderPermit { _held: [of_tenant, of_all] })
    }

    /// Reads a topic, behind the position of the `Last-Event-ID` where that is still kept.
    pub(crate) fn read(&self, tenant: &TenantId, topic: &Topic, last: Option<&str>) -> Reader {
        let after = last.and_then(|last| self.position_in(last));
        let mut state = self.lock();
        let position = state.position;
        state.forget_unread();

        let of_tenant = state.feeds.entry(tenant.clone()).or_default();
        let feed = of_tenant.entry(topic.clone()).or_insert_with(|| Feed::new(position));
        feed.used_at = Instant::now();
        let missed = after.and_then(|after| feed.since(after));
        Reader { said: feed.said.subscribe(), missed, position }
    }

    /// The id of what is said at a position.
    pub(crate) fn id_of(&self, position: u64) -> String {
        format!("{}-{position}", self.process)
    }

    /// Ends every reader, and lets nobody read any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.feeds.clear();
    }

    fn position_in(&self, id: &str) -> Option<u64> {
        let (process, position) = id.rsplit_once('-')?;
        (process == self.process).then(|| position.parse().ok())?
    }

    /// Whether somebody reads anything of this tenant.
    fn is_read(&self, tenant: &TenantId) -> bool {
        self.lock().feeds.contains_key(tenant)
    }

    /// Says something to whoever reads the topic.
    fn say(&self, tenant: &TenantId, topic: &Topic, message: LiveMessage) {
        let mut state = self.lock();
        let position = state.position + 1;
        let feed = state.feeds.get_mut(tenant).and_then(|of_tenant| of_tenant.get_mut(topic));
        let Some(feed) = feed else { return };

        feed.say(Arc::new(Said::new(topic, position, message)));
        state.position = position;
    }

    /// A source is followed from now on, or not any more: what was said in between nobody has seen,
    /// so every reader begins anew.
    fn set_followed(&self, source: Source, is_followed: bool) {
        let mut state = self.lock();
        state.followed[source as usize] = is_followed;
        state.feeds.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_live(&self) -> bool {
        !self.is_closed && self.followed.iter().all(|followed| *followed)
    }

    fn topics(&self) -> usize {
        self.feeds.values().map(HashMap::len).sum()
    }

    fn forget_unread(&mut self) {
        let are_many = self.topics() >= MANY;
        let is_used = |feed: &Feed| !are_many && feed.used_at.elapsed() < READ_AGAIN_WITHIN;
        self.feeds.retain(|_, of_tenant| {
            of_tenant.retain(|_, feed| feed.said.receiver_count() > 0 || is_used(feed));
            !of_tenant.is_empty()
        });
    }
}

impl Feed {
    fn new(complete_after: u64) -> Self {
        let (said, _) = broadcast::channel(KEPT);
        Self { said, kept: VecDeque::new(), complete_after, used_at: Instant::now() }
    }

    fn say(&mut self, said: Arc<Said>) {
        if self.kept.len() == KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.complete_after = oldest.position;
        }
        self.kept.push_back(Arc::clone(&said));
        if self.said.send(said).is_ok() {
            self.used_at = Instant::now();
        }
    }

    /// What was said behind a position, if all of it is kept.
    fn since(&self, after: u64) -> Option<Vec<Arc<Said>>> {
        let later = self.kept.iter().filter(|said| said.position > after);
        (after >= self.complete_after).then(|| later.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    fn acme() -> TenantId {
        "acme".parse().expect("valid")
    }

    fn live() -> Live {
        let live = Live::new(16);
        live.set_followed(Source::Events, true);
        live.set_followed(Source::Totals, true);
        live
    }

    fn say(live: &Live, times: usize) {
        for _ in 0..times {
            live.say(&acme(), &Topic::Dashboard, LiveMessage::default());
        }
    }

    #[test]
    fn who_was_away_for_a_moment_reads_on_and_who_was_away_for_long_begins_anew() {
        let live = live();
        let first = live.read(&acme(), &Topic::Dashboard, None);
        assert!(first.missed.is_none());
        say(&live, 3);

        let id = live.id_of(first.position + 1);
        let again = live.read(&acme(), &Topic::Dashboard, Some(&id));
        let missed: Vec<_> = again.missed.expect("kept").iter().map(|one| one.position).collect();
        assert_eq!(missed, [first.position + 2, first.position + 3]);

        say(&live, KEPT);
        assert!(live.read(&acme(), &Topic::Dashboard, Some(&id)).missed.is_none());
        let elsewhere = format!("another-{}", first.position + 1);
        assert!(live.read(&acme(), &Topic::Dashboard, Some(&elsewhere)).missed.is_none());
    }

    #[test]
    fn a_reader_that_falls_behind_is_dropped_and_nothing_piles_up() {
        let live = live();
        let mut slow = live.read(&acme(), &Topic::Dashboard, None);
        say(&live, KEPT * 10);

        assert!(matches!(slow.said.try_recv(), Err(TryRecvError::Lagged(_))));
        let kept = live.lock().feeds[&acme()][&Topic::Dashboard].kept.len();
        assert_eq!(kept, KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_nobody_reads_is_kept_for_a_minute() {
        let live = live();
        drop(live.read(&acme(), &Topic::Dashboard, None));
        let other = Topic::Campaign(uuid::Uuid::from_u128(7));
        let _reader = live.read(&acme(), &other, None);
        assert_eq!(live.lock().topics(), 2);

        tokio::time::advance(READ_AGAIN_WITHIN).await;
        let _again = live.read(&acme(), &other, None);
        assert_eq!(live.lock().topics(), 1);
    }

    #[test]
    fn of_many_topics_those_that_nobody_reads_are_forgotten_at_once() {
        let live = live();
        let read = live.read(&acme(), &Topic::Dashboard, None);
        for n in 0..2 * MANY {
            let campaign = Topic::Campaign(uuid::Uuid::from_u128(n as u128));
            drop(live.read(&acme(), &campaign, None));
            assert!(live.lock().topics() <= MANY);
        }
        say(&live, 1);
        assert_eq!(read.said.len(), 1, "what is read stays");
    }

    #[test]
    fn readers_end_where_something_may_have_been_missed_and_are_few() {
        let live = live();
        let mut reader = live.read(&acme(), &Topic::Dashboard, None);
        live.set_followed(Source::Totals, false);
        assert!(matches!(reader.said.try_recv(), Err(TryRecvError::Closed)));
        assert!(live.admit(&acme()).is_err(), "nothing is followed");

        live.set_followed(Source::Totals, true);
        let held = [live.admit(&acme()).expect("one"), live.admit(&acme()).expect("two")];
        assert!(live.admit(&acme()).is_err(), "an eighth of 16");
        assert!(live.admit(&"globex".parse().expect("valid")).is_ok());
        drop(held);
        assert!(live.admit(&acme()).is_ok());
    }
}
