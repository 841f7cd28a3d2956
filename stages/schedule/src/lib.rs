//! Schedule: parked messages go back to the gates when they are due.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; due rows of `parked` |
//! | Emits | `msg.enriched.<lane>`, with the next turn |
//! | Reads | `parked`, oldest due first, fair between tenants |
//! | Writes | `messages.turn`; deletes `parked` rows after the PubAck |
//! | Calls | nobody |
//! | Never | decides whether a message may be sent: the gates do, afresh |

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use pipeline::{Cx, Fault, Outgoing, Source, StageName, Tick};
use store::{Store, schedule};
use wire::Subject;

/// How many rows one tick releases at most, and how many of them of one tenant: two frames' worth,
/// so that a morning's opening does not flood the gates.
const AT_MOST: i64 = 512;
const PER_TENANT: i64 = 128;

/// How often the parked messages are counted for the gauge.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// The source that releases parked messages.
pub struct Schedule {
    store: Store,
    /// Machine time of the last count.
    counted: Mutex<Timestamp>,
}

impl Schedule {
    /// A schedule over this store.
    pub fn new(store: Store) -> Self {
        Self { store, counted: Mutex::new(Timestamp::MIN) }
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
        let (due, held) = schedule::parked(&self.store).await?;
        metrics::gauge!("millrace_parked_messages", "until" => "due").set(due as f64);
        metrics::gauge!("millrace_parked_messages", "until" => "cause").set(held as f64);
        Ok(())
    }
}

impl Source for Schedule {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.count(cx.machine).await?;
        let due = schedule::release(&self.store, cx.now, PER_TENANT, AT_MOST).await?;
        if due.is_empty() {
            return Ok(Tick::default());
        }
        let say = due.iter().filter_map(|row| {
            let payload = row.payload.as_ref()?;
            Some(Outgoing::new(Subject::Enriched(row.lane), payload))
        });
        let (say, more) = (say.collect(), due.len() as i64 >= PER_TENANT);
        let store = self.store.clone();
        let published = async move { schedule::released(&store, &due).await };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}
