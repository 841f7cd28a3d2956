//! Schedule: parked messages go back to the gates when they are due.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; due rows of `parked` |
//! | Emits | `msg.enriched.<lane>`, with the next turn |
//! | Reads | `parked`, oldest due first, fair between tenants; `wakes`, the pace of `senders`; where |
//! | | the people may be by now: `contacts`, `tenants` |
//! | Writes | `messages.turn`; deletes `parked` rows after the PubAck; makes woken rows due |
//! | Calls | nobody |
//! | Never | decides whether a message may be sent: the gates do, afresh |

mod pace;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    parked::{
        release::{self, DueRow},
        wake,
    },
};
use wire::{Subject, frame::Outgoing};

use pace::TenantPaces;

/// How many rows one tick releases at most, and how many of them of one tenant: two frames' worth,
/// so that a morning's opening does not flood the gates.
const AT_MOST: i64 = 512;
const PER_TENANT: i64 = 128;

/// How many rows of one wake are made due in one tick.
const WOKEN: i64 = 2_000;

/// How often the parked messages are counted for the gauge.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// The source that releases parked messages.
pub struct ScheduleSource {
    store: Store,
    /// Machine time of the last count.
    counted: Mutex<Timestamp>,
    paces: Mutex<TenantPaces>,
}

impl ScheduleSource {
    /// A schedule over this store.
    pub fn new(store: Store) -> Self {
        let (counted, paces) = (Mutex::new(Timestamp::MIN), Mutex::new(TenantPaces::default()));
        Self { store, counted, paces }
    }

    /// The due rows that may go now.
    async fn find(&self, cx: &Cx) -> Result<Vec<DueRow>, Fault> {
        let resting = self.paces().resting(cx.machine);
        let resting: Vec<&TenantId> = resting.iter().collect();
        let found = release::find(&self.store, cx.now, PER_TENANT, AT_MOST, &resting).await?;
        let paced: BTreeSet<&TenantId> =
            found.iter().filter(|row| row.paced).map(|row| &row.tenant).collect();
        if paced.is_empty() {
            return Ok(found);
        }
        let paced: Vec<&TenantId> = paced.into_iter().collect();
        let paces = release::paces(&self.store, &paced).await?;
        Ok(self.paces().admit(cx.machine, found, paces))
    }

    fn paces(&self) -> std::sync::MutexGuard<'_, TenantPaces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the gauge of parked messages, by what they wait for.
    async fn count(&self, machine: Timestamp) -> Result<(), Fault> {
        {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if machine.duration_since(*counted) < COUNT_EVERY {
                return Ok(());
            }
            *counted = machine;
        }
        let (due, held) = release::parked(&self.store).await?;
        metrics::gauge!("millrace_parked_messages", "until" => "due").set(due as f64);
        metrics::gauge!("millrace_parked_messages", "until" => "cause").set(held as f64);
        Ok(())
    }
}

impl Source for ScheduleSource {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.count(cx.machine).await?;
        let waking = wake::work(&self.store, cx.now, cx.machine, WOKEN).await?;
        let found = self.find(cx).await?;
        let due = release::release(&self.store, &found).await?;
        if due.is_empty() {
            return Ok(Tick { more: waking, ..Tick::default() });
        }
        let say = due.iter().filter_map(|row| {
            let payload = row.payload.as_ref()?;
            Some(Outgoing::new(Subject::Enriched(row.lane), payload))
        });
        let (say, more) = (say.collect(), waking || due.len() as i64 >= PER_TENANT);
        let store = self.store.clone();
        let published = async move { release::released(&store, &due).await };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}
