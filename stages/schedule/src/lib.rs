//! Schedule: parked messages go back to the gates when they are due, what is kept long enough goes,
//! and what is said to people who sign in is said.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; due rows of `parked` and `notices`, and rows that are kept long enough |
//! | Emits | `msg.enriched.<lane>`, with the next turn; `msg.submitted.<lane>`: codes as texts |
//! | Reads | `parked`: tenants take turns, and the causes of each, the oldest first; `wakes`, |
//! | | `lines`; the meters of `senders`; where the people may be by now: `contacts`, `tenants` |
//! | Writes | `messages.turn`; `counters` (places in meters); deletes `parked` rows after the |
//! | | PubAck, and `lines` in which nobody stands; makes woken rows due; sets aside what it |
//! | | cannot read: `messages` (held), `unsaid_events`; removes what `docs/operating.md` lists |
//! | | under Retention; deletes `notices` that are said; stops new messages while too many |
//! | | `moved_counts` wait for rollup: `full_counts` |
//! | Calls | the platform's mail server |
//! | Never | decides whether a message may be sent: the gates do, afresh |

mod counts;
mod gauge;
mod lines;
mod notices;
mod pace;
mod retention;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::ids::TenantId;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    parked::{
        aside,
        release::{self, DueMessage, DueRow},
        wake,
    },
};
use wire::{Subject, frame::Outgoing};

pub use counts::CountsLimit;
use gauge::ParkedGauge;
use lines::PaceLines;
pub use notices::{BadMailSettings, MailNotices, Mailer, TextNotices};
use pace::TenantPaces;
pub use retention::{ROWS, RetentionSource};

/// How many rows one tick releases at most, and how many of them of one tenant: two frames' worth,
/// so that a morning's opening does not flood the gates.
const AT_MOST: i64 = 512;
const PER_TENANT: i64 = 128;

/// How many rows of one wake are made due in one tick.
const WOKEN: i64 = 2_000;

/// The source that releases parked messages.
pub struct ScheduleSource {
    store: Store,
    gauge: ParkedGauge,
    paces: Mutex<TenantPaces>,
    lines: PaceLines,
    /// Whether what other versions could not read has been woken.
    has_begun: AtomicBool,
}

impl ScheduleSource {
    /// A schedule over this store.
    pub fn new(store: Store) -> Self {
        let (gauge, paces, lines) = (ParkedGauge::new(), Mutex::default(), PaceLines::default());
        Self { store, gauge, paces, lines, has_begun: AtomicBool::new(false) }
    }

    /// The due rows that may go now: paced rows go as fast as their tenant's senders carry them.
    async fn find(&self, cx: &Cx) -> Result<Vec<DueRow>, Fault> {
        let resting = self.paces().resting(cx.machine);
        let resting: Vec<&TenantId> = resting.iter().collect();
        let found = release::find(&self.store, cx.now, PER_TENANT, AT_MOST, &resting).await?;

        let paced = found.iter().filter(|row| row.paced);
        let paced: BTreeSet<&TenantId> = paced.map(|row| &row.tenant).collect();
        if paced.is_empty() {
            return Ok(found);
        }

        let paced: Vec<&TenantId> = paced.into_iter().collect();
        let paces = release::paces(&self.store, &paced).await?;
        Ok(self.paces().admit(cx.machine, found, paces))
    }

    fn paces(&self) -> MutexGuard<'_, TenantPaces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for ScheduleSource {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.gauge.set(&self.store, cx).await?;
        if !self.has_begun.load(Ordering::Relaxed) {
            aside::try_again(&self.store, cx.now).await?;
            self.has_begun.store(true, Ordering::Relaxed);
        }

        // load; what has been woken is due from now on
        let is_waking = wake::work(&self.store, cx.now, cx.machine, WOKEN).await?;
        let found = self.find(cx).await?;

        // record
        let left = self.lines.let_out(&self.store, cx.now).await?;
        let mut due = release::release(&self.store, &found, cx.now).await?;
        let more = is_waking || left.more || found.len() as i64 >= PER_TENANT;
        due.extend(left.due);
        if due.is_empty() {
            return Ok(Tick { more, ..Tick::default() });
        }

        // say
        let say = due.iter().filter_map(outgoing).collect();

        // record, once the broker has stored them
        let store = self.store.clone();
        let mark = async move { release::released(&store, &due).await };
        Ok(Tick { say, published: Some(Box::pin(mark)), more })
    }
}

/// The message on its way back to the gates; none where only its row is to be deleted.
fn outgoing(due: &DueMessage) -> Option<Outgoing> {
    let (lane, message) = due.payload.as_ref()?;
    Some(Outgoing::new(Subject::Enriched(*lane), message))
}
